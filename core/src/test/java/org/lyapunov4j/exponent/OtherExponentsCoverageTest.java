// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.TangentKernels;

/**
 * How often 95 % intervals of finite times and moments hold the truth on five reference kernels, at
 * default settings: a part of the table in docs/decisions.md. For the spectrum see {@link
 * StablePhaseTest}.
 */
class OtherExponentsCoverageTest {
  /** Sixty cases below and beyond the edge, against products made outside this project. */
  @Test
  void finiteTimesFromAResidualAreCovered() {
    ReferenceCoverage coverage = new ReferenceCoverage();
    List<TangentKernels.Case> cases = ReferenceCoverage.cases(at -> at.nominal() != 0.98);
    cases.forEach(at -> coverage.finiteTimes(at, 1));
    assertThat(cases).hasSize(60);
    coverage
        .tallies()
        .forEach(
            (number, tally) ->
                assertThat(tally.coverage())
                    .as("%s: %s %s", number, tally, tally.missed())
                    .isGreaterThanOrEqualTo(tally.all() < 20 ? 0.8 : 0.88));
  }

  /** One case of each kernel near the edge, where moments differ from multiples of λ. */
  @Test
  void momentsAreCovered() {
    ReferenceCoverage coverage = new ReferenceCoverage();
    List<TangentKernels.Case> cases =
        ReferenceCoverage.cases(at -> at.nominal() == 0.9 && at.row().batchSize() == 4);
    cases.forEach(at -> coverage.moments(at, 1));
    assertThat(cases).hasSize(5);
    assertThat(coverage.tallies()).hasSize(2);
    int missed =
        coverage.tallies().values().stream().mapToInt(tally -> tally.missed().size()).sum();
    assertThat(missed).as("%s", coverage.tallies()).isLessThanOrEqualTo(1);
  }
}
