// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.SgdStep;

/**
 * What one direction v says of η_ms where it is not computed. With ρ_i = vᵀH_i v, H_i the curvature
 * of example i alone, and h = vᵀHv their mean,
 *
 * <pre>
 *   η_ms ≤ 2/F,     F = h + p·Var ρ/h,     p = (N − B)/(B(N − 1)), or 1/B with replacement.
 * </pre>
 *
 * <p>From the sharpest direction F climbs by v ← Σ w_i H_i v with the weights w_i of its gradient.
 * Every v bounds, so that it may end anywhere. Where growth comes in bursts of few examples the
 * bound is a good one: 0.2 % above η_ms for an LSTM whose η_c is 1.3 η_ms.
 *
 * <p>Source: R. Mulayoff, T. Michaeli, COLT 2024, the bound from matrices of rank one.
 */
final class DirectionalBound {
  /**
   * Products with G; LeNet's bound is 0.0868, 0.0803 and 0.0789 after 0, 3 and 6, at last 0.0774.
   */
  private static final int ASCENTS = 8;

  private final LargestEigenpair.Operator gram;
  private final int examples;
  private final double share;

  private DirectionalBound(LargestEigenpair.Operator gram, int examples, double share) {
    this.gram = gram;
    this.examples = examples;
    this.share = share;
  }

  /**
   * The bound.
   *
   * @param gram G
   * @param top the largest eigenpair of G, not 0
   * @param examples N
   * @param fullBatch the edge of gradient descent; with momentum it is lowered as that of plain
   *     steps is, which is a guess
   * @return η_ms at most; +∞ for batches that depend on each other, of which nothing is known
   */
  static double of(
      LargestEigenpair.Operator gram,
      LargestEigenpair top,
      int examples,
      SgdStep step,
      double fullBatch) {
    if (!step.sampling().isIndependent()) {
      return Double.POSITIVE_INFINITY;
    }
    double share = examples * StepMoments.of(step, examples, step.batchSize()).c2();
    double largest = new DirectionalBound(gram, examples, share).largest(top.vector());
    return fullBatch * Math.min(1, top.value() / examples / largest);
  }

  /** The largest F that is met from v = Jᵀc on. */
  private double largest(double[] start) {
    double[] c = start.clone();
    double[] y = new double[c.length];
    double largest = 0;
    for (int ascent = 0; ascent <= ASCENTS; ascent++) {
      gram.apply(c, y);
      double[] rho = curvatures(y, Vectors.dot(c, y));
      double mean = 0;
      double squares = 0;
      for (double r : rho) {
        mean += r / examples;
        squares += r * r / examples;
      }
      if (!(mean > 0)) {
        break;
      }
      largest = Math.max(largest, mean + share * (squares / mean - mean));
      double offset = 1 - share - share * squares / (mean * mean);
      for (int row = 0; row < c.length; row++) {
        double weight = offset + 2 * share * rho[row / (c.length / examples)] / mean;
        c[row] = Math.max(0, weight) * y[row];
      }
      Vectors.scale(c, 1 / Math.sqrt(Vectors.dot(c, c)));
    }
    return largest;
  }

  /** ρ_i = ‖(Gc)_i‖²/cᵀGc. */
  private double[] curvatures(double[] y, double square) {
    double[] rho = new double[examples];
    for (int row = 0; row < y.length; row++) {
      rho[row / (y.length / examples)] += y[row] * y[row] / square;
    }
    return rho;
  }
}
