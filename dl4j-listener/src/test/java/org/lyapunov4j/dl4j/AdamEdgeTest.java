// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Full-batch Adam on the Chebyshev polynomial T₆: its preconditioned sharpness rises to 38/η and
 * stays there, as Cohen et al. (arXiv 2207.14484) found.
 */
class AdamEdgeTest {
  private static final int POINTS = 20;
  private static final int HIDDEN = 30;
  private static final double RATE = 0.01;

  @Test
  void thePreconditionedSharpnessRisesToTheThresholdAndStays() {
    DataSet data = data();
    MultiLayerNetwork network = network();
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(AnalysisSettings.of(Tier.ECONOMY).withSeed(0))
            .frequency(25)
            .build();
    network.setListeners(listener);
    for (int t = 0; t < 1200; t++) {
      network.fit(data);
    }
    List<Checkpoint> run = listener.history();
    listener.close();
    assertThat(listener.failures()).isZero();
    assertThat(FullBatchExponent.criticalCurvature(run.get(0).step().sgd()))
        .isCloseTo(38 / RATE, within(1e-9));
    assertThat(run.get(0).step().toString()).contains("tiny neighbourhood");

    assertThat(run.subList(0, 9)).allMatch(c -> c.stability().classicEdgeRatio() < 0.6);
    List<Checkpoint> lastHalf = run.subList(run.size() / 2, run.size());
    assertThat(lastHalf).allMatch(c -> c.stability().classicEdgeRatio() > 0.85);
    assertThat(lastHalf).allMatch(c -> c.stability().classicEdgeRatio() < 1.15);
    assertThat(
            lastHalf.stream()
                .mapToDouble(c -> c.stability().classicEdgeRatio())
                .average()
                .orElse(0))
        .isCloseTo(1, within(0.06));
    assertThat(run.get(0).loss()).isGreaterThan(0.5);
    assertThat(run.get(run.size() - 1).loss()).isLessThan(1e-2);
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        Networks.initialise(
            Networks.configuration(new Adam(RATE), DataType.DOUBLE)
                .list()
                .layer(dense(1))
                .layer(dense(HIDDEN))
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(HIDDEN)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build(),
            3);
    for (int layer = 1; layer <= 2; layer++) {
      network.getLayer(layer).getParam("W").divi(Math.sqrt(HIDDEN));
    }
    return network;
  }

  private static DenseLayer dense(int inputs) {
    return new DenseLayer.Builder().nIn(inputs).nOut(HIDDEN).activation(Activation.TANH).build();
  }

  private static DataSet data() {
    double[][] x = new double[POINTS][1];
    double[][] y = new double[POINTS][1];
    for (int i = 0; i < POINTS; i++) {
      x[i][0] = -1 + 2.0 * i / (POINTS - 1);
      y[i][0] = Math.cos(6 * Math.acos(Math.max(-1, Math.min(1, x[i][0]))));
    }
    return new DataSet(Nd4j.create(x), Nd4j.create(y));
  }
}
