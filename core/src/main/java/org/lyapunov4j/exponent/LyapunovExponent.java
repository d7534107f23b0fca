// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.OptionalDouble;

/**
 * What is known of a top Lyapunov exponent λ = lim (1/n) log ‖M_{S_n} ⋯ M_{S_1}‖ on range(G), in
 * nats per step: its value, an estimate with an interval, or bounds alone.
 *
 * <p>A bound is not an estimate with a wide interval: where the slowest direction of G is lost in
 * rounding, λ is somewhere between two numbers, and no number in between is more likely than
 * another. Such an exponent has no {@link #point()}.
 */
public sealed interface LyapunovExponent permits ExactExponent, LyapunovEstimate, ExponentBound {
  /**
   * The best single number.
   *
   * @return λ or its estimate, −∞ if the product annihilates every vector; absent for a bound
   */
  OptionalDouble point();

  /**
   * The standard error of {@link #point()}.
   *
   * @return 0 for an exact value; absent for a bound
   */
  OptionalDouble error();

  /**
   * The lower end of what is known.
   *
   * @return the value, the lower end of the 95 % interval, or the lower bound
   */
  double low();

  /**
   * The upper end of what is known.
   *
   * @return the value, the upper end of the 95 % interval, or the upper bound
   */
  double high();

  /**
   * The sign of λ.
   *
   * @return undecided where what is known includes 0, up to rounding
   */
  Sign sign();

  /**
   * The exponent in words, the same at every door.
   *
   * @return {@code -4.43e-05 ± 2.2e-07}, {@code between -3.0e-09 and 0}, {@code -0.105}
   */
  @Override
  String toString();
}
