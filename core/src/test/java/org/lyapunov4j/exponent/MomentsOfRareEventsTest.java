// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

/** Moments that one example in a thousand carries, and what is known of all moments together. */
class MomentsOfRareEventsTest {
  /** Rank one, squares ½ but one large: Λ(p) = log E|1 − (η/B) Σ_S f²|^p. */
  private static GramMatrix oneLarge(int examples, double large) {
    double[] f = new double[examples];
    for (int i = 0; i < examples; i++) {
      f[i] = Math.sqrt(i == examples / 3 ? large : 0.5);
    }
    double[][] gram = new double[examples][examples];
    for (int i = 0; i < examples; i++) {
      for (int j = 0; j < examples; j++) {
        gram[i][j] = f[i] * f[j];
      }
    }
    return GramMatrix.of(gram, examples, 1);
  }

  /** Printed before for B = 1: 0.29 ± 0.21 for 0.975 and 4.1 ± 1.0 for 8.66. */
  @ParameterizedTest
  @CsvSource({"1000, 50, 1", "90, 90, 3"})
  void oneLargeExampleIsNotMissed(int examples, double large, int batchSize) {
    MomentExponents moments =
        MomentEstimator.builder()
            .populationSize(32)
            .trajectories(1)
            .burnInEpochs(0)
            .epochs(16)
            .build()
            .estimate(oneLarge(examples, large), SgdStep.of(1, batchSize), 2, 4);
    for (int p : new int[] {2, 4}) {
      double hit = (large + 0.5 * (batchSize - 1)) / batchSize;
      double share = (double) batchSize / examples;
      double exact =
          Math.log(
              share * Math.pow(Math.abs(1 - hit), p)
                  + (1 - share) * Math.pow(Math.abs(1 - 0.5), p));
      Estimate found = moments.of(p);
      assertThat(found.value())
          .as("p = %d", p)
          .isCloseTo(exact, within(4 * found.standardError() + 1e-9));
      assertThat(found.standardError()).isLessThan(0.03);
    }
  }

  @Test
  void momentsOverTheirOrdersDoNotDecrease() {
    MomentExponents moments =
        new MomentExponents(
            List.of(
                moment(4, -3.0, 1),
                moment(1, -0.2, 0.1),
                moment(0, 0, 0),
                moment(-1, 0.5, 0.1),
                moment(2, -0.6, 0)),
            8,
            8);
    assertThat(moments.moments())
        .extracting(MomentExponent::order)
        .containsExactly(4.0, 1.0, 0.0, -1.0, 2.0);
    assertThat(moments.of(2)).isEqualTo(Estimate.exact(-0.6));
    assertThat(moments.of(1).value()).isCloseTo(-0.3, within(1e-9));
    assertThat(moments.of(1).standardError()).isCloseTo(Math.hypot(0.1, 0.1), within(1e-9));
    assertThat(moments.of(4).value()).isCloseTo(-1.2, within(1e-9));
    assertThat(moments.of(4).standardError()).isCloseTo(Math.hypot(1, 1.8), within(1e-9));
    assertThat(moments.of(-1).value()).isEqualTo(0.5);
    MomentExponents more = moments.withExact(2, -0.8);
    assertThat(more.of(2)).isEqualTo(Estimate.exact(-0.8));
    assertThat(more.of(1).value()).isCloseTo(-0.4, within(1e-8));
  }

  private static MomentExponent moment(double order, double value, double error) {
    Estimate estimate = new Estimate(value, error);
    return new MomentExponent(order, estimate, estimate, estimate);
  }
}
