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
  private static final double ROUNDING = 1e-12;

  private final int horizon;
  private final FiniteTimeEstimator.Start start;
  private final double[] sorted;
  private final Estimate varianceRate;

  /** From a random direction. */
  FiniteTimeExponents(int horizon, double[] growth, double[] middle, int middleSteps) {
    this(FiniteTimeEstimator.Start.ISOTROPIC, horizon, growth, middle, middleSteps);
  }

  /**
   * @param start where the realisations started
   * @param horizon n
   * @param growth log growth over the horizon, one for each realisation
   * @param middle log growth over {@code middleSteps} steps in the middle of the horizon
   */
  FiniteTimeExponents(
      FiniteTimeEstimator.Start start,
      int horizon,
      double[] growth,
      double[] middle,
      int middleSteps) {
    this.start = start;
    this.horizon = horizon;
    sorted = Arrays.stream(growth).map(value -> value / horizon).sorted().toArray();
    varianceRate = isConstant() ? Estimate.exact(0) : covariance(growth, middle, middleSteps);
  }

  private static Estimate covariance(double[] growth, double[] middle, int steps) {
    double meanGrowth = new Mean().evaluate(growth);
    double meanMiddle = new Mean().evaluate(middle);
    double[] products = new double[growth.length];
    for (int i = 0; i < products.length; i++) {
      products[i] = (growth[i] - meanGrowth) * (middle[i] - meanMiddle) / steps;
    }
    double r = products.length;
    return new Estimate(
        Math.max(0, new Mean().evaluate(products) * r / (r - 1)),
        Math.sqrt(new Variance().evaluate(products) / r));
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
   * Where the realisations started, which decides the answer unless the horizon is long.
   *
   * @return the start
   */
  public FiniteTimeEstimator.Start start() {
    return start;
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
    return new Estimate(
        new Mean().evaluate(sorted), Math.sqrt(new Variance().evaluate(sorted) / sorted.length));
  }

  /**
   * The variance of the exponents at this horizon.
   *
   * @return (nats per step)², with the standard error that the fourth moment gives
   */
  public Estimate variance() {
    if (isConstant()) {
      return Estimate.exact(0);
    }
    double variance = new Variance().evaluate(sorted);
    double r = sorted.length;
    double excess = new Kurtosis().evaluate(sorted);
    return new Estimate(variance, variance * Math.sqrt(Math.max(0, 2 / (r - 1) + excess / r)));
  }

  /**
   * The variance rate σ² of the log growth, lim n·Var of the exponents. What the residual's shape
   * at the two ends of the horizon adds to n·Var vanishes only as 1/n; the covariance of the growth
   * over the middle half with that over the whole is free of it.
   *
   * @return nats² per step, with the standard error over realisations; 0 where the covariance is
   *     negative, as it may be within its error where nothing but the ends varies
   */
  public Estimate varianceRate() {
    return varianceRate;
  }

  /**
   * The skewness of the exponents, positive if the right tail is the longer one.
   *
   * @return the skewness, 0 for a constant ensemble, with its jackknife standard error
   */
  public Estimate skewness() {
    if (isConstant()) {
      return Estimate.exact(0);
    }
    return new Estimate(new Skewness().evaluate(sorted), jackknifeErrorOfSkewness());
  }

  /** From the skewness without each of the realisations, by sums of powers. */
  private double jackknifeErrorOfSkewness() {
    int r = sorted.length;
    double mean = new Mean().evaluate(sorted);
    double second = 0;
    double third = 0;
    for (double value : sorted) {
      second += Math.pow(value - mean, 2);
      third += Math.pow(value - mean, 3);
    }
    double[] without = new double[r];
    for (int i = 0; i < r; i++) {
      double d = sorted[i] - mean;
      double n = r - 1;
      double shift = -d / n;
      double squares = second - d * d - n * shift * shift;
      double cubes = third - d * d * d - 3 * shift * (second - d * d) + 2 * n * Math.pow(shift, 3);
      without[i] = squares > 0 ? cubes / n / Math.pow(squares / n, 1.5) : 0;
    }
    return Math.sqrt(new Variance().evaluate(without) * (r - 1) * (r - 1.0) / r);
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
   * The rate at which the wrong sign becomes improbable, in the Gaussian approximation: mean²/(2n
   * variance). The true rate is {@link MomentExponents#rate(double) I(0)}.
   *
   * @return per step; +∞ for a constant ensemble
   */
  public double gaussianRate() {
    double mean = mean().value();
    return mean * mean / (2 * horizon * variance().value());
  }

  /**
   * The probability of shrinking over another horizon, in the Gaussian approximation with the mean
   * and n times the variance of this one.
   *
   * @param steps the other horizon, at least 1
   * @return Φ(−mean·√steps/√(n variance))
   */
  public double gaussianProbabilityNegative(int steps) {
    SamplingBuilder.requireAtLeast("steps", steps, 1);
    double mean = mean().value();
    double deviation = Math.sqrt(horizon * variance().value() / steps);
    if (deviation > 0) {
      return new NormalDistribution(0, 1).cumulativeProbability(-mean / deviation);
    }
    return mean < 0 ? 1 : 0;
  }

  /** Whether the exponents differ by no more than rounding. */
  private boolean isConstant() {
    double least = sorted[0];
    double most = sorted[sorted.length - 1];
    return most - least <= ROUNDING * Math.max(Math.abs(least), Math.abs(most));
  }

  private Proportion proportion(long count) {
    double share = (double) count / sorted.length;
    ConfidenceInterval interval =
        BinomialProportion.getWilsonScoreInterval(sorted.length, share, CONFIDENCE);
    return new Proportion(share, interval.getLowerBound(), interval.getUpperBound());
  }
}
