// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.OptionalDouble;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * How far a piecewise linear loss is above the floor that its learning rate keeps it at. Near a fit
 * ⟨g_S, θ − θ*⟩ = L_S, for L_S is homogeneous of degree 1 there, so that E‖θ − θ*‖² stands still
 * where E L_S = (η/2) E‖g_S‖². The ratio of the two sides is 1 at the floor and above 1 while
 * training still gets somewhere.
 */
public final class LossFloor {
  private LossFloor() {}

  /**
   * The ratio E L_S / ((η/2) E‖g_S‖²), in closed form: for batches without replacement E‖g_S‖² =
   * ((N − B)/(B(N − 1))) mean‖g_i‖² + (N(B − 1)/(B(N − 1))) ‖ḡ‖², with replacement (1/B) mean‖g_i‖²
   * + (1 − 1/B) ‖ḡ‖².
   *
   * @param kernel Θ, plain
   * @param gradient ∂ℓ/∂f of every output, length m, so that g_i = J_iᵀ e_i
   * @param loss mean over the N examples, with the minimum 0
   * @param step plain SGD; its learning rate, batch size and sampling count
   * @return the ratio; absent if every gradient vanishes or the rate is 0
   */
  public static OptionalDouble ratio(
      GramMatrix kernel, double[] gradient, double loss, SgdStep step) {
    int n = kernel.examples();
    int k = kernel.outputs();
    double single = 0;
    for (int row = 0; row < kernel.size(); row++) {
      int first = row / k * k;
      for (int column = first; column < first + k; column++) {
        single += kernel.get(row, column) * gradient[row] * gradient[column] / n;
      }
    }
    double[] image = new double[kernel.size()];
    kernel.multiply(gradient, image);
    double mean = 0;
    for (int j = 0; j < gradient.length; j++) {
      mean += image[j] * gradient[j] / ((double) n * n);
    }
    double b = Math.min(step.batchSize(), step.sampling().largestBatch(n));
    boolean replaced = step.sampling() == MiniBatchSampling.IID_WITH_REPLACEMENT || n == 1;
    double noise = replaced ? 1 / b : (n - b) / (b * (n - 1));
    double square = noise * single + (1 - noise) * mean;
    double floor = step.learningRate() / 2 * square;
    return floor > 0 ? OptionalDouble.of(loss / floor) : OptionalDouble.empty();
  }
}
