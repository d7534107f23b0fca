// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class DirectionalBoundTest {
  private static final double LOG_SPREAD = 0.8;

  private static double bound(GramMatrix gram, SgdStep step) {
    LargestEigenpair top = LargestEigenpair.of(gram);
    double fullBatch = 2 * gram.examples() / top.value();
    return DirectionalBound.of(gram::multiply, top, gram.examples(), step, fullBatch);
  }

  @Test
  void boundsTheMeanSquareThresholdOfTheReferences() {
    for (TangentKernels.Row row : TangentKernels.rows()) {
      for (MiniBatchSampling sampling :
          new MiniBatchSampling[] {
            MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.IID_WITH_REPLACEMENT
          }) {
        SgdStep step = SgdStep.of(1, row.batchSize()).withSampling(sampling);
        double threshold =
            MeanSquareStability.of(GramSpectrum.of(row.gram())).criticalLearningRate(step).low();
        assertThat(bound(row.gram(), step)).as(row.name()).isGreaterThan(threshold);
      }
    }
  }

  /** One direction is all there is: p = 1 for single examples and 1/B with replacement. */
  @Test
  void isTheThresholdOfOneDirection() {
    double[] f = {1, 2, 4};
    double[][] rows = new double[3][3];
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        rows[i][j] = f[i] * f[j];
      }
    }
    GramMatrix gram = GramMatrix.of(rows, 3, 1);
    // 2·mean/mean of squares of 1, 4 and 16
    assertThat(bound(gram, SgdStep.of(1, 1))).isCloseTo(2 * 7 / 91.0, within(1e-12));
    double mixed = 49 + (91 - 49) / 2.0;
    assertThat(bound(gram, SgdStep.of(1, 2).withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT)))
        .isCloseTo(2 * 7 / mixed, within(1e-12));
    SgdStep dependent = SgdStep.of(1, 2).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    assertThat(bound(gram, dependent)).isInfinite();
  }

  /**
   * As with an LSTM: m = 1000, four batches an epoch, a sharpest direction that few examples make.
   * Without η_ms the search had found 0.0218 to 0.0259 for that one, mostly above gradient
   * descent's 0.0240, where η_c is 0.0190; sweeps of 800 steps see no burst.
   */
  @Test
  void anEdgeThatGrowthComesToInBurstsIsNotMissedWithoutTheThreshold() {
    GramMatrix gram = bursts();
    SgdStep step = SgdStep.of(1, 32);
    double threshold =
        MeanSquareStability.of(GramSpectrum.of(gram)).criticalLearningRate(step).low();
    for (long seed = 1; seed <= 2; seed++) {
      EdgeFinder edges = EdgeFinder.builder().seed(seed).build();
      CriticalLearningRate with =
          edges.criticalLearningRate(gram, step, threshold, Optional.empty());
      CriticalLearningRate without = edges.criticalLearningRate(gram, step);
      assertThat(threshold).isLessThan(0.86 * with.value());
      assertThat(without.low()).isLessThan(with.value()).isGreaterThan(threshold);
      assertThat(without.high()).isGreaterThan(with.value());
      assertThat(without.value()).isCloseTo(with.value(), within(0.1 * with.value()));
    }
  }

  /** A spike with heavy-tailed loadings over a tail that falls like 1/k². */
  private static GramMatrix bursts() {
    int m = 1000;
    RandomStream random = new RandomStream(5);
    double[] loadings = random.gaussians(100);
    double[][] f = TestGrams.gaussian(m, 40, 6);
    for (int i = 0; i < m; i++) {
      double loading = Math.exp(LOG_SPREAD * loadings[i / 10]);
      for (int k = 0; k < 40; k++) {
        f[i][k] *= k == 0 ? 3 * loading : 1.0 / (k + 1);
      }
    }
    double[][] rows = new double[m][m];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        for (int k = 0; k < 40; k++) {
          rows[i][j] += f[i][k] * f[j][k];
        }
      }
    }
    return GramMatrix.adopt(rows, 100, 10).withEpsilon(1e-12);
  }
}
