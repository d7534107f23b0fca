// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/**
 * Products with the full Hessians of the losses of mini-batches at one point of the trajectory:
 * with the curvature of the network itself, which the Gauss–Newton matrix AᵀA leaves out.
 */
public interface BatchHessian {
  /**
   * A product.
   *
   * @param examples S; not modified
   * @param direction v, length P; not modified
   * @return Σ_{i∈S} ∇²ℓ_i v, length P, without regularisation and without the weights μ
   */
  double[] times(int[] examples, double[] direction);

  /**
   * How exact the products are.
   *
   * @return the largest error seen so far relative to the product, 0 if they are exact
   */
  double relativeError();
}
