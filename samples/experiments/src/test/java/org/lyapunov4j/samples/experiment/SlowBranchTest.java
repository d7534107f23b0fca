// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SlowBranchTest {
  private static final double NONE = Double.NaN;

  @Test
  void onlyDecidedExponentsOfTheSecondHalfWellBelowTheEdgeCount() {
    RunResult run =
        new RunResult(
            "run",
            Map.of("outputs", "1", "scheme", "iid", "batch size", "4"),
            new Measurements(
                Map.of("diverged", 0.0),
                Map.of(
                    "iteration", new double[] {0, 10, 50, 60, 70, 80, 90, 100},
                    "lambda", new double[] {-9, -9, -1.1, 0.5, NONE, -2.2, -7, -0.9},
                    "mu", new double[] {-1, -1, -1, -1, -1, -2, -1, -1},
                    "edgeRatio", new double[] {0.1, 0.1, 0.5, 1.1, 0.5, 0.5, 0.95, 0.5})),
            0);
    assertThat(SlowBranch.table(List.of(run)).rows())
        .containsExactly(List.of("1", "iid", "4", "3", "1.100", "0.900", "1.100"));
  }
}
