// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A classifier has one exact null direction for each example, the sum of its outputs, and modes
 * that fall with its loss far below what floats resolve. Neither may be published as λ.
 */
class FloatFloorTest {
  private static final int EXAMPLES = 12;
  private static final int CLASSES = 3;

  @ParameterizedTest
  @CsvSource({"FLOAT, 4", "FLOAT, 12", "DOUBLE, 4", "DOUBLE, 12"})
  void whatRoundingHidesIsNoExponent(DataType type, int batchSize) {
    DataSet data = data(type);
    MultiLayerNetwork network = trained(type, data);
    StabilityAnalysis analysis =
        StabilityAnalysis.of(
            network,
            data,
            AnalysisSettings.standard()
                .withSeed(0)
                .withBatchSize(batchSize)
                .withComparison(SizeComparison.NONE));
    GramMatrix gram = analysis.gram().gram();
    assertThat(gram.isSinglePrecision()).isFalse();
    assertThat(gram.epsilon()).isEqualTo(type == DataType.FLOAT ? Math.ulp(1f) : Math.ulp(1.0));
    GramSpectrum spectrum = GramSpectrum.of(gram);
    assertThat(spectrum.rank()).isLessThanOrEqualTo(EXAMPLES * (CLASSES - 1));

    Checkpoint checkpoint = analysis.run();
    double rate = checkpoint.step().sgd().learningRate();
    double resolved = rate * spectrum.noise() / EXAMPLES;
    check(checkpoint.stability().exponent(), resolved);
    check(checkpoint.stability().gdExponent(), resolved);
    if (type == DataType.DOUBLE) {
      assertThat(spectrum.rank()).isEqualTo(EXAMPLES * (CLASSES - 1));
      assertThat(checkpoint.stability().gdExponent().point()).isPresent();
    }
  }

  /** A value is one that the matrix resolves; a bound reaches 0. */
  private static void check(LyapunovExponent exponent, double resolved) {
    assertThat(exponent.sign()).isEqualTo(Sign.NEGATIVE);
    if (exponent instanceof ExponentBound bound) {
      assertThat(bound.high()).isZero();
    } else {
      assertThat(exponent.point().orElseThrow()).isLessThan(-0.5 * resolved);
    }
  }

  private static MultiLayerNetwork trained(DataType type, DataSet data) {
    MultiLayerNetwork network =
        Networks.initialise(
            new NeuralNetConfiguration.Builder()
                .dataType(type)
                .updater(new Sgd(2))
                .list()
                .layer(new DenseLayer.Builder().nIn(4).nOut(20).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(20)
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build(),
            7);
    for (int t = 0; t < 500; t++) {
      network.fit(data);
    }
    assertThat(network.score(data)).isLessThan(0.02);
    return network;
  }

  private static DataSet data(DataType type) {
    DataSet data = Networks.data(9, EXAMPLES, 4, CLASSES, type);
    data.setLabels(Nd4j.zeros(type, EXAMPLES, CLASSES));
    for (int i = 0; i < EXAMPLES; i++) {
      data.getLabels().putScalar(i, i % CLASSES, 1);
    }
    return data;
  }
}
