// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;

/**
 * The critical learning rate η_c = sup{η : λ(η) ≤ 0} of a Gram matrix, batch size and sampling
 * scheme, with a 95 % interval.
 *
 * @param value the estimate, the median of the posterior; within [low, high]
 * @param low the 2.5 % quantile, never below η_ms where that is known, and half the way down to it
 *     where η_ms &lt; 0.86 η_c; 0 only if no rate tried was unstable
 * @param high the 97.5 % quantile; +∞ if no rate tried was unstable
 * @param isExact whether η_c is known in closed form, so that low = value = high
 * @param evaluations what was sampled, in the order it was
 */
public record CriticalLearningRate(
    double value, double low, double high, boolean isExact, List<Evaluation> evaluations) {
  /** {@inheritDoc} */
  public CriticalLearningRate {
    evaluations = List.copyOf(evaluations);
    if (!(low <= value && value <= high)) {
      throw new IllegalArgumentException(
          "a critical learning rate must lie in its interval, got "
              + value
              + " outside ["
              + low
              + ", "
              + high
              + "]");
    }
  }

  /**
   * λ at one learning rate; all evaluations draw the same mini-batches.
   *
   * @param learningRate η
   * @param exponent growth of a short run in nats per step; below the edge that is the transient of
   *     fast modes, not λ
   * @param standardError of the exponent
   * @param isPositive the growth is above zero by more than four standard errors
   * @param isNegative the growth is below zero by more than four standard errors
   */
  public record Evaluation(
      double learningRate,
      double exponent,
      double standardError,
      boolean isPositive,
      boolean isNegative) {}

  static CriticalLearningRate exactly(double value) {
    return new CriticalLearningRate(value, value, value, true, List.of());
  }

  /**
   * The edge ratio η/η_c: below 1 stable, above 1 unstable.
   *
   * @param learningRate η
   * @return the ratio
   */
  public double edgeRatio(double learningRate) {
    return learningRate / value;
  }

  /**
   * The lower end of the interval of the edge ratio.
   *
   * @param learningRate η
   * @return η over the smallest rate known to be unstable
   */
  public double edgeRatioLow(double learningRate) {
    return learningRate / high;
  }

  /**
   * The upper end of the interval of the edge ratio.
   *
   * @param learningRate η
   * @return η over the largest rate known to be stable; +∞ if none is
   */
  public double edgeRatioHigh(double learningRate) {
    return learningRate == 0 ? 0 : learningRate / low;
  }
}
