// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Arrays;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * What one direction v says of η_ms where it is not computed. With ρ_i = vᵀH_i v, H_i the curvature
 * of example i alone, and h = vᵀHv their mean,
 *
 * <pre>
 *   η_ms ≤ 2h/(h² + p·Var ρ),     p = (N − B)/(B(N − 1)), or 1/B with replacement,
 * </pre>
 *
 * which is the share h²/(h² + p·Var ρ) of 2/h. Where growth comes in bursts the sharpest direction
 * is a good one: 2 % above η_ms for an LSTM whose η_c is 1.3 η_ms.
 *
 * <p>Source: R. Mulayoff, T. Michaeli, COLT 2024, proposition 3.
 */
final class DirectionalBound {
  private DirectionalBound() {}

  /**
   * The bound along the sharpest direction v = Jᵀu, u the first eigenvector of G, where ρ_i is
   * ‖u_i‖² but for a factor.
   *
   * @param fullBatch the edge of gradient descent, of which mini-batches leave a share; with
   *     momentum the result is a guess
   * @param examples N
   * @return η_ms at most; +∞ for batches that depend on each other, of which nothing is known
   */
  static double of(double fullBatch, LargestEigenpair top, int examples, SgdStep step) {
    if (!step.sampling().isIndependent()) {
      return Double.POSITIVE_INFINITY;
    }
    double[] u = top.vector();
    int outputs = u.length / examples;
    double[] curvatures = new double[examples];
    for (int row = 0; row < u.length; row++) {
      curvatures[row / outputs] += u[row] * u[row];
    }
    return fullBatch * share(curvatures, step);
  }

  private static double share(double[] curvatures, SgdStep step) {
    int examples = curvatures.length;
    double batch = step.batchSize();
    double p =
        step.sampling() == MiniBatchSampling.IID_WITH_REPLACEMENT
            ? 1 / batch
            : (examples - batch) / (batch * (examples - 1));
    double mean = Arrays.stream(curvatures).average().orElseThrow();
    double variance =
        Arrays.stream(curvatures).map(r -> (r - mean) * (r - mean)).average().orElseThrow();
    return mean * mean / (mean * mean + p * variance);
  }
}
