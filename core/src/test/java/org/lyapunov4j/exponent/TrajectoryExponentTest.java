// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

class TrajectoryExponentTest {
  private final GramMatrix first = TestGrams.powerLaw(12, 2, 1, 3);
  private final GramMatrix second = TestGrams.wishart(12, 2, 60, 4);

  @Test
  void aLongTrajectoryApproachesTheFrozenExponent() {
    SgdStep step = SgdStep.of(0.9, 3);
    LyapunovEstimate frozen =
        (LyapunovEstimate) LyapunovEstimator.builder().build().estimate(first, step);
    TrajectoryExponent trajectory = new TrajectoryExponent(6);
    TrajectoryExponent.Window window = null;
    for (int i = 0; i < 20; i++) {
      window = trajectory.advance(first, step, 5000);
    }
    double error = Math.sqrt(frozen.variancePerStep() / window.cumulativeSteps());
    assertThat(window.cumulativeExponent())
        .isCloseTo(frozen.value(), within(4 * Math.hypot(error, frozen.standardError())));
  }

  @Test
  void windowsAddUp() {
    TrajectoryExponent trajectory = new TrajectoryExponent(1);
    TrajectoryExponent.Window a = trajectory.advance(first, SgdStep.of(0.5, 3), 100);
    TrajectoryExponent.Window b = trajectory.advance(second, SgdStep.of(1.5, 4), 50);
    assertThat(b.cumulativeSteps()).isEqualTo(150);
    assertThat(b.cumulativeGrowth()).isCloseTo(a.growth() + b.growth(), within(1e-12));
    assertThat(b.exponent()).isEqualTo(b.growth() / 50);
  }

  @Test
  void resumingChangesNoBit() {
    TrajectoryExponent whole = new TrajectoryExponent(7);
    TrajectoryExponent.Window half = whole.advance(first, SgdStep.of(0.5, 3), 100);
    TrajectoryExponent.Window end = whole.advance(second, SgdStep.of(0.5, 3), 100);
    assertThat(TrajectoryExponent.resume(7, half).advance(second, SgdStep.of(0.5, 3), 100))
        .isEqualTo(end);
  }

  @Test
  void annihilationIsMinusInfinityAndTheNextWindowStartsAnew() {
    GramMatrix one = GramMatrix.of(new double[][] {{1}}, 1, 1);
    TrajectoryExponent trajectory = new TrajectoryExponent(1);
    assertThat(trajectory.advance(one, SgdStep.of(1, 1), 3).growth())
        .isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(trajectory.advance(one, SgdStep.of(0.5, 1), 1).growth())
        .isCloseTo(Math.log(0.5), within(1e-12));
  }

  @Test
  void nonsenseIsRefused() {
    TrajectoryExponent trajectory = new TrajectoryExponent(1);
    assertThatThrownBy(() -> trajectory.advance(first, SgdStep.of(1, 1), 0))
        .hasMessageContaining("got 0");
    trajectory.advance(first, SgdStep.of(1, 1), 1);
    assertThatThrownBy(() -> trajectory.advance(TestGrams.wishart(3, 1, 5, 1), SgdStep.of(1, 1), 1))
        .hasMessageContaining("24 rows, got 3");
  }
}
