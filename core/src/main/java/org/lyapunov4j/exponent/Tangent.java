// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;

/**
 * A direction to start from: coefficients w of a residual r = G w. Carried from one checkpoint to
 * the next, it reaches the dominant direction at once. Immutable; equal if all coefficients are.
 */
public final class Tangent {
  private final double[] coefficients;

  private Tangent(double[] coefficients) {
    this.coefficients = coefficients;
  }

  /**
   * A tangent from a copy of coefficients.
   *
   * @param coefficients m = N·K finite numbers, not all zero
   * @return the tangent
   */
  public static Tangent of(double[] coefficients) {
    boolean nonzero = false;
    for (int i = 0; i < coefficients.length; i++) {
      double value = coefficients[i];
      if (Double.isNaN(value) || Double.isInfinite(value)) {
        throw new IllegalArgumentException(
            "a tangent must be finite, got " + value + " at position " + i);
      }
      nonzero |= value != 0;
    }
    if (!nonzero) {
      throw new IllegalArgumentException(
          "a tangent must have a nonzero coefficient, got " + coefficients.length + " zeros");
    }
    return new Tangent(coefficients.clone());
  }

  /**
   * The number of coefficients.
   *
   * @return m
   */
  public int size() {
    return coefficients.length;
  }

  /**
   * The coefficients.
   *
   * @return a new array of length m
   */
  public double[] toArray() {
    return coefficients.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Tangent that && Arrays.equals(coefficients, that.coefficients);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(coefficients);
  }

  @Override
  public String toString() {
    return "tangent of " + coefficients.length + " coefficients";
  }
}
