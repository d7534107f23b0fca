// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/**
 * The derivative A = Rᵀ J of the outputs of all examples with respect to the P parameters, at one
 * point of the trajectory: m × P, rows example-major, each example's rows weighted by the factor R
 * of its loss curvature H = R Rᵀ. With weights μ of the parameters the Gram matrix is G = A diag(μ)
 * Aᵀ.
 */
public interface TangentMap {
  /**
   * What a direction of the parameters does to the outputs.
   *
   * @param direction v, length P; not modified
   * @return A v, length m
   */
  double[] outputs(double[] direction);

  /**
   * The gradient of a linear function of the outputs.
   *
   * @param outputs c, length m; not modified
   * @return Aᵀ c, length P, without the weights μ
   */
  double[] gradient(double[] outputs);

  /**
   * The weights of the parameters that go with the step: learning rates of their own, the
   * preconditioner of an adaptive updater.
   *
   * @return μ ≥ 0, length P, not to be modified; null for ones
   */
  default double[] weights() {
    return null;
  }
}
