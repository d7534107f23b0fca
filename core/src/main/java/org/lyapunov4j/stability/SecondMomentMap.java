// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

/**
 * A self-adjoint map on flat block-diagonal matrices D, known through <i>overlaps</i> of D that are
 * linear in D and do not depend on the kernel:
 *
 * <pre>
 *   ⟨D, R(E)⟩ = Σ weights·overlaps(D)·overlaps(E)
 * </pre>
 */
interface SecondMomentMap {
  /** The length of a flat block-diagonal matrix, N·K². */
  int dimension();

  /** The length of the overlaps. */
  int pairs();

  /** The overlaps of D. */
  double[] overlaps(double[] d);

  /** The weights of a kernel on the first {@code count} eigenvectors, in the order of overlaps. */
  double[] weights(PairKernel kernel, int count);

  /** ⟨D, R(D)⟩ from the overlaps of D, without an array of weights. */
  double quadratic(PairKernel kernel, int count, double[] overlaps);

  /** The trace of D. */
  double trace(double[] d);

  /**
   * R(D) from D, the {@link #weights} and the overlaps of D.
   *
   * @throws ArithmeticException if no right one can be had, because native products are wrong
   */
  double[] image(double[] d, double[] weights, double[] overlaps);
}
