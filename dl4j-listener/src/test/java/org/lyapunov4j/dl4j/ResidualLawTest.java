// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
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
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The law all constants have to satisfy: near an interpolating minimum the residual of real
 * Deeplearning4j training shrinks, or grows, as e^{λt}, so that ½ log(loss) has slope λ.
 */
class ResidualLawTest {
  private static final int EXAMPLES = 8;
  private static final int INPUTS = 10;
  private static final int HIDDEN = 30;

  /** The first layer learns so many times faster than the second. */
  record Law(
      LossFunction loss,
      int outputs,
      int batchSize,
      MiniBatchSampling sampling,
      double firstLayer,
      double stableRate,
      double unstableRate) {}

  static Stream<Law> laws() {
    return Stream.of(
        new Law(LossFunction.MSE, 1, 2, MiniBatchSampling.IID_SUBSETS, 1, 0.04, 0.12),
        new Law(LossFunction.MSE, 2, 2, MiniBatchSampling.SHUFFLED_EPOCHS, 1, 0.08, 0.24),
        new Law(LossFunction.MSE, 3, 1, MiniBatchSampling.IID_SUBSETS, 1, 0.06, 0.2),
        new Law(LossFunction.MSE, 3, 4, MiniBatchSampling.SHUFFLED_EPOCHS, 1, 0.15, 0.5),
        new Law(LossFunction.MSE, 2, 2, MiniBatchSampling.IID_SUBSETS, 2, 0.05, 0.2),
        new Law(LossFunction.L2, 2, 2, MiniBatchSampling.IID_SUBSETS, 1, 0.04, 0.12));
  }

  /**
   * From a loss of 1e-10 on, training goes on as it is: its residual has long found the slow
   * directions.
   */
  @ParameterizedTest
  @MethodSource("laws")
  void theResidualShrinksAndGrowsAtRateLambda(Law law) {
    Training training = new Training(law);
    while (training.loss() > 1e-10) {
      training.run(100);
    }
    LyapunovEstimate stable = training.lambda(Verdict.Kind.STABLE);
    int steps = wholeEpochs(15 / -stable.value());
    requireSlope(training.growth(steps) / steps, stable, steps);

    INDArray minimum = training.network.params().dup();
    training.network.setLearningRate(0, law.firstLayer() * law.unstableRate());
    training.network.setLearningRate(1, law.unstableRate());
    LyapunovEstimate unstable = training.lambda(Verdict.Kind.UNSTABLE);
    int runs = 32;
    steps = wholeEpochs(9 / unstable.value());
    double growth = 0;
    for (int run = 0; run < runs; run++) {
      training.network.setParams(Networks.nearby(minimum, 1e-12, new RandomStream(run)));
      training.run(wholeEpochs(7 / unstable.value()));
      growth += training.growth(steps);
    }
    requireSlope(growth / steps / runs, unstable, steps * runs);
  }

  /** A network whose inputs lie close together: one fast direction and some that hardly move. */
  record IllConditioned(
      int outputs, int batchSize, MiniBatchSampling sampling, double spread, double edgeRatio) {}

  static Stream<IllConditioned> illConditioned() {
    return Stream.of(
        new IllConditioned(1, 2, MiniBatchSampling.IID_SUBSETS, 0.08, 0.8),
        new IllConditioned(2, 4, MiniBatchSampling.SHUFFLED_EPOCHS, 0.08, 0.6));
  }

  /**
   * Where the slowest direction is 10⁴ times slower than the fastest, training from a displacement
   * along it goes on at λ within a few per cent. What the mini-batches stir up of the fast ones is
   * first let die out on a copy, by some full-batch steps.
   */
  @ParameterizedTest
  @MethodSource("illConditioned")
  void theSlowestDirectionShrinksAtRateLambda(IllConditioned test) {
    Training training =
        new Training(
            new Law(LossFunction.MSE, test.outputs(), test.batchSize(), test.sampling(), 1, 1, 1));
    MultiLayerNetwork network = training.network;
    INDArray features = training.data.getFeatures();
    INDArray offset = features.getRow(0).dup();
    features.muli(test.spread()).addiRowVector(offset);
    training.data.setLabels(network.output(features));
    INDArray minimum = network.params().dup();
    SgdStep unit = SgdStep.of(1, test.batchSize()).withSampling(test.sampling());
    GramMatrix gram = training.gram();
    StabilityAnalyzer analyzer = StabilityAnalyzer.builder().build();
    double critical = analyzer.analyze(gram, unit).criticalLearningRate().orElseThrow().value();
    double rate = test.edgeRatio() * critical;
    GramSpectrum spectrum = GramSpectrum.of(gram);
    assertThat(spectrum.conditionNumber().orElseThrow()).isGreaterThan(1e4);
    StabilityReport report = analyzer.analyze(gram, unit.withLearningRate(rate));
    assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.STABLE);
    LyapunovEstimate lambda = (LyapunovEstimate) report.exponent();

