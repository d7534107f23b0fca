// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.List;
import java.util.Objects;

/**
 * The Lyapunov exponents λ₁ ≥ λ₂ ≥ … of a step on range(G), in nats per step: the growth rates of
 * the volumes that the product M_{S_n} ⋯ M_{S_1} makes of an orthonormal frame (Chemnitz and Engel,
 * Theorem 2.1), with multiplicity.
 *
 * <p>An exponent is −∞ where the product loses rank: a factor for which an eigenvalue of (η/B) G_SS
 * is 1 has determinant zero.
 *
 * <p>The kernel of G, of dimension m − rank G, is left out: it has exponent log |1 − η(l2 + weight
 * decay)|, 0 for a plain step, because no gradient moves there. With momentum the kernel has as
 * many exponents again.
 *
 * @param exponents the largest exponents, descending; as many as asked for and no more than {@code
 *     dimension}
 * @param dimension how many exponents there are on range(G): rank G, twice that with momentum
 * @param kernelDimension m − rank G
 * @param sum the sum of all {@code dimension} exponents, E log |det|, computed from the batches and
 *     not from {@code exponents}
 * @param steps measured steps over all trajectories; 0 if the exponents are known in closed form
 */
public record LyapunovSpectrum(
    List<Estimate> exponents, int dimension, int kernelDimension, Estimate sum, long steps) {

  /** {@inheritDoc} */
  public LyapunovSpectrum {
    exponents = List.copyOf(exponents);
    Objects.requireNonNull(sum, "sum");
  }

  /**
   * Whether every exponent on range(G) is listed, so that they add up to {@link #sum()}.
   *
   * @return true if so
   */
  public boolean isComplete() {
    return exponents.size() == dimension;
  }
}
