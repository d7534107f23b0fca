// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * What can be said of a minimum with this Gram matrix under this step, and why.
 *
 * @param kind the verdict
 * @param evidence the numbers or the certificate behind it, one sentence
 * @param stepsToDecide for {@link Kind#INCONCLUSIVE} and {@link Kind#AT_EDGE}: measured steps that
 *     would decide the sign if λ is what it seems; absent otherwise, or where no number of steps
 *     would
 */
public record Verdict(Kind kind, String evidence, OptionalLong stepsToDecide) {
  /** {@inheritDoc} */
  public Verdict {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(evidence, "evidence");
    Objects.requireNonNull(stepsToDecide, "stepsToDecide");
  }

  /** The closed set of verdicts, from best to worst and unknown. */
  public enum Kind {
    /** λ &lt; 0, and where the second moment is known, Λ(2) &lt; 0 as well. */
    STABLE,
    /**
     * λ &lt; 0 &lt; Λ(2): almost every run converges, but rare bursts keep the mean square from it.
     */
    MEAN_SQUARE_UNSTABLE,
    /**
     * The learning rate is the critical one to within the interval of η_c, which is at most 5 %
     * wide: on which side of the edge it is nobody can tell.
     */
    AT_EDGE,
    /** λ &gt; 0: the step leaves the minimum almost surely. */
    UNSTABLE,
    /**
     * The sign of λ is not decided, nor the edge known that well; or there is none, since G = 0 or
     * the learning rate is 0.
     */
    INCONCLUSIVE,
    /**
     * An adaptive updater has seen few gradients yet, so that the present step says nothing of the
     * later ones. Said of a checkpoint; no report has it.
     */
    WARMING_UP
  }

  @Override
  public String toString() {
    return kind + ": " + evidence;
  }
}
