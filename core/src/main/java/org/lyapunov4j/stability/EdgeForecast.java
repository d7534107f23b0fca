// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;

/**
 * When the edge ratio η/η_c reaches 1, if its trend goes on and the learning rate stays.
 *
 * @param iteration where the straight line through the latest checkpoints reaches 1
 * @param low lower end of its 95 % interval, by Fieller's theorem; not before the latest checkpoint
 * @param high upper end
 */
public record EdgeForecast(double iteration, double low, double high) {
  /** {@inheritDoc} */
  public EdgeForecast {
    if (!(low <= iteration && iteration <= high && high < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "a forecast must lie in a finite interval, got "
              + iteration
              + " outside ["
              + low
              + ", "
              + high
              + "]");
    }
  }

  /** For people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "at this trend the edge comes at about iteration %.0f (%.0f to %.0f)",
        iteration,
        low,
        high);
  }
}
