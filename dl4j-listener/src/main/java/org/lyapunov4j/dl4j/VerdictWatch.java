// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.EnumSet;
import java.util.Set;
import org.lyapunov4j.stability.Verdict;

/**
 * Tells when a run becomes unstable and when it is so no longer, with hysteresis: it takes two
 * equal verdicts in a row to change its mind, and an inconclusive one changes nothing. Not
 * thread-safe.
 */
final class VerdictWatch {
  /** What the latest verdict changed. */
  enum Change {
    NONE,
    BECAME_UNSTABLE,
    RECOVERED
  }

  private static final Set<Verdict.Kind> UNDECIDED =
      EnumSet.of(Verdict.Kind.INCONCLUSIVE, Verdict.Kind.AT_EDGE, Verdict.Kind.WARMING_UP);

  private boolean unstable;
  private boolean wavering;

  Change observe(Verdict.Kind verdict) {
    if (UNDECIDED.contains(verdict)) {
      return Change.NONE;
    }
    boolean opposes = (verdict == Verdict.Kind.UNSTABLE) != unstable;
    if (!opposes || !wavering) {
      wavering = opposes;
      return Change.NONE;
    }
    wavering = false;
    unstable = !unstable;
    return unstable ? Change.BECAME_UNSTABLE : Change.RECOVERED;
  }
}
