// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.hipparchus.linear.EigenDecompositionNonSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Truncated backpropagation through time against Deeplearning4j's own fit. */
class SegmentsTest {
  private static final int SERIES = 3;
  private static final int STEPS = 12;

  private static MultiLayerNetwork network(double rate, BackpropType type, int length) {
    return Networks.initialise(
        Networks.configuration(new Sgd(rate), DataType.DOUBLE)
            .list()
            .layer(new SimpleRnn.Builder().nIn(2).nOut(3).activation(Activation.TANH).build())
            .layer(
                new RnnOutputLayer.Builder(LossFunction.MSE)
                    .nIn(3)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .dataFormat(RNNFormat.NCW)
                    .build())
            .backpropType(type)
            .tBPTTLength(length)
            .build(),
        17);
  }

  /** With outputs of the network, in one piece, for labels. */
  private static DataSet data(MultiLayerNetwork network) {
    RandomStream random = new RandomStream(6);
    INDArray features = Nd4j.create(DataType.DOUBLE, SERIES, 2, STEPS);
    for (int i = 0; i < SERIES; i++) {
      for (int c = 0; c < 2; c++) {
        for (int t = 0; t < STEPS; t++) {
          features.putScalar(new int[] {i, c, t}, random.nextGaussian());
        }
      }
    }
    return new DataSet(features, network.output(features).dup());
  }

  @Test
  void seriesThatFitOneSegmentAreTrainedAsWithout() {
    MultiLayerNetwork network = network(0.1, BackpropType.TruncatedBPTT, STEPS);
    DataSet data = data(network);
    double[][] predicted =
        FitDerivative.predicted(
            network, data, SgdStep.of(0.1, SERIES), Optional.empty(), Optional.empty());
    assertThat(FitDerivative.distance(predicted, new FitDerivative(network, 0).of(data)))
        .isLessThan(1e-8);
    Checkpoint checkpoint = analyse(network, data);
    Checkpoint whole = analyse(network(0.1, BackpropType.Standard, STEPS), data);
    assertThat(checkpoint.level()).isEqualTo(Level.exact());
    assertThat(checkpoint.stability()).isEqualTo(whole.stability());
  }

  private static Checkpoint analyse(MultiLayerNetwork network, DataSet data) {
    return StabilityAnalysis.of(
            network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(SERIES))
        .run();
  }

  /** The edge of one fit over all segments, by bisection on its spectral radius. */
  @ParameterizedTest
  @ValueSource(ints = {4, 6})
  void theEdgeOfLongerSeriesIsWithinItsFactor(int length) {
    MultiLayerNetwork network = network(0.1, BackpropType.TruncatedBPTT, length);
    DataSet data = data(network);
    Checkpoint checkpoint = analyse(network, data);
    EdgeReport gauge = (EdgeReport) checkpoint.findings();
    double edge = gauge.criticalLearningRate().orElseThrow().value();
    double low = edge / 3;
    double high = edge * 3;
    for (int bisection = 0; bisection < 6; bisection++) {
      double middle = Math.sqrt(low * high);
      if (radius(middle, length, data) > 1.02) {
        high = middle;
      } else {
        low = middle;
      }
    }
    assertThat(edge / Math.sqrt(low * high)).isBetween(1 / gauge.factor(), gauge.factor());
    assertThat(checkpoint.step().toString())
        .startsWith("APPROXIMATE (each of the " + STEPS / length + " segments")
        .contains("does not differentiate it");
    assertThat(checkpoint.batchSharpness()).isPresent();
  }

  private static double radius(double rate, int length, DataSet data) {
    double[][] fit =
        new FitDerivative(network(rate, BackpropType.TruncatedBPTT, length), 0).of(data);
    return Stream.of(
            new EigenDecompositionNonSymmetric(MatrixUtils.createRealMatrix(fit)).getEigenvalues())
        .mapToDouble(value -> value.norm())
        .max()
        .orElseThrow();
  }
}
