// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.gram.GramMatrix;

/** How often the 95 % interval holds the truth and the sign test is wrong, over many seeds. */
class CoverageTest {
  private static final int SEEDS = 200;

  /** With default settings but for the budget, which is what rare bursts of tiny matrices need. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "diag3-unstable",
        "kaczmarz2",
        "kaczmarz2-epoch",
        "renewal-unstable",
        "rank2-N8-B2-unstable",
        "two-as-stable-ms-unstable",
        "k3-unstable",
        "kron-k2",
        "r4-B2-epoch",
        "r5-as-stable-ms-unstable",
        "r8-B4-stable",
        "r10-B5-gd-unstable-sgd-stable",
        "r6-illcond-as-stable-ms-unstable"
      })
  void theIntervalHoldsTheTruth(String id) {
    ReferenceCases.Case reference = ReferenceCases.named(id);
    ReferenceCases.Value truth = reference.quotientExponent();
    GramMatrix gram = reference.gram();
    int covered = 0;
    int wrong = 0;
    for (long seed = 0; seed < SEEDS; seed++) {
      LyapunovExponent exponent =
          LyapunovEstimator.builder()
              .seed(seed)
              .threads(1)
              .build()
              .estimate(gram, reference.step());
      double slack = 2 * truth.standardError();
      if (exponent.low() - slack <= truth.value() && truth.value() <= exponent.high() + slack) {
        covered++;
      }
      if (exponent.sign() == (truth.value() > 0 ? Sign.NEGATIVE : Sign.POSITIVE)) {
        wrong++;
      }
    }
    System.out.printf("%s: %d of %d covered, %d wrong%n", id, covered, SEEDS, wrong);
    assertThat(covered / (double) SEEDS).as("coverage of %s", id).isGreaterThan(0.90);
    assertThat(wrong / (double) SEEDS).as("wrong signs of %s", id).isLessThan(0.05);
  }
}
