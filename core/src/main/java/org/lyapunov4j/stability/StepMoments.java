// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * The second moment of a memoryless step M = d·I − (η/B)·diag(n)·G, d = 1 − η·decay, where n_i
 * counts how often example i is drawn:
 *
 * <pre>
 *   E[M X Mᵀ] = d²X − d(η/N)(GX + XG) + η²c₁ GXG + η²c₂ bd(GXG)
 * </pre>
 *
 * <p>bd keeps the K × K blocks of each example. From E n_i = B/N: for B-subsets E n_i n_j =
 * B(B−1)/(N(N−1)), so c₁ = (B−1)/(B·N(N−1)) and c₂ = (N−B)/(B·N(N−1)); for draws with replacement E
 * n_i n_j = B(B−1)/N² (+ B/N if i = j), so c₁ = (B−1)/(B·N²) and c₂ = 1/(B·N).
 */
record StepMoments(int examples, double decay, double c1, double c2) {

  /** The moments of a step; its batch size may be replaced by a real number between 1 and N. */
  static StepMoments of(SgdStep step, int examples, double batchSize) {
    double decay = step.l2() + step.weightDecay();
    double n = examples;
    double b = batchSize;
    if (step.sampling() == MiniBatchSampling.IID_WITH_REPLACEMENT) {
      return new StepMoments(examples, decay, (b - 1) / (b * n * n), 1 / (b * n));
    }
    if (b == n) {
      return new StepMoments(examples, decay, 1 / (n * n), 0);
    }
    double pairs = b * n * (n - 1);
    return new StepMoments(examples, decay, (b - 1) / pairs, (n - b) / pairs);
  }

  /** 1 − s(g, g) without cancellation; s(g, g) is the factor of the mean dynamics alone. */
  double excess(double rate, double g) {
    return excess(rate, g, g);
  }

  /** 1 − s(g, h). */
  double excess(double rate, double g, double h) {
    double mean = (g + h) / examples;
    double linear = 2 * decay + mean;
    double square = decay * decay + decay * mean + c1 * g * h;
    return rate * (linear - rate * square);
  }

  /** The supremum of the learning rates with s(g, g) &lt; 1. */
  double guard(double g) {
    double n = examples;
    double square = decay * decay + 2 * decay * g / n + c1 * g * g;
    return square == 0 ? Double.POSITIVE_INFINITY : (2 * decay + 2 * g / n) / square;
  }

  /** η²c₂ g h/(1 − s(g, h)), both sides divided by η. */
  PairKernel indexKernel(double rate) {
    return new PairKernel(
        rate * c2, 0, decay * (2 - rate * decay), (1 - rate * decay) / examples, rate * c1);
  }

  /** η²c₂ g h/(ρ − s(g, h)) at ρ = s(shift, shift) + gap. */
  PairKernel growthKernel(double rate, double shift, double gap) {
    double square = rate * rate * c1;
    double slope = (1 - rate * decay) * rate / examples - square * shift;
    return new PairKernel(rate * rate * c2, shift, gap, slope, square);
  }
}
