// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.weights.WeightInitUniform;
import org.lyapunov4j.dl4j.Schedule;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.NetworkRun.Plan;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Gradient descent on 5000 images of CIFAR-10 with a 3072-200-200-10 tanh network, after Cohen et
 * al., ICLR 2021. Learning rates and sharpness are theirs: ½ of the sum of squares over the
 * outputs, K/2 times Deeplearning4j's loss, and cross-entropy, where both agree.
 */
final class Cifar implements Experiment {
  private static final int EXAMPLES = 5000;
  private static final int PROBE = 200;

  /** How near 2/η the late sharpness must be to count. */
  private static final double TOLERANCE = 0.1;

  /**
   * A learning rate.
   *
   * @param loss to be minimised
   * @param rate η as published
   * @param steps enough to reach the edge, or to see that it is far
   * @param checkpoints after the first step, evenly
   */
  private record Case(LossFunction loss, double rate, int steps, int checkpoints) {
    double factor(int outputs) {
      return loss == LossFunction.MSE ? outputs / 2.0 : 1;
    }

    String name() {
      return loss == LossFunction.MSE ? "mse" : "cross-entropy";
    }
  }

  private static final List<Case> CASES =
      List.of(
          new Case(LossFunction.MSE, 2.0 / 30, 480, 12),
          new Case(LossFunction.MSE, 2.0 / 60, 480, 12),
          new Case(LossFunction.MCXENT, 2.0 / 30, 480, 12),
          new Case(LossFunction.MCXENT, 2.0 / 60, 960, 12),
          new Case(LossFunction.MSE, 2.0 / 90, 2880, 24),
          new Case(LossFunction.MSE, 2.0 / 120, 1440, 12),
          new Case(LossFunction.MSE, 0.01, 4800, 12));

  private final int examples;
  private final List<Integer> hidden;

  Cifar() {
    this(EXAMPLES, List.of(200, 200));
  }

  /** With fewer examples and another network. */
  Cifar(int examples, List<Integer> hidden) {
    this.examples = examples;
    this.hidden = hidden;
  }

  @Override
  public String name() {
    return "cifar";
  }

  @Override
  public String question() {
    return "Does sharpness rise to 2/η and stay? 5000 images of CIFAR-10 (Cohen et al. 2021)";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.requireData(name(), "cifar10:data_batch_1.bin");
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      Examples chosen =
          source.load(examples, Targets.ONE_HOT, new RandomStream(seed).split(Seeds.EXAMPLES));
      DataSet data = chosen.toDataSet(DataType.FLOAT);
      for (Case one : CASES) {
        runs.add(run(one, chosen, data, seed, settings));
      }
    }
    return runs;
  }

  private Run run(Case one, Examples chosen, DataSet data, int seed, Settings settings) {
    double own = one.rate() * one.factor(chosen.outputs());
    int steps = settings.steps(one.steps());
    String rate = String.format(Locale.ROOT, "%.4f", one.rate());
    return new NetworkRun(
        String.format(Locale.ROOT, "%s-eta%s-seed%d", one.name(), rate, seed),
        Descent.labels(one.name(), one.rate(), one.factor(chosen.outputs()), seed),
        configuration(one.loss(), chosen, own, seed),
        data,
        first(data, PROBE),
        new Plan(
            SgdStep.of(own, examples),
            steps,
            Tier.ECONOMY,
            Schedule.everyIterations(Math.max(1, steps / one.checkpoints())),
            0,
            true,
            0,
            seed));
  }

  private MultiLayerConfiguration configuration(
      LossFunction loss, Examples examples, double rate, int seed) {
    return withUniformWeights(
        new DenseNetwork(hidden, Activation.TANH, loss, DataType.FLOAT)
            .configuration(examples.inputWidth(), examples.outputs(), new Sgd(rate), seed));
  }

  /** Weights uniform on ±1/√inputs, as PyTorch draws them by default; biases 0, unlike there. */
  static MultiLayerConfiguration withUniformWeights(MultiLayerConfiguration configuration) {
    configuration
        .getConfs()
        .forEach(conf -> ((BaseLayer) conf.getLayer()).setWeightInitFn(new WeightInitUniform()));
    return configuration;
  }

  /** The first examples, in which the classes take turns. */
  static DataSet first(DataSet data, int count) {
    int rows = Math.min(count, data.numExamples());
    return new DataSet(
        data.getFeatures().get(NDArrayIndex.interval(0, rows), NDArrayIndex.all()).dup('c'),
        data.getLabels().get(NDArrayIndex.interval(0, rows), NDArrayIndex.all()).dup('c'));
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<String> sentences = new ArrayList<>();
    List<Table> tables = new ArrayList<>();
    List<Picture> pictures = new ArrayList<>();
    for (Map.Entry<String, List<Descent>> task : Descent.byTask(Descent.of(results)).entrySet()) {
      String name = "cifar-" + task.getKey();
      String title = "CIFAR-10, 3072-200-200-10 tanh, " + task.getKey();
      tables.add(Descent.table(name, title, task.getValue(), rate -> "1 or just above"));
      pictures.add(Descent.picture(name, title, task.getValue()));
      Descent.byRate(task.getValue())
          .values()
          .forEach(runs -> sentences.add(Descent.sentence(task.getKey(), runs, TOLERANCE)));
    }
    return new Findings(sentences, tables, pictures);
  }
}
