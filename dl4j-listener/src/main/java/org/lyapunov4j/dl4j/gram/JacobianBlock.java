// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The m columns' derivatives with respect to one group of parameters, an m × P_l matrix, in the
 * form cheapest to contract.
 */
sealed interface JacobianBlock {
  /**
   * A block of outer products, J_ik = a_i δ_ikᵀ, so J Jᵀ = (A Aᵀ) ∘ (Δ Δᵀ) with the entries of A Aᵀ
   * repeated K × K times.
   *
   * @param inputs A, N × p
   * @param deltas Δ, m × q, example-major
   * @param bias whether there is a bias too, that is a further column of ones in A
   */
  record Outer(INDArray inputs, INDArray deltas, boolean bias) implements JacobianBlock {}
}
