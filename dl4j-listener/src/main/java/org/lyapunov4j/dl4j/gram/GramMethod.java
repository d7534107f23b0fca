// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

/** How the Gram matrix of a layer is formed. All ways give the same matrix up to rounding. */
public enum GramMethod {
  /** For each layer the way with the fewest operations. */
  AUTO,

  /** (A Aᵀ) ∘ (Δ Δᵀ), summed over pairs of positions, where the derivatives are outer products. */
  PAIRS,

  /** The rows of the layer's Jacobian, some parameters at a time, and J Jᵀ. */
  ROWS,

  /**
   * The rows of the Jacobian by Deeplearning4j's own backward pass through each layer below the
   * output, one example and one column at a time: slow, and the way of layers that have no rule.
   * Layers with masks and batch normalisation keep their rules.
   */
  PER_EXAMPLE
}
