// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.lyapunov4j.dl4j.VerdictWatch.Change.BECAME_UNSTABLE;
import static org.lyapunov4j.dl4j.VerdictWatch.Change.NONE;
import static org.lyapunov4j.dl4j.VerdictWatch.Change.RECOVERED;
import static org.lyapunov4j.stability.Verdict.Kind.INCONCLUSIVE;
import static org.lyapunov4j.stability.Verdict.Kind.MEAN_SQUARE_UNSTABLE;
import static org.lyapunov4j.stability.Verdict.Kind.STABLE;
import static org.lyapunov4j.stability.Verdict.Kind.UNSTABLE;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.stability.Verdict;

class VerdictWatchTest {
  @Test
  void aFlickerAroundTheEdgeIsNoNews() {
    assertThat(changes(STABLE, UNSTABLE, STABLE, UNSTABLE, MEAN_SQUARE_UNSTABLE, UNSTABLE))
        .containsOnly(NONE);
  }

  @Test
  void twoInARowAreNewsOnce() {
    assertThat(changes(STABLE, UNSTABLE, UNSTABLE, UNSTABLE, STABLE, UNSTABLE, STABLE, STABLE))
        .containsExactly(NONE, NONE, BECAME_UNSTABLE, NONE, NONE, NONE, NONE, RECOVERED);
  }

  @Test
  void inconclusiveVerdictsChangeNothing() {
    assertThat(changes(UNSTABLE, INCONCLUSIVE, UNSTABLE, INCONCLUSIVE, STABLE))
        .containsExactly(NONE, NONE, BECAME_UNSTABLE, NONE, NONE);
  }

  private static List<VerdictWatch.Change> changes(Verdict.Kind... verdicts) {
    VerdictWatch watch = new VerdictWatch();
    return Stream.of(verdicts).map(watch::observe).toList();
  }
}
