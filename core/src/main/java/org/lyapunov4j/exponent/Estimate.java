// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/**
 * A number with its error.
 *
 * @param value the estimate; −∞ is a value like any other
 * @param standardError its standard error; 0 where the value is exact or −∞
 */
public record Estimate(double value, double standardError) {
  /**
   * A number known in closed form.
   *
   * @param value the number
   * @return the number without error
   */
  public static Estimate exact(double value) {
    return new Estimate(value, 0);
  }

  /**
   * The number as a multiple of something.
   *
   * @param factor finite
   * @return factor·value ± |factor|·standardError
   */
  Estimate times(double factor) {
    return new Estimate(factor * value, Math.abs(factor) * standardError);
  }
}
