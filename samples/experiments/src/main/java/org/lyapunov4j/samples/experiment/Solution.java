// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.samples.train.MiniBatches;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A network that is trained to a loss, analysed there with its training set as probe, and tested on
 * other examples.
 *
 * @param source of the examples
 * @param train learned; the probe
 * @param test never seen
 * @param rate η
 * @param batchSize B
 * @param seed of split, initial weights, mini-batches and estimates
 * @param enough mean loss of the training set at which training ends
 * @param mostSteps after which it ends above that loss
 */
record Solution(
    String source,
    DataSet train,
    DataSet test,
    double rate,
    int batchSize,
    long seed,
    double enough,
    int mostSteps)
    implements Run {
  /** Steps between two looks at the loss of the training set. */
  private static final int LOOK = 10;

  @Override
  public String id() {
    return setting().id(seed);
  }

  private RateAndBatch setting() {
    return new RateAndBatch(rate, batchSize);
  }

  @Override
  public Map<String, String> settings() {
    Map<String, String> settings = setting().settings(seed);
    settings.put("data", source);
    settings.put("training examples", String.valueOf(train.numExamples()));
    settings.put("test examples", String.valueOf(test.numExamples()));
    settings.put("loss at the end", String.valueOf(enough));
    settings.put("most steps", String.valueOf(mostSteps));
    settings.put("exponent", CheckpointSeries.EXPONENT);
    return settings;
  }

  @Override
  public Measurements execute(Path record, Path state, BooleanSupplier stop) {
    MultiLayerNetwork network =
        DenseNetwork.initialised(
            new DenseNetwork(List.of(64, 64), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
                .configuration(
                    (int) train.getFeatures().size(1),
                    (int) train.getLabels().size(1),
                    new Sgd(rate),
                    seed));
    Map<String, Double> values = new TreeMap<>();
    int steps = train(network, stop);
    double loss = network.score(train);
    values.put("steps", (double) steps);
    values.put("loss", loss);
    values.put("diverged", Double.isFinite(loss) ? 0.0 : 1.0);
    values.put("reached", loss <= enough ? 1.0 : 0.0);
    if (Double.isFinite(loss) && !stop.getAsBoolean()) {
      analyse(network, values);
      values.put("testLoss", network.score(test));
      values.put("accuracy", accuracy(network, test));
      values.put("trainAccuracy", accuracy(network, train));
    }
    return new Measurements(values, Map.of());
  }

  /** Until the loss is small enough, or not finite; returns the number of steps. */
  private int train(MultiLayerNetwork network, BooleanSupplier stop) {
    MiniBatches batches =
        new MiniBatches(
            train, SgdStep.of(rate, batchSize), new RandomStream(seed).split(Seeds.BATCHES));
    for (int t = 1; t <= mostSteps; t++) {
      network.fit(batches.next());
      if (t % LOOK == 0) {
        double loss = network.score(train);
        if (!(loss > enough) || !Double.isFinite(loss) || stop.getAsBoolean()) {
          return t;
        }
      }
    }
    return mostSteps;
  }

  private void analyse(MultiLayerNetwork network, Map<String, Double> values) {
    AnalysisSettings settings =
        AnalysisSettings.standard()
            .withSeed(seed)
            .withBatchSize(batchSize)
            .withComparison(SizeComparison.NONE);
    StabilityReport report = StabilityAnalysis.of(network, train, settings).run().stability();
    values.put("sharpness", report.sharpness());
    values.put("edgeRatio", report.edgeRatio().orElse(Double.NaN));
    values.put("meanSquareEdgeRatio", report.meanSquareEdgeRatio().orElse(Double.NaN));
    values.put("lambda", report.exponent().point().orElse(Double.NaN));
    values.put("lambdaSign", CheckpointSeries.sign(report.exponent()));
  }

  private static double accuracy(MultiLayerNetwork network, DataSet examples) {
    Evaluation evaluation = new Evaluation((int) examples.getLabels().size(1));
    evaluation.eval(examples.getLabels(), network.output(examples.getFeatures()));
    return evaluation.accuracy();
  }
}
