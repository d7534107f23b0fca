// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.hipparchus.linear.EigenDecompositionNonSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.RmsProp;

/** l2 inside the gradient of an adaptive updater, against Deeplearning4j's own steps. */
class PreconditionedDecayTest {
  private static final int EXAMPLES = 6;
  private static final StepReader READER = new StepReader(MiniBatchSampling.IID_SUBSETS);

  private final DataSet data = Networks.data(9, EXAMPLES, 3, 2, DataType.DOUBLE);

  /** With squares of gradients between 1/4 and 4 and labels that are the outputs. */
  private MultiLayerNetwork network(IUpdater updater, double l2) {
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(updater, DataType.DOUBLE).l2(l2), 3, 4, 2);
    INDArray before = network.params().dup();
    network.fit(data); // makes the updater's state
    network.setParams(before);
    data.setLabels(network.output(data.getFeatures()).dup());
    var state = (BaseMultiLayerUpdater<?>) network.getUpdater();
    RandomStream random = new RandomStream(12);
    for (UpdaterBlock block : state.getUpdaterBlocks()) {
      GradientUpdater<?> inner = block.getGradientUpdater();
      inner.getState().values().forEach(array -> array.assign(0));
      for (INDArray array : inner.getState().values()) {
        for (long p = 0; p < array.length(); p++) {
          array.putScalar(p, Math.pow(4, 2 * random.nextDouble() - 1));
        }
      }
      if (inner.getState().containsKey("M")) {
        inner.getState().get("M").assign(0);
      }
    }
    network.setIterationCount(0);
    return network;
  }

  /** Where squares of gradients do not move at all, the step is linear as said. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 1e-1})
  void isTheStepOfTrainingWherePreconditionersStandStill(double l2) {
    MultiLayerNetwork network = network(new RmsProp(0.05, 1, 1e-8), l2);
    requireStep(network, 1e-8);
  }

  /** Where they move, the difference is that of the preconditioner alone. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 1e-1})
  void isNearTheStepOfTrainingWherePreconditionersMove(double l2) {
    // 1/√0.95 − 1: without gradients the mean square shrinks in a step, P is that before
    requireStep(network(new RmsProp(0.05, 0.95, 1e-8), l2), 0.03);
    requireStep(network(new AdaGrad(0.05), l2), 0.3);
  }

  private void requireStep(MultiLayerNetwork network, double tolerance) {
    for (DataSet batch : List.of(data, data.batchBy(1).get(2))) {
      TrainingStep step = READER.read(network, 0, 0, batch.numExamples());
      double[][] predicted =
          FitDerivative.predicted(
              network,
              batch,
              step.sgd(),
              READER.parameterWeights(network, 0, 0),
              READER.decays(network, 0, 0, batch.numExamples()));
      double[][] truth = new FitDerivative(network, 0).of(batch);
      assertThat(FitDerivative.distance(predicted, truth)).isLessThan(tolerance);
    }
  }

  /** The full-batch edge of Deeplearning4j's own steps, to first order in l2. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 1e-2, 1e-1})
  void theEdgeIsThatOfTraining(double l2) {
    RmsProp updater = new RmsProp(0.05, 1, 1e-8);
    MultiLayerNetwork network = network(updater, l2);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    StabilityReport report = checkpoint.stability();
    double[][] step = new FitDerivative(network, 0).of(data);
    int p = step.length;
    double[][] curvature = new double[p][p];
    for (int i = 0; i < p; i++) {
      for (int j = 0; j < p; j++) {
        curvature[i][j] = ((i == j ? 1 : 0) - step[i][j]) / 0.05;
      }
    }
    double largest =
        Stream.of(
                new EigenDecompositionNonSymmetric(MatrixUtils.createRealMatrix(curvature))
                    .getEigenvalues())
            .mapToDouble(value -> value.getReal())
            .max()
            .orElseThrow();
    double error = Math.abs(report.criticalLearningRate().orElseThrow().value() * largest / 2 - 1);
    double leftOut = Math.abs(2 / report.sharpness() * largest / 2 - 1);
    assertThat(error).isLessThan(0.1 * leftOut + 1e-8);
    assertThat(error).isLessThan(3e-2 * l2 + 1e-8);
  }

  @Test
  void saysSoAndBoundsWhatItCannotResolve() {
    MultiLayerNetwork network = network(new Adam(0.001), 1e-3);
    for (int batch : new int[] {1, EXAMPLES}) {
      Checkpoint checkpoint =
          StabilityAnalysis.of(
                  network,
                  data,
                  AnalysisSettings.standard()
                      .withSeed(0)
                      .withBatchSize(batch)
                      .withAnalyzer(analyzer -> analyzer.maxEpochs(64)))
              .run();
      assertThat(checkpoint.level()).isInstanceOf(Level.Approximate.class);
      assertThat(checkpoint.step().toString())
          .startsWith("APPROXIMATE")
          .contains("l2 inside the gradient of Adam", "it shifts the edge ratio by");
      StabilityReport report = checkpoint.stability();
      assertThat(report.edgeRatio()).isPresent();
      assertThat(report.exponent()).isInstanceOf(ExponentBound.class);
      assertThat(report.exponent().sign()).isEqualTo(Sign.NEGATIVE);
      assertThat(report.exponent().high()).isZero();
      assertThat(report.step().l2()).isPositive();
      assertThat(report.step().fastestL2()).isGreaterThan(report.step().l2());
    }
  }

  /** Below the edge training contracts at a rate within the bounds. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 1e-2})
  void theBoundsHoldForDeeplearning4jsOwnStep(double l2) {
    MultiLayerNetwork network = network(new RmsProp(0.05, 1, 1e-8), l2);
    StabilityReport report =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run()
            .stability();
    double[][] step = new FitDerivative(network, 0).of(data);
    double slowest =
        Stream.of(
                new EigenDecompositionNonSymmetric(MatrixUtils.createRealMatrix(step))
                    .getEigenvalues())
            .mapToDouble(value -> Math.log(value.norm()))
            .filter(exponent -> exponent < -1e-9)
            .max()
            .orElseThrow();
    assertThat(report.exponent().low()).isLessThanOrEqualTo(slowest);
    assertThat(report.exponent().high()).isGreaterThanOrEqualTo(slowest);
  }

  @Test
  void withoutL2NothingChanges() {
    MultiLayerNetwork network = network(new AdaDelta(), 0);
    assertThat(READER.decays(network, 0, 0, 1)).isEmpty();
    Optional<INDArray> parameterWeights = READER.parameterWeights(network, 0, 0);
    assertThat(parameterWeights).isPresent();
    assertThat(READER.read(network, 0, 0, 1).sgd().l2()).isZero();
  }

  /** A parameter whose own decay is larger than all curvature is counted, not believed. */
  @Test
  void parametersThatL2AloneMovesAreCounted() {
    MultiLayerNetwork network = network(new RmsProp(0.05, 1, 1e-8), 1e-2);
    var state = (BaseMultiLayerUpdater<?>) network.getUpdater();
    GradientUpdater<?> first = state.getUpdaterBlocks().get(0).getGradientUpdater();
    INDArray squares = first.getState().get("G");
    squares.putScalar(0, 1e-16);
    squares.putScalar(3, 1e-16);
    data.getFeatures().getColumn(0).assign(0); // weights 0 and 3 are of this input
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    assertThat(checkpoint.step().remarks())
        .anyMatch(remark -> remark.contains("2 of 20 parameters are moved by l2 alone"));
    assertThat(checkpoint.stability().step().fastestL2()).isLessThan(0.1);
  }
}
