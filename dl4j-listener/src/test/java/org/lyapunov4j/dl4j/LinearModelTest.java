// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.AMSGradUpdater;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * On a linear model the linearised step is the step, everywhere. So the difference of two
 * Deeplearning4j runs on the same mini-batches grows at rate λ, whatever the regularisation, and
 * full-batch training diverges exactly beyond an edge ratio of 1.
 */
class LinearModelTest {
  private static final int EXAMPLES = 16;
  private static final int INPUTS = 40;

  /** Late enough for the bias corrections of averages to be over. */
  private static final int ITERATION = 10_000;

  @ParameterizedTest
  @CsvSource({
    "0.5, 0, MSE, 1", "0.05, 0, L2, 3", "0.005, 0, MSE, 3",
    "0.5, 0.9, MSE, 1", "0.05, 0.9, L2, 3", "0.005, 0.9, MSE, 3"
  })
  void fullBatchTrainingDivergesBeyondAnEdgeRatioOfOne(
      double rate, double momentum, LossFunction loss, int outputs) {
    for (double ratio : new double[] {0.99, 1.01}) {
      IUpdater updater = momentum == 0 ? new Sgd(rate) : new Nesterovs(rate, momentum);
      NeuralNetConfiguration.Builder builder = Networks.configuration(updater, DataType.DOUBLE);
      MultiLayerNetwork network = linear(builder, loss, outputs);
      DataSet data = Networks.data(3, EXAMPLES, INPUTS, outputs, DataType.DOUBLE);
      double unscaled = report(network, data, EXAMPLES).classicEdgeRatio();
      data.getFeatures().muli(Math.sqrt(ratio / unscaled));
      StabilityReport report = report(network, data, EXAMPLES);
      assertThat(report.classicEdgeRatio()).isCloseTo(ratio, within(1e-9));
      assertThat(report.gdExponent().sign()).isEqualTo(ratio > 1 ? Sign.POSITIVE : Sign.NEGATIVE);

      // After the transient, the step sizes shrink or grow along the leading direction.
      double early = lengthOfStep(network, data, 500);
      double late = lengthOfStep(network, data, 500);
      assertThat(late > early).as("diverges at %s", ratio).isEqualTo(ratio > 1);
    }
  }

  /**
   * Adam with squares of gradients that stay: β₂ so near to 1 that a run moves them by 10⁻⁶, in the
   * 1.5·10⁹th iteration, where the bias corrections are finite. It is also heavy ball, at rate (1 −
   * β₁)η.
   */
  @ParameterizedTest
  @CsvSource({"0.5, MSE, 1", "0.05, L2, 3", "0.005, MSE, 3"})
  void frozenAdamDivergesBeyondAPreconditionedEdgeRatioOfOne(
      double rate, LossFunction loss, int outputs) {
    for (double ratio : new double[] {0.99, 1.01}) {
      MultiLayerNetwork network = linear(with(new Adam(rate, 0.9, 1 - 1e-9, 1e-8)), loss, outputs);
      network.setIterationCount(1_500_000_000);
      fillState(network);
      DataSet data = Networks.data(3, EXAMPLES, INPUTS, outputs, DataType.DOUBLE);
      double unscaled = report(network, data, EXAMPLES).classicEdgeRatio();
      data.getFeatures().muli(Math.sqrt(ratio / unscaled));
      StabilityReport report = report(network, data, EXAMPLES);
      assertThat(report.classicEdgeRatio()).isCloseTo(ratio, within(1e-9));
      assertThat(FullBatchExponent.criticalCurvature(report.step()))
          .isCloseTo(38 / rate, within(1e-9 * 38 / rate));
      assertThat(report.gdExponent().sign()).isEqualTo(ratio > 1 ? Sign.POSITIVE : Sign.NEGATIVE);

      // From close to the minimum, so that the squares stay as they are while the steps grow.
      data.setLabels(network.output(data.getFeatures()));
      network.setParams(Networks.nearby(network.params(), 1e-9, new RandomStream(4)));
      double early = lengthOfStep(network, data, 40);
      double late = lengthOfStep(network, data, 40);
      assertThat(late > early).as("diverges at %s", ratio).isEqualTo(ratio > 1);
    }
  }

