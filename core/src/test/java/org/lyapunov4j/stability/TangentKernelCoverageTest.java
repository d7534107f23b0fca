// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.SlowestMode;

/**
 * λ of real kernels, ill-conditioned and with up to ten outputs, against long products made outside
 * this project: a part of the table in docs/benchmarks.md.
 */
class TangentKernelCoverageTest {
  private static final int SEEDS = 3;

  /**
   * Nothing but the matrix and the step is known. The reference's own standard errors are small
   * beside the intervals.
   */
  @ParameterizedTest
  @CsvSource({"0.3, 0.05", "0.6, 0.07", "0.9, 0.1"})
  void belowTheEdgeTheIntervalHoldsTheTruth(double nominal, double largestDeviation) {
    List<Double> deviations = new ArrayList<>();
    int covered = 0;
    int all = 0;
    for (TangentKernels.Row row : TangentKernels.rows()) {
      GramMatrix gram = row.gram();
      SlowestMode slowest = SlowestMode.of(GramSpectrum.of(gram)).orElseThrow();
      TangentKernels.Case at =
          row.cases().stream().filter(c -> c.nominal() == nominal).findFirst().orElseThrow();
      for (int seed = 0; seed < SEEDS; seed++) {
        LyapunovExponent exponent =
            LyapunovEstimator.builder()
                .seed(seed)
                .build()
                .estimate(gram, at.step(), Optional.of(slowest), Sign.NEGATIVE);
        assertThat(exponent.sign()).as("%s", at).isEqualTo(Sign.NEGATIVE);
        double value = exponent.point().orElseThrow();
        deviations.add(Math.abs(value / at.exponent() - 1));
        double slack = 2 * at.standardError();
        all++;
        covered +=
            exponent.low() - slack <= at.exponent() && at.exponent() <= exponent.high() + slack
                ? 1
                : 0;
      }
    }
    deviations.sort(null);
    assertThat(covered / (double) all).isBetween(0.90, 0.999);
    assertThat(deviations.get(all / 2)).isLessThan(0.015);
    assertThat(deviations.get(all - 1)).isLessThan(largestDeviation);
  }
}
