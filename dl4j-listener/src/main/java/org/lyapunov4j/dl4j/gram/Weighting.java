// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

/** What the Gram matrix of the Jacobian is multiplied with. */
public enum Weighting {
  /**
   * G = Rᵀ Θ R with R_i R_iᵀ = ∂²ℓ/∂f² of example i: what the dynamics of training see. The nonzero
   * eigenvalues of G/N are those of the generalised Gauss–Newton matrix of the mean loss.
   */
  CURVATURE,

  /**
   * The plain kernel Θ[(i,k),(j,l)] = ⟨∂f_ik/∂θ, ∂f_jl/∂θ⟩; f is the variable {@link LossCurvature}
   * names for the loss.
   */
  PLAIN
}