  /** Squares of gradients, for AMSGrad the largest so far, from 0.25 to 4; all else 0. */
  private static void fillState(MultiLayerNetwork network) {
    var updater = (BaseMultiLayerUpdater<?>) network.getUpdater();
    for (UpdaterBlock block : updater.getUpdaterBlocks()) {
      GradientUpdater<?> inner = block.getGradientUpdater();
      inner.getState().values().forEach(state -> state.assign(0));
      RandomStream random = new RandomStream(12);
      INDArray squares = inner.getState().get(inner instanceof AMSGradUpdater ? "V_HAT" : "V");
      for (long p = 0; p < squares.length(); p++) {
        squares.putScalar(p, Math.pow(4, 2 * random.nextDouble() - 1));
      }
    }
  }

  record Law(
      String name,
      int batchSize,
      MiniBatchSampling sampling,
      LossFunction loss,
      int outputs,
      NeuralNetConfiguration.Builder configuration) {
    @Override
    public String toString() {
      return name + ", B = " + batchSize + ", K = " + outputs + ", " + loss + ", " + sampling.id();
    }
  }

  static Stream<Law> laws() {
    return Stream.of(MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.SHUFFLED_EPOCHS)
        .flatMap(LinearModelTest::laws);
  }

  /** B = 5 leaves one example over at the end of an epoch. */
  private static Stream<Law> laws(MiniBatchSampling sampling) {
    return Stream.of(
        new Law("plain", 1, sampling, LossFunction.MSE, 1, with(new Sgd(0.01))),
        new Law("plain", 5, sampling, LossFunction.L2, 3, with(new Sgd(0.04))),
        new Law("plain", 8, sampling, LossFunction.MSE, 3, with(new Sgd(0.14))),
        new Law("l2", 4, sampling, LossFunction.MSE, 1, with(new Sgd(0.04)).l2(0.2)),
        new Law("decay", 4, sampling, LossFunction.L2, 3, with(new Sgd(0.03)).weightDecay(0.1)),
        new Law("momentum", 4, sampling, LossFunction.MSE, 1, with(new Nesterovs(0.01, 0.8))),
        new Law(
            "bias rate",
            4,
            sampling,
            LossFunction.MSE,
            3,
            with(new Sgd(0.1)).biasUpdater(new Sgd(0.6))),
        new Law(
            "AMSGrad", 4, sampling, LossFunction.MSE, 1, with(new AMSGrad(0.03, 0.8, 0.9, 0.1))),
        new Law("sums", 4, sampling, LossFunction.MSE, 3, with(new Sgd(0.03)).miniBatch(false)));
  }

  @ParameterizedTest
  @MethodSource("laws")
  void theDifferenceOfTwoRunsGrowsAtRateLambda(Law law) {
    DataSet data = Networks.data(21, EXAMPLES, INPUTS, law.outputs(), DataType.DOUBLE);
    MultiLayerNetwork network =
        linear(law.configuration(), law.loss(), law.outputs(), law.name().startsWith("bias"));
    network.setIterationCount(ITERATION);
    double distance = 100; // rounding stays small beside the difference to its end
    if (law.name().equals("AMSGrad")) {
      // From close to 0 with labels 0: squares of small gradients do not reach the largest ones so
      // far, which therefore stay, and rounding shrinks with the difference.
      fillState(network);
      network.setParams(network.params().mul(0));
      data.setLabels(network.output(data.getFeatures()));
      distance = 1e-4;
    }
    SgdStep step = read(network, law.sampling(), law.batchSize());
    LyapunovEstimate lambda =
        (LyapunovEstimate)
            LyapunovEstimator.builder()
                .seed(3)
                .epochs(1024)
                .build()
                .estimate(gram(network, data), step);
    int steps = EXAMPLES * (int) Math.ceil(18 / Math.abs(lambda.value()) / EXAMPLES);
    double slope = growth(network, data, law, distance, steps) / steps;
    double error = Math.hypot(Math.sqrt(lambda.variancePerStep() / steps), lambda.standardError());
    assertThat(4 * error).as("decisive").isLessThan(0.25 * Math.abs(lambda.value()));
    assertThat(slope).isCloseTo(lambda.value(), within(4 * error));
  }

