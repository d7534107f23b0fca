// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

/** How often the 95 % interval holds the truth and the sign test is wrong, over many seeds. */
class CoverageTest {
  private static final int SEEDS = 200;

  /**
   * r8 has a slow mode, r6 and r10 alternate between slow modes and bursts; they need the longer
   * runs.
   */
  @ParameterizedTest
  @CsvSource({
    "diag3-unstable, 1024",
    "kaczmarz2, 1024",
    "kaczmarz2-epoch, 1024",
    "renewal-unstable, 1024",
    "rank2-N8-B2-unstable, 1024",
    "two-as-stable-ms-unstable, 1024",
    "k3-unstable, 1024",
    "kron-k2, 1024",
    "r4-B2-epoch, 1024",
    "r5-as-stable-ms-unstable, 4096",
    "r8-B4-stable, 4096",
    "r10-B5-gd-unstable-sgd-stable, 16384",
    "r6-illcond-as-stable-ms-unstable, 16384"
  })
  void theIntervalHoldsTheTruth(String id, int epochs) {
    ReferenceCases.Case reference = ReferenceCases.named(id);
    double truth = reference.quotientExponent().value();
    GramMatrix gram = reference.gram();
    SgdStep step = reference.step();
    int covered = 0;
    int wrong = 0;
    for (long seed = 0; seed < SEEDS; seed++) {
      LyapunovEstimator.Builder builder = LyapunovEstimator.builder().seed(seed);
      LyapunovEstimate estimate = builder.epochs(epochs).build().estimate(gram, step);
      if (estimate.low() <= truth && truth <= estimate.high()) {
        covered++;
      }
      Sign sign = builder.minEpochs(16).maxEpochs(1024).build().estimate(gram, step).sign();
      if (sign == (truth > 0 ? Sign.NEGATIVE : Sign.POSITIVE)) {
        wrong++;
      }
    }
    assertThat(covered / (double) SEEDS).as("coverage of %s", id).isBetween(0.90, 0.995);
    assertThat(wrong / (double) SEEDS).as("wrong signs of %s", id).isLessThan(0.05);
  }
}