    network.setLearningRate(rate);
    double[] slowest = spectrum.eigenvector(spectrum.size() - spectrum.rank());
    network.fit(
        features,
        training.data.getLabels().add(Nd4j.createFromArray(slowest).reshape(EXAMPLES, -1)));
    INDArray displacement = network.params().sub(minimum);
    network.setParams(
        minimum.add(displacement.mul(1e-4 / displacement.norm2Number().doubleValue())));
    training.run(512);
    double before = training.quietLogResidual();
    int steps = wholeEpochs(1 / -lambda.value());
    training.run(steps);
    double slope = (training.quietLogResidual() - before) / steps;
    assertThat(slope).isCloseTo(lambda.value(), withinPercentage(5));
    assertThat(lambda.high() - lambda.low()).isLessThan(0.1 * -lambda.value());
  }

  private static int wholeEpochs(double steps) {
    return EXAMPLES * (int) Math.ceil(steps / EXAMPLES);
  }

  private static void requireSlope(double slope, LyapunovEstimate lambda, int steps) {
    double error = Math.hypot(Math.sqrt(lambda.variancePerStep() / steps), lambda.standardError());
    assertThat(4 * error).as("decisive").isLessThan(0.25 * Math.abs(lambda.value()));
    assertThat(slope).isCloseTo(lambda.value(), within(4 * error));
  }

  /** Deeplearning4j training on mini-batches that we draw. */
  private static final class Training {
    private final Law law;
    private final MultiLayerNetwork network;
    private final DataSet data;
    private final MiniBatchSampler sampler;
    private final int[] batch;

    Training(Law law) {
      this.law = law;
      network = network(law);
      data = Networks.data(21, EXAMPLES, INPUTS, law.outputs(), DataType.DOUBLE);
      sampler =
          new MiniBatchSampler(EXAMPLES, law.batchSize(), law.sampling(), new RandomStream(8));
      batch = new int[law.batchSize()];
    }

    double loss() {
      return network.score(data);
    }

    void run(int steps) {
      for (int t = 0; t < steps; t++) {
        int[] rows = Arrays.copyOf(batch, sampler.next(batch));
        network.fit(data.getFeatures().getRows(rows), data.getLabels().getRows(rows));
      }
    }

    /** Half the log of the loss after some full-batch steps of a copy. */
    double quietLogResidual() {
      INDArray here = network.params().dup();
      for (int t = 0; t < 64; t++) {
        network.fit(data);
      }
      double residual = 0.5 * Math.log(loss());
      network.setParams(here);
      return residual;
    }

    GramMatrix gram() {
      try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
        return ntk.compute(network.params()).gram();
      }
    }

    /** Log growth of the residual over so many steps. */
    double growth(int steps) {
      double before = loss();
      run(steps);
      return 0.5 * Math.log(loss() / before);
    }

    /**
     * λ of the network's own step at its parameters, by two ways that must agree on the verdict.
     */
    LyapunovEstimate lambda(Verdict.Kind expected) {
      StepReader reader = new StepReader(law.sampling());
      SgdStep step = reader.read(network, 0, 0, law.batchSize()).sgd();
      INDArray parameterWeights = reader.parameterWeights(network, 0, 0).orElse(null);
      try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
        GramMatrix gram = ntk.compute(network.params(), parameterWeights).gram();
        assertThat(StabilityAnalyzer.builder().build().analyze(gram, step).verdict().kind())
            .isEqualTo(expected);
        return (LyapunovEstimate)
            LyapunovEstimator.builder().seed(3).epochs(2048).build().estimate(gram, step);
      }
    }
  }

  private static MultiLayerNetwork network(Law law) {
    MultiLayerConfiguration configuration =
        Networks.configuration(new Sgd(law.stableRate()), DataType.DOUBLE)
            .list()
            .layer(
                new DenseLayer.Builder()
                    .nIn(INPUTS)
                    .nOut(HIDDEN)
                    .updater(new Sgd(law.firstLayer() * law.stableRate()))
                    .activation(Activation.TANH)
                    .build())
            .layer(
                new OutputLayer.Builder(law.loss())
                    .nIn(HIDDEN)
                    .nOut(law.outputs())
                    .activation(Activation.IDENTITY)
                    .build())
            .build();
    return Networks.initialise(configuration, 31);
  }
}
