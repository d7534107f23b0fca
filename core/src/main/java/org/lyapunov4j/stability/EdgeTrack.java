// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Objects;
import java.util.Optional;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.step.SgdStep;

/**
 * A critical learning rate with what a search for that of the next checkpoint starts from. Small
 * enough to be saved: m numbers and a few more. Immutable.
 *
 * @param edge η_c with its interval
 * @param step the step it belongs to, but for the learning rate
 * @param scale what η_c is expected to be proportional to: η_ms if that was known, else a bound
 *     from the diagonal of G
 * @param isCertified whether the scale is η_ms
 * @param direction the unstable direction just above the edge; empty for a full batch and for
 *     matrices that are searched in Krylov spaces
 */
public record EdgeTrack(
    CriticalLearningRate edge,
    SgdStep step,
    double scale,
    boolean isCertified,
    Optional<Tangent> direction) {
  /** {@inheritDoc} */
  public EdgeTrack {
    Objects.requireNonNull(edge, "edge");
    Objects.requireNonNull(direction, "direction");
    step = step.withLearningRate(1);
    if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the scale of an edge must be positive and finite, got " + scale);
    }
  }

  /** Whether the edge of that step may be expected near this one. */
  boolean leadsTo(SgdStep next, double nextScale, boolean nextIsCertified, int size) {
    return step.equals(next.withLearningRate(1))
        && direction.map(Tangent::size).orElse(size) == size
        && isCertified == nextIsCertified
        && !edge.isExact()
        && edge.high() < Double.POSITIVE_INFINITY
        && nextScale > 0;
  }
}
