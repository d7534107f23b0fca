// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.weights.WeightInitDistribution;
import org.lyapunov4j.dl4j.Schedule;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.NetworkRun.Plan;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Regression on a Chebyshev polynomial at 20 points by gradient descent, after J. Cohen, S. Kaur,
 * Y. Li, J. Z. Kolter, A. Talwalkar, <i>Gradient Descent on Neural Networks Typically Occurs at the
 * Edge of Stability</i>, ICLR 2021. Learning rates and sharpness are those of ½·mean of squares,
 * half of Deeplearning4j's loss. Beside it a deeper, narrower network with a rate that is too small
 * to get to the edge and one that is too large to stay there.
 */
final class Chebyshev implements Experiment {
  private static final int POINTS = 20;
  private static final int STEPS = 20_000;
  private static final int CHECKPOINTS = 200;
  private static final double LOSS_FACTOR = 0.5;
  private static final String WIDE = "1-100-1";
  private static final String DEEP = "1-30-20-1";

  /** How near 2/η the late sharpness must be to count. */
  private static final double TOLERANCE = 0.07;

  private static final List<Double> RATES = List.of(0.4, 0.2, 0.1);

  /** What two other implementations find from one draw of the initial weights. */
  private static final Map<Double, String> CONTROLS =
      Map.of(0.5495, "diverges", 0.2, "1", 0.04898, "0.71");

  private static final DataSource CONTROL_DATA = DataSource.parse("chebyshev:6");

  @Override
  public String name() {
    return "chebyshev";
  }

  @Override
  public String question() {
    return "Does sharpness rise to 2/η and stay? Chebyshev regression (Cohen et al. 2021)";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.data().orElse(DataSource.parse("chebyshev:4"));
    Input.require(
        source instanceof DataSource.Chebyshev,
        "--data must be chebyshev[:DEGREE] in this experiment, got %s",
        source);
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      for (double rate : RATES) {
        runs.add(run(source, rate, wide(rate, seed), WIDE, seed, settings));
      }
      for (double rate : CONTROLS.keySet().stream().sorted().toList()) {
        runs.add(run(CONTROL_DATA, rate, deep(rate, seed), DEEP, seed, settings));
      }
    }
    return runs;
  }

  private static Run run(
      DataSource source,
      double rate,
      MultiLayerConfiguration configuration,
      String widths,
      int seed,
      Settings settings)
      throws IOException {
    DataSet data =
        source
            .load(POINTS, Targets.SCALAR, new RandomStream(seed).split(Seeds.EXAMPLES))
            .toDataSet(DataType.DOUBLE);
    int steps = settings.steps(STEPS);
    return new NetworkRun(
        String.format(Locale.ROOT, "%s-eta%s-seed%d", widths, rate, seed),
        Descent.labels(widths + " on " + source, rate, LOSS_FACTOR, seed),
        configuration,
        data,
        data,
        new Plan(
            SgdStep.of(rate * LOSS_FACTOR, POINTS),
            steps,
            Tier.ECONOMY,
            Schedule.everyIterations(Math.max(1, steps / CHECKPOINTS)),
            0,
            true,
            0,
            seed));
  }

  /** 1-100-1, a bias in the first layer only, Xavier's rule with gains 1.9 and 1. */
  private static MultiLayerConfiguration wide(double rate, int seed) {
    MultiLayerConfiguration configuration = tanh(List.of(100), rate, seed);
    double[] gains = {1.9, 1};
    for (int i = 0; i < gains.length; i++) {
      FeedForwardLayer layer = (FeedForwardLayer) configuration.getConf(i).getLayer();
      setDeviation(layer, gains[i] * Math.sqrt(2.0 / (layer.getNIn() + layer.getNOut())));
    }
    ((BaseOutputLayer) configuration.getConf(1).getLayer()).setHasBias(false);
    return configuration;
  }

  /** 1-30-20-1 with weights of variance 1/inputs. */
  private static MultiLayerConfiguration deep(double rate, int seed) {
    MultiLayerConfiguration configuration = tanh(List.of(30, 20), rate, seed);
    for (int i = 0; i < 3; i++) {
      FeedForwardLayer layer = (FeedForwardLayer) configuration.getConf(i).getLayer();
      setDeviation(layer, Math.sqrt(1.0 / layer.getNIn()));
    }
    return configuration;
  }

  private static MultiLayerConfiguration tanh(List<Integer> hidden, double rate, int seed) {
    return new DenseNetwork(hidden, Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
        .configuration(1, 1, new Sgd(rate * LOSS_FACTOR), seed);
  }

  private static void setDeviation(FeedForwardLayer layer, double deviation) {
    layer.setWeightInitFn(new WeightInitDistribution(new NormalDistribution(0, deviation)));
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<String> sentences = new ArrayList<>();
    List<Table> tables = new ArrayList<>();
    List<Picture> pictures = new ArrayList<>();
    Map<String, List<Descent>> tasks = Descent.byTask(Descent.of(results));
    tasks.forEach(
        (task, runs) -> {
          boolean control = task.startsWith(DEEP);
          String name = control ? "chebyshev-control" : "chebyshev";
          tables.add(Descent.table(name, task, runs, control ? CONTROLS::get : rate -> "1"));
          pictures.add(Descent.picture(name, task, runs));
          Descent.byRate(runs)
              .values()
              .forEach(some -> sentences.add(Descent.sentence(task, some, TOLERANCE)));
        });
    return new Findings(sentences, tables, pictures);
  }
}
