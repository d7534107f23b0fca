// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;

/**
 * How well a model fits its probe set.
 *
 * <p>The residuals are in the coordinates of the curvature-weighted Gram matrix G = Rᵀ Θ R: e with
 * R e = ∂ℓ/∂f, so that the gradient of the loss summed over a batch S is Jᵀ R e_S and its squared
 * norm is e_Sᵀ G_SS e_S. For squared errors e = R (f − y); for cross-entropy over softmax e = (p −
 * y)/√p, over sigmoids e = (p − y)/√(p(1 − p)).
 */
public final class ProbeFit {
  private final double loss;
  private final double[] residuals;

  ProbeFit(double loss, double[] residuals) {
    this.loss = loss;
    this.residuals = residuals;
  }

  /**
   * The loss.
   *
   * @return mean over the N examples of ℓ summed over outputs and positions, without
   *     regularisation: what Deeplearning4j calls the score
   */
  public double loss() {
    return loss;
  }

  /**
   * The residuals e.
   *
   * @return a new array of length m, example-major as the rows of G
   */
  public double[] residuals() {
    return residuals.clone();
  }

  @Override
  public String toString() {
    return "loss "
        + loss
        + " with residuals of norm "
        + Math.sqrt(Arrays.stream(residuals).map(e -> e * e).sum());
  }
}
