// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * An estimate of the top Lyapunov exponent λ = lim (1/n) log ‖M_{S_n} ⋯ M_{S_1}‖ of the step on
 * range(G), in nats per step.
 *
 * @param value λ̂; −∞ if the product annihilates every vector
 * @param standardError of λ̂, from batch means; 0 if exact
 * @param low lower end of the 95 % interval
 * @param high upper end of the 95 % interval
 * @param steps measured steps over all trajectories
 * @param epochs measured epochs of each trajectory
 * @param trajectories independent realisations
 * @param variancePerStep σ², the variance rate of the log growth; log ‖M⋯M‖ over n steps has
 *     variance about n σ²
 * @param energyNormValue the same average in the energy norm wᵀGw; both must agree in the limit, so
 *     their difference shows how far that is
 * @param varianceReduction variance without over variance with control variates, 1 if none were
 *     used
 * @param sign the sign at {@code level}, by a sequential test on plain batch means
 * @param level the error level α of the sign test over all looks together
 * @param stopReason why sampling ended
 * @param history the running estimate at every look
 * @param tangent where the first trajectory ended, to start the next checkpoint from; absent if
 *     nothing was sampled
 */
public record GrowthEstimate(
    double value,
    double standardError,
    double low,
    double high,
    long steps,
    int epochs,
    int trajectories,
    double variancePerStep,
    double energyNormValue,
    double varianceReduction,
    Sign sign,
    double level,
    StopReason stopReason,
    List<Look> history,
    Optional<Tangent> tangent) {

  /** {@inheritDoc} */
  public GrowthEstimate {
    history = List.copyOf(history);
    Objects.requireNonNull(sign, "sign");
    Objects.requireNonNull(stopReason, "stopReason");
    Objects.requireNonNull(tangent, "tangent");
  }

  /**
   * The running estimate at one look of the sequential test.
   *
   * @param epochs measured epochs of each trajectory
   * @param value plain mean growth, nats per step
   * @param standardError from batch means
   */
  public record Look(int epochs, double value, double standardError) {}

  /**
   * An exponent known in closed form.
   *
   * @param value λ
   * @return the estimate without error
   */
  public static GrowthEstimate exact(double value) {
    Sign sign = value > 0 ? Sign.POSITIVE : value < 0 ? Sign.NEGATIVE : Sign.UNDECIDED;
    return new GrowthEstimate(
        value,
        0,
        value,
        value,
        0,
        0,
        0,
        0,
        value,
        1,
        sign,
        0,
        StopReason.EXACT,
        List.of(),
        Optional.empty());
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
}
