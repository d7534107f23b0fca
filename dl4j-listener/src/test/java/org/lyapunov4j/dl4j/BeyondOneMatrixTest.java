// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A probe whose Gram matrix does not fit the heap, of a linear model, whose curvature is known:
 * that of the mean-squared loss is 2/K times the second moment of the inputs, 1 included.
 */
class BeyondOneMatrixTest {
  private static final int OUTPUTS = 8;
  private static final int INPUTS = 3;

  /** A few more than floats have room for in half of this heap. */
  private static int examples() {
    double rows = Math.sqrt(Runtime.getRuntime().maxMemory() / 2.0 / Float.BYTES);
    return (int) (1.02 * rows / OUTPUTS) + 1;
  }

  /** The inputs of every example, and 1. */
  private static double[][] inputs(INDArray features) {
    double[][] x = new double[(int) features.size(0)][INPUTS + 1];
    for (int i = 0; i < x.length; i++) {
      for (int a = 0; a < INPUTS; a++) {
        x[i][a] = features.getDouble(i, a);
      }
      x[i][INPUTS] = 1;
    }
    return x;
  }

  private static double sharpness(double[][] x) {
    double[][] moments = new double[INPUTS + 1][INPUTS + 1];
    for (double[] row : x) {
      for (int a = 0; a <= INPUTS; a++) {
        for (int b = 0; b <= INPUTS; b++) {
          moments[a][b] += row[a] * row[b] / x.length;
        }
      }
    }
    return 2.0
        / OUTPUTS
        * new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(moments)).getEigenvalue(0);
  }

  /**
   * η_c of independent mini-batches, from the products of the model's own steps: every output has
   * the same (INPUTS + 1)-square maps 1 − (2η/K)·(1/B)·Σ x xᵀ, so that 64 tangents of 2000 steps
   * each know it to a tenth of a per cent.
   */
  private static double edge(double[][] x, int batchSize, double sharpness) {
    double low = 0.8 * 2 / sharpness;
    double high = 1.2 * 2 / sharpness;
    assertThat(growth(x, low, batchSize)).isNegative();
    assertThat(growth(x, high, batchSize)).isPositive();
    while (high - low > 1e-4 * high) {
      double middle = (low + high) / 2;
      if (growth(x, middle, batchSize) < 0) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return (low + high) / 2;
  }

  private static double growth(double[][] x, double rate, int batchSize) {
    RandomStream random = new RandomStream(1);
    int tangents = 64;
    int steps = 2000;
    double sum = 0;
    for (int k = 0; k < tangents; k++) {
      double[] v = new double[INPUTS + 1];
      v[k % v.length] = 1;
      for (int t = 0; t < steps; t++) {
        double[] change = new double[v.length];
        for (int b = 0; b < batchSize; b++) {
          double[] row = x[random.nextInt(x.length)];
          double product = 0;
          for (int a = 0; a < v.length; a++) {
            product += row[a] * v[a];
          }
          for (int a = 0; a < v.length; a++) {
            change[a] += row[a] * product;
          }
        }
        double square = 0;
        for (int a = 0; a < v.length; a++) {
          v[a] -= rate * 2 / OUTPUTS / batchSize * change[a];
          square += v[a] * v[a];
        }
        double norm = Math.sqrt(square);
        sum += Math.log(norm);
        for (int a = 0; a < v.length; a++) {
          v[a] /= norm;
        }
      }
    }
    return sum / tangents / steps;
  }

  private static MultiLayerNetwork network(double rate) {
    return Networks.initialise(
        Networks.configuration(new Sgd(rate), DataType.DOUBLE)
            .list()
            .layer(
                new OutputLayer.Builder(LossFunction.MSE)
                    .nIn(INPUTS)
                    .nOut(OUTPUTS)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        8);
  }

  @Test
  void anAnalysisNeedsNoMatrix() {
    DataSet data = Networks.data(6, examples(), INPUTS, OUTPUTS, DataType.DOUBLE);
    double[][] x = inputs(data.getFeatures());
    double sharpness = sharpness(x);
    double edge = edge(x, 64, sharpness);
    for (double share : new double[] {0.4, 1.2}) {
      MultiLayerNetwork network = network(share * 2 / sharpness);
      Checkpoint checkpoint =
          StabilityAnalysis.of(
                  network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(64))
              .run();
      assertThat(checkpoint.findings()).isInstanceOf(StabilityReport.class);
      StabilityReport report = (StabilityReport) checkpoint.findings();
      assertThat(report.sharpness()).isCloseTo(sharpness, within(1e-5 * sharpness));
      assertThat(checkpoint.probeLoss()).isCloseTo(network.score(data), within(1e-9));
      assertThat(report.verdict().kind())
          .isEqualTo(share < 1 ? Verdict.Kind.STABLE : Verdict.Kind.UNSTABLE);
      CriticalLearningRate found = report.criticalLearningRate().orElseThrow();
      assertThat(edge).isBetween(found.low(), found.high());
      assertThat(found.value()).isCloseTo(edge, within(0.03 * edge));
      if (share < 1) {
        assertThat(report.exponent()).isInstanceOf(ExponentBound.class);
        assertThat(report.exponent().high()).isZero();
      } else {
        assertThat(report.exponent().sign()).isEqualTo(Sign.POSITIVE);
        // |1 − 2·1.2| along the sharpest direction, less what mini-batches add in log
        assertThat(report.exponent().low()).isBetween(0.2, Math.log(1.4) + 0.1);
      }
      assertThat(checkpoint.assumptions())
          .anyMatch(line -> line.contains("are too many for a Gram matrix"));
    }
  }

  @Test
  void aListenerGivesWhatAnAnalysisGives() {
    DataSet data = Networks.data(6, examples(), INPUTS, OUTPUTS, DataType.DOUBLE);
    MultiLayerNetwork network = network(0.1);
    LyapunovListener listener =
        LyapunovListener.builder(ProbeSet.of(data))
            .settings(AnalysisSettings.of(Tier.ECONOMY).withSeed(0))
            .frequency(1)
            .background(Backlog.WAIT) // if there is room for it
            .build();
    network.setListeners(listener);
    network.fit(
        new DataSet(data.getFeatures().getRows(0, 1, 2, 3), data.getLabels().getRows(0, 1, 2, 3)));
    listener.close();
    assertThat(listener.history()).hasSize(1);
    StabilityReport report = (StabilityReport) listener.history().get(0).findings();
    double sharpness = sharpness(inputs(data.getFeatures()));
    assertThat(report.sharpness()).isCloseTo(sharpness, within(1e-5 * sharpness));
    assertThat(report.exponent().sign()).isEqualTo(Sign.NEGATIVE);
  }
}
