// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;

/**
 * A number with bounds. Of matrices beyond 128 rows, and of smaller ones with several outputs where
 * the theorem says little, the upper bound of an index and the lower bound of a critical learning
 * rate rest on an estimate of a second eigenvalue with a safety factor, the other two on a proof
 * ({@link MeanSquareStability}); else all hold by a proof, up to the rounding of their evaluation.
 *
 * @param value the best estimate, usually far more accurate than the bounds
 * @param low lower bound
 * @param high upper bound
 */
public record Enclosure(double value, double low, double high) {
  /** {@inheritDoc} */
  public Enclosure {
    if (!(low <= value && value <= high)) {
      throw new IllegalArgumentException(
          "an enclosure must be ordered, got " + low + ", " + value + ", " + high);
    }
  }

  /**
   * A number known exactly.
   *
   * @param value the number
   * @return the enclosure of width 0
   */
  static Enclosure exactly(double value) {
    return new Enclosure(value, value, value);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%.10g [%.10g, %.10g]", value, low, high);
  }
}
