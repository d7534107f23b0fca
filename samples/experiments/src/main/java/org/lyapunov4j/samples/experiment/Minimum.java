// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInitDistribution;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.gram.HessianSharpness;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.samples.train.MiniBatches;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.Enclosure;
import org.lyapunov4j.stability.MeanSquareReport;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.RampSchedule;

/**
 * A rectifier network that is trained until its loss stays small, at a learning rate that rises
 * linearly to its final value, and then analysed with its training set as probe and the step that
 * was taken last.
 *
 * @param source of the examples
 * @param examples learned; the probe
 * @param rate η, the final one
 * @param batchSize B
 * @param seed of initial weights, mini-batches and estimates
 * @param plan the rest
 */
record Minimum(String source, DataSet examples, double rate, int batchSize, long seed, Plan plan)
    implements Run {
  /** Near kinks the products of the Hessian are right to this. */
  private static final double HESSIAN_TOLERANCE = 1e-4;

  private static final int HESSIAN_PRODUCTS = 60;

  private static final String CALM = "calm";

  /**
   * How the network is drawn and when training ends.
   *
   * @param hidden width of the hidden layer
   * @param gain standard deviation of the initial weights over √(2/inputs)
   * @param warmUp steps until the learning rate is the final one
   * @param enough mean loss that counts as small
   * @param epochs in a row after which a loss that was small at the end of each ends training; not
   *     counted before the final learning rate
   * @param mostSteps after which training ends anyhow
   */
  record Plan(int hidden, double gain, int warmUp, double enough, int epochs, int mostSteps) {}

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
    settings.put("training examples", String.valueOf(examples.numExamples()));
    settings.put("plan", plan.toString());
    settings.put("exponent", CheckpointSeries.EXPONENT);
    return settings;
  }

  @Override
  public Measurements execute(Path record, Path state, BooleanSupplier stop) throws IOException {
    MultiLayerNetwork network = DenseNetwork.initialised(configuration());
    Map<String, Double> values = new TreeMap<>();
    Training training = new Training(network);
    RunState.read(state, settings(), network).ifPresent(training::resume);
    training.run(state, stop);
    double loss = network.score(examples);
    values.put("steps", (double) training.steps);
    values.put("loss", loss);
    values.put("diverged", Double.isFinite(loss) ? 0.0 : 1.0);
    values.put("reached", training.isOver() ? 1.0 : 0.0);
    if (Double.isFinite(loss) && !stop.getAsBoolean()) {
      values.put("sharpnessAtTheStart", sharpnessAtTheStart());
      analyse(network, values);
    }
    return new Measurements(values, Map.of());
  }

  private MultiLayerConfiguration configuration() {
    MultiLayerConfiguration configuration =
        new DenseNetwork(List.of(plan.hidden()), Activation.RELU, LossFunction.MSE, DataType.DOUBLE)
            .configuration(
                (int) examples.getFeatures().size(1),
                (int) examples.getLabels().size(1),
                new Sgd(new RampSchedule(new FixedSchedule(rate), plan.warmUp())),
                seed);
    for (NeuralNetConfiguration conf : configuration.getConfs()) {
      FeedForwardLayer layer = (FeedForwardLayer) conf.getLayer();
      double deviation = plan.gain() * Math.sqrt(2.0 / layer.getNIn());
      layer.setWeightInitFn(new WeightInitDistribution(new NormalDistribution(0, deviation)));
    }
    return configuration;
  }

  /** Steps until the loss has stayed small, is not finite, or there have been enough. */
  private final class Training {
    private final MultiLayerNetwork network;
    private final MiniBatches batches;
    private int steps;

    /** Epochs in a row at whose ends the loss was small. */
    private int calm;

    Training(MultiLayerNetwork network) {
      this.network = network;
      batches =
          new MiniBatches(
              examples, SgdStep.of(rate, batchSize), new RandomStream(seed).split(Seeds.BATCHES));
    }

    void resume(RunState before) {
      steps = before.position().iterations();
      calm = before.position().curves().get(CALM).get(0).intValue();
      batches.skip(steps);
    }

    void run(Path state, BooleanSupplier stop) throws IOException {
      int epoch = MiniBatchSampler.stepsPerEpoch(examples.numExamples(), batchSize);
      Pause pause = new Pause();
      while (!isOver() && steps < plan.mostSteps()) {
        if (stop.getAsBoolean()) {
          keep(state);
          return;
        }
        network.fit(batches.next());
        steps++;
        if (steps % epoch == 0) {
          double loss = network.score(examples);
          if (!Double.isFinite(loss)) {
            return;
          }
          calm = steps >= plan.warmUp() && loss < plan.enough() ? calm + 1 : 0;
        }
        if (pause.isOver()) {
          keep(state);
        }
      }
    }

    private void keep(Path state) throws IOException {
      Map<String, List<Double>> curves = Map.of(CALM, List.of((double) calm));
      RunState.withoutRecord(network, settings(), steps, curves).write(state);
    }

    boolean isOver() {
      return calm >= plan.epochs();
    }
  }

  private double sharpnessAtTheStart() {
    return LargestEigenpair.of(gram(DenseNetwork.initialised(configuration()))).value()
        / examples.numExamples();
  }

  private GramMatrix gram(MultiLayerNetwork network) {
    return StabilityAnalysis.of(network, examples).gram().gram();
  }

  private void analyse(MultiLayerNetwork network, Map<String, Double> values) {
    GramMatrix gram = gram(network);
    MomentBounds bounds = MomentBounds.of(gram, batchSize);
    values.put("sharpness", bounds.sharpness());
    values.put("alongTop", bounds.alongTop());
    values.put("bestBound", bounds.best());
    StabilityReport report =
        StabilityAnalyzer.builder().seed(seed).build().analyze(gram, SgdStep.of(rate, batchSize));
    Enclosure meanSquare =
        report.meanSquare().map(MeanSquareReport::criticalLearningRate).orElseThrow();
    values.put("meanSquareRate", meanSquare.value());
    values.put("meanSquareRateLow", meanSquare.low());
    values.put("meanSquareRateHigh", meanSquare.high());
    CriticalLearningRate edge = report.criticalLearningRate().orElseThrow();
    values.put("criticalRate", edge.value());
    values.put("criticalRateLow", edge.low());
    values.put("criticalRateHigh", edge.high());
    values.put("lambda", report.exponent().point().orElse(Double.NaN));
    values.put("lambdaLow", report.exponent().low());
    values.put("lambdaHigh", report.exponent().high());
    values.put("lambdaSign", CheckpointSeries.sign(report.exponent()));
    try (HessianSharpness hessian = HessianSharpness.of(network, examples.toMultiDataSet())) {
      values.put(
          "hessian",
          hessian
              .largest(network.params(), 1, HESSIAN_TOLERANCE, HESSIAN_PRODUCTS)
              .eigenvalues()
              .get(0));
    }
  }
}
