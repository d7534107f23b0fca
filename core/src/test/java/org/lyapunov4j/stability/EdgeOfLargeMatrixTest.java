// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.exponent.DenseTangentOperator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

/** η_c of matrices of so many rows that it is searched in Krylov spaces. */
class EdgeOfLargeMatrixTest {
  private static final GramMatrix GRAM =
      DenseTangentOperator.random(260, 8, 120, 0.7, 0.5, 3).gram();
  private static final SgdStep STEP = SgdStep.of(1, 16);

  @Test
  void tracksGoOnWithoutADirectionForAnyNumberOfThreads() {
    EdgeFinder one = EdgeFinder.builder().threads(1).build();
    EdgeFinder three = EdgeFinder.builder().threads(3).build();
    EdgeTrack first = one.track(GRAM, STEP, 0, Optional.empty());
    assertThat(first.direction()).isEmpty();
    assertThat(first.edge()).isEqualTo(one.criticalLearningRate(GRAM, STEP));
    EdgeTrack next = one.track(GRAM, STEP, 0, Optional.of(first));
    assertThat(three.track(GRAM, STEP, 0, Optional.of(first))).isEqualTo(next);
    assertThat(next.edge().value() / first.edge().value()).isBetween(0.99, 1.01);
    assertThat(next.edge().evaluations()).hasSizeLessThan(first.edge().evaluations().size() + 1);
  }

  /** However low a space has its edge, what is certified of the matrix holds. */
  @Test
  void nothingIsSaidBelowWhatIsCertified() {
    EdgeFinder finder = EdgeFinder.builder().build();
    double edge = finder.criticalLearningRate(GRAM, STEP).value();
    for (double share : new double[] {0.98, 1.05}) {
      double certified = share * edge;
      CriticalLearningRate found =
          finder.criticalLearningRate(GRAM, STEP, certified, Optional.empty());
      assertThat(found.low()).isGreaterThanOrEqualTo(certified);
      assertThat(found.value()).isBetween(certified, Math.max(certified, 1.02 * edge));
      assertThat(found.high()).isGreaterThan(found.value());
    }
  }

  @Test
  void itIsCancelled() {
    EdgeFinder cancelled = EdgeFinder.builder().cancelled(() -> true).build();
    assertThatThrownBy(() -> cancelled.criticalLearningRate(GRAM, STEP))
        .isInstanceOf(CancellationException.class);
  }
}
