// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.hipparchus.distribution.continuous.NormalDistribution;
import org.hipparchus.stat.descriptive.moment.Kurtosis;
import org.hipparchus.stat.descriptive.moment.Mean;
import org.hipparchus.stat.descriptive.moment.Skewness;
import org.hipparchus.stat.descriptive.moment.Variance;
import org.hipparchus.stat.descriptive.rank.Percentile;
import org.hipparchus.stat.interval.BinomialProportion;
import org.hipparchus.stat.interval.ConfidenceInterval;

/**
 * The distribution of the growth of the training residual over a horizon of n steps, (1/n) log
 * (‖r_n‖/‖r_0‖) in nats per step, as an ensemble of independent realisations shows it.
 *
 * <p>It tells how far a run of n steps may be led astray by chance: where λ &gt; 0 a run may still
 * see its residual shrink, where λ &lt; 0 grow. For n → ∞ the mean tends to λ, n times the variance
 * to σ², and the distribution to a normal one; near the threshold it stays skewed to the right for
 * long. A realisation that annihilates the residual has exponent −∞; moments are then −∞ or NaN,
 * probabilities and quantiles remain what they are.
 *
 * <p>Immutable.
 */
public final class FiniteTimeExponents {
  private static final double CONFIDENCE = 0.95;

  private final int horizon;
  private final double[] sorted;

  /**
   * @param horizon n
   * @param exponents one for each realisation; taken over
   */
  FiniteTimeExponents(int horizon, double[] exponents) {
    this.horizon = horizon;
    sorted = exponents;
    Arrays.sort(sorted);
  }

  /**
   * The share of an event among the realisations.
   *
   * @param value the observed share
   * @param low lower end of the Wilson score interval at 95 %
   * @param high upper end
   */
  public record Proportion(double value, double low, double high) {}

  /**
   * The horizon.
   *
   * @return n, in steps
   */
  public int horizon() {
    return horizon;
  }

  /**
   * The number of realisations.
   *
   * @return R
   */
  public int trajectories() {
    return sorted.length;
  }

  /**
   * The exponents themselves.
   *
   * @return a new array, ascending
   */
  public double[] toArray() {
    return sorted.clone();
  }

  /**
   * The mean.
   *
   * @return nats per step, with its standard error over realisations
   */
  public Estimate mean() {
    if (sorted[0] == Double.NEGATIVE_INFINITY) {
      return Estimate.exact(Double.NEGATIVE_INFINITY);
    }
    double variance = new Variance().evaluate(sorted);
    return new Estimate(new Mean().evaluate(sorted), Math.sqrt(variance / sorted.length));
  }

  /**
   * The variance of the growth per step, n·Var of the exponents. It differs from the limit σ² by
   * O(1/n).
   *
   * @return nats² per step, with the standard error that the fourth moment gives
   */
  public Estimate varianceRate() {
    double variance = new Variance().evaluate(sorted);
    if (variance == 0) {
      return Estimate.exact(0);
    }
    double r = sorted.length;
    double excess = new Kurtosis().evaluate(sorted);
    double relative = Math.sqrt(Math.max(0, 2 / (r - 1) + excess / r));
    return new Estimate(horizon * variance, horizon * variance * relative);
  }

  /**
   * The skewness of the exponents, positive if the right tail is the longer one.
   *
   * @return the skewness, 0 for a constant ensemble, with its standard error for a normal sample
   */
  public Estimate skewness() {
    double r = sorted.length;
    double error = Math.sqrt(6 * r * (r - 1) / ((r - 2) * (r + 1) * (r + 3)));
    double variance = new Variance().evaluate(sorted);
    return variance == 0 ? Estimate.exact(0) : new Estimate(new Skewness().evaluate(sorted), error);
  }

  /**
   * A quantile.
   *
   * @param probability in (0, 1]
   * @return nats per step
   */
  public double quantile(double probability) {
    if (!(probability > 0 && probability <= 1)) {
      throw new IllegalArgumentException(
          "a probability must be above 0 and at most 1, got " + probability);
    }
    return new Percentile().evaluate(sorted, 100 * probability);
  }

  /**
   * The probability that the residual shrinks over the horizon.
   *
   * @return P(growth &lt; 0)
   */
  public Proportion probabilityNegative() {
    return proportion(Arrays.stream(sorted).filter(exponent -> exponent < 0).count());
  }

  /**
   * The probability that a run stopped at the horizon sees the other sign than the exponent has.
   *
   * @param exponent λ, not 0
   * @return P(growth ≥ 0) if λ &lt; 0, P(growth ≤ 0) if λ &gt; 0
   */
  public Proportion probabilityOfWrongSign(double exponent) {
    if (!(exponent != 0) || Double.isNaN(exponent)) {
      throw new IllegalArgumentException(
          "the exponent must have a sign, got " + exponent + "; 0 has no wrong sign");
    }
    double sign = Math.signum(exponent);
    return proportion(Arrays.stream(sorted).filter(value -> sign * value <= 0).count());
  }

  /**
   * The rate at which the wrong sign becomes improbable, in the Gaussian approximation: λ²/(2σ²)
   * with the mean and the variance rate of this ensemble. The true rate is {@link
   * MomentExponents#rate(double) I(0)}.
   *
   * @return per step; +∞ for a constant ensemble
   */
  public double gaussianRate() {
    double mean = mean().value();
    return mean * mean / (2 * varianceRate().value());
  }

  /**
   * The probability of shrinking over another horizon, in the Gaussian approximation with the mean
   * and the variance rate of this ensemble.
   *
   * @param steps the other horizon, at least 1
   * @return Φ(−mean·√steps/σ)
   */
  public double gaussianProbabilityNegative(int steps) {
    SamplingBuilder.requireAtLeast("steps", steps, 1);
    double deviation = Math.sqrt(varianceRate().value());
    double mean = mean().value() * Math.sqrt(steps);
    if (deviation > 0) {
      return new NormalDistribution(0, 1).cumulativeProbability(-mean / deviation);
    }
    return mean < 0 ? 1 : 0;
  }

  private Proportion proportion(long count) {
    double share = (double) count / sorted.length;
    ConfidenceInterval interval =
        BinomialProportion.getWilsonScoreInterval(sorted.length, share, CONFIDENCE);
    return new Proportion(share, interval.getLowerBound(), interval.getUpperBound());
  }
}
