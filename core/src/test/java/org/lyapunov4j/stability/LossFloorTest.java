// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** The floor's closed form against the average over drawn batches. */
class LossFloorTest {
  private static final int N = 5;
  private static final int K = 2;

  private static final double[][] JACOBIAN = jacobian();

  private static double[][] jacobian() {
    RandomStream random = new RandomStream(4);
    double[][] rows = new double[N * K][3];
    for (double[] row : rows) {
      for (int p = 0; p < row.length; p++) {
        row[p] = random.nextGaussian();
      }
    }
    return rows;
  }

  private static GramMatrix gram() {
    double[][] gram = new double[N * K][N * K];
    for (int i = 0; i < gram.length; i++) {
      for (int j = 0; j < gram.length; j++) {
        for (int p = 0; p < 3; p++) {
          gram[i][j] += JACOBIAN[i][p] * JACOBIAN[j][p];
        }
      }
    }
    return GramMatrix.of(gram, N, K);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void isThatOfDrawnBatches(int batchSize) {
    double[] e = {1, -1, 1, 1, -1, 1, 1, -1, -1, 1};
    for (MiniBatchSampling sampling :
        new MiniBatchSampling[] {
          MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.IID_WITH_REPLACEMENT
        }) {
      SgdStep step = SgdStep.of(0.1, batchSize).withSampling(sampling);
      MiniBatchSampler sampler = new MiniBatchSampler(N, batchSize, sampling, new RandomStream(8));
      int[] batch = new int[batchSize];
      int draws = 200_000;
      double mean = 0;
      for (int draw = 0; draw < draws; draw++) {
        int size = sampler.next(batch);
        double square = 0;
        for (int p = 0; p < 3; p++) {
          double g = 0;
          for (int b = 0; b < size; b++) {
            for (int k = 0; k < K; k++) {
              g += JACOBIAN[batch[b] * K + k][p] * e[batch[b] * K + k] / size;
            }
          }
          square += g * g;
        }
        mean += square / draws;
      }
      assertThat(LossFloor.ratio(gram(), e, 0.7, step).orElseThrow())
          .as("%s", sampling)
          .isCloseTo(0.7 / (0.05 * mean), within(0.01 * 0.7 / (0.05 * mean)));
    }
  }

  @Test
  void thereIsNoneWithoutAGradient() {
    assertThat(LossFloor.ratio(gram(), new double[N * K], 0.7, SgdStep.of(0.1, 1))).isEmpty();
  }
}