  /**
   * By default biases do not decay. Then outputs creep towards their limit along directions in
   * which weights and biases make up for each other, at 0.6 ηc per step here, a thousand times more
   * slowly than all directions would go if all parameters decayed alike.
   */
  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 1e-2})
  void outputsCreepAtARateWithinTheBoundsWhereBiasesDoNotDecay(double l2) {
    int examples = 6;
    DataSet data = Networks.data(5, examples, 10, 1, DataType.DOUBLE);
    MultiLayerNetwork network =
        Networks.initialise(
            with(new Sgd(0.1))
                .l2(l2)
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(10)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build(),
            4);
    StabilityReport report = report(network, data, examples);
    assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.STABLE);
    double slope = creep(network, data);
    for (LyapunovExponent exponent : List.of(report.exponent(), report.gdExponent())) {
      assertThat(exponent.point()).isEmpty();
      assertThat(exponent.high()).isZero();
      assertThat(slope).isBetween(exponent.low(), exponent.high());
    }
    assertThat(slope).as("of ηc").isBetween(-0.7 * 0.1 * l2, -0.6 * 0.1 * l2);
  }

  /** The rate at which outputs approach their limit, after the fast directions have died out. */
  private static double creep(MultiLayerNetwork network, DataSet data) {
    int window = 2000;
    INDArray[] outputs = new INDArray[3];
    for (int k = 0; k < 3; k++) {
      for (int t = 0; t < window; t++) {
        network.fit(data);
      }
      outputs[k] = network.output(data.getFeatures()).dup();
    }
    double before = outputs[1].distance2(outputs[0]);
    double after = outputs[2].distance2(outputs[1]);
    return Math.log(after / before) / window;
  }

  /**
   * Log growth, after three quarters as many steps of burn-in, of the difference of two runs that
   * start apart.
   */
  private static double growth(
      MultiLayerNetwork network, DataSet data, Law law, double distance, int steps) {
    MultiLayerNetwork other = network.clone();
    other.setParams(Networks.nearby(network.params(), distance, new RandomStream(5)));
    MiniBatchSampler sampler =
        new MiniBatchSampler(EXAMPLES, law.batchSize(), law.sampling(), new RandomStream(8));
    int[] batch = new int[law.batchSize()];
    double before = 0;
    int burnIn = steps * 3 / 4 / EXAMPLES * EXAMPLES;
    for (int t = 0; t < burnIn + steps; t++) {
      if (t == burnIn) {
        before = distance(network, other, data);
      }
      int[] rows = Arrays.copyOf(batch, sampler.next(batch));
      INDArray features = data.getFeatures().getRows(rows);
      INDArray labels = data.getLabels().getRows(rows);
      network.fit(features, labels);
      other.fit(features, labels);
    }
    return Math.log(distance(network, other, data) / before);
  }

  private static double distance(MultiLayerNetwork one, MultiLayerNetwork other, DataSet data) {
    return one.output(data.getFeatures())
        .sub(other.output(data.getFeatures()))
        .norm2Number()
        .doubleValue();
  }

  private static double lengthOfStep(MultiLayerNetwork network, DataSet data, int steps) {
    for (int t = 1; t < steps; t++) {
      network.fit(data);
    }
    INDArray before = network.params().dup();
    network.fit(data);
    return before.subi(network.params()).norm2Number().doubleValue();
  }

  private static NeuralNetConfiguration.Builder with(IUpdater updater) {
    return Networks.configuration(updater, DataType.DOUBLE);
  }

  private static MultiLayerNetwork linear(
      NeuralNetConfiguration.Builder builder, LossFunction loss, int outputs) {
    return linear(builder, loss, outputs, false);
  }

  private static MultiLayerNetwork linear(
      NeuralNetConfiguration.Builder builder, LossFunction loss, int outputs, boolean bias) {
    return Networks.initialise(
        builder
            .list()
            .layer(
                new OutputLayer.Builder(loss)
                    .nIn(INPUTS)
                    .nOut(outputs)
                    .hasBias(bias)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        4);
  }

  private static StabilityReport report(MultiLayerNetwork network, DataSet data, int batchSize) {
    SgdStep step = read(network, MiniBatchSampling.IID_SUBSETS, batchSize);
    return StabilityAnalyzer.builder().build().analyze(gram(network, data), step);
  }

  private static SgdStep read(
      MultiLayerNetwork network, MiniBatchSampling sampling, int batchSize) {
    return new StepReader(sampling).read(network, network.getIterationCount(), 0, batchSize).sgd();
  }

  private static GramMatrix gram(MultiLayerNetwork network, DataSet data) {
    INDArray parameterWeights =
        new StepReader(MiniBatchSampling.IID_SUBSETS)
            .parameterWeights(network, network.getIterationCount(), 0)
            .orElse(null);
    try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
      return ntk.compute(network.params(), parameterWeights).gram();
    }
  }
}
