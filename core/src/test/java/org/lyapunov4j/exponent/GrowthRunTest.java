// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.SlowestMode;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class GrowthRunTest {
  /**
   * A run that starts at the slowest direction stays there: it decays like log(1 − ηκ_min/N) from
   * its first blocks on. It had no energy to begin with, and where rounding kept it from being
   * computed afresh it was taken for annihilated and began anew at a random residual, with the
   * transient of all faster modes.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aStartAtTheSlowestDirectionHasNoTransient(long seed) {
    GramMatrix gram = TestGrams.powerLaw(30, 4, 2.5, 7);
    SlowestMode slowest = SlowestMode.of(GramSpectrum.of(gram)).orElseThrow();
    double rate = 0.02 * gram.examples() / GramSpectrum.of(gram).largest();
    SgdStep step = SgdStep.of(rate, 8);
    double[] start = slowest.vector();
    for (int i = 0; i < start.length; i++) {
      start[i] /= Math.sqrt(slowest.eigenvalue());
    }
    GrowthRun run =
        new GrowthRun(gram, step, new RandomStream(seed), new GrowthRun.Start(start, 0, 0));
    run.measure(16);
    double expected = Math.log1p(-rate * slowest.eigenvalue() / gram.examples());
    assertThat(run.mean(0, 0, 16) / expected).isBetween(0.8, 1.25);
  }
}
