// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalDouble;

/**
 * An exponent estimated from sampled products, in nats per step.
 *
 * @param value λ̂
 * @param standardError of λ̂, from batch means
 * @param low lower end of the 95 % interval
 * @param high upper end of the 95 % interval; never beyond 0 where the sign is known otherwise
 * @param sign of λ
 * @param branch which branch of the product it was measured on
 * @param steps measured steps over all realisations
 * @param realisations how many independent products were sampled
 * @param variancePerStep σ², the variance rate of the log growth; log ‖M⋯M‖ over n steps has
 *     variance about n σ²
 * @param stopReason why sampling ended
 * @param history the running estimate at every look
 */
public record LyapunovEstimate(
    double value,
    double standardError,
    double low,
    double high,
    Sign sign,
    Branch branch,
    long steps,
    int realisations,
    double variancePerStep,
    StopReason stopReason,
    List<Look> history)
    implements LyapunovExponent {

  /** {@inheritDoc} */
  public LyapunovEstimate {
    history = List.copyOf(history);
    Objects.requireNonNull(sign, "sign");
    Objects.requireNonNull(branch, "branch");
    Objects.requireNonNull(stopReason, "stopReason");
    if (!(low <= value && value <= high)) {
      throw new IllegalArgumentException(
          "an estimate must lie in its interval, got " + value + " in [" + low + ", " + high + "]");
    }
  }

  /** What of the product carries the residual. */
  public enum Branch {
    /** The slowest direction of G, which is all that is left while training is stable. */
    SLOW,
    /** The direction that grows fastest, which leaves the minimum beyond the edge. */
    UNSTABLE
  }

  /**
   * The running estimate at one look.
   *
   * @param steps measured so far, over all realisations
   * @param value estimate, nats per step
   * @param halfWidth of its interval
   */
  public record Look(long steps, double value, double halfWidth) {}

  @Override
  public OptionalDouble point() {
    return OptionalDouble.of(value);
  }

  @Override
  public OptionalDouble error() {
    return OptionalDouble.of(standardError);
  }

  /**
   * Steps after which the sign would be decided at three standard errors, if λ is what it seems: 9
   * σ²/λ².
   *
   * @return the number of steps; +∞ where λ̂ = 0
   */
  public double stepsToDecide() {
    return value == 0 ? Double.POSITIVE_INFINITY : 9 * variancePerStep / (value * value);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%.4g ± %.2g", value, standardError);
  }
}
