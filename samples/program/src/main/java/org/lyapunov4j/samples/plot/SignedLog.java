// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.plot;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * An axis that is logarithmic on both sides of 0, for numbers that are tiny on one side and large
 * on the other: height ±k stands for ±10^(first + k − 1), and heights between −1 and 1 are linear.
 */
public final class SignedLog {
  private static final int MOST_DECADES = 12;

  private final int first;
  private final int lowest;
  private final int highest;

  /**
   * An axis.
   *
   * @param values to be shown; 0, infinities and NaN do not count
   */
  public SignedLog(List<Double> values) {
    double[] sizes =
        values.stream()
            .mapToDouble(Math::abs)
            .filter(size -> size > 0 && Double.isFinite(size))
            .sorted()
            .toArray();
    int smallest = sizes.length == 0 ? 0 : exponent(sizes[0]);
    int largest = sizes.length == 0 ? 0 : exponent(sizes[sizes.length - 1]);
    first = Math.max(smallest, largest - MOST_DECADES);
    double[] finite = values.stream().mapToDouble(v -> v).filter(Double::isFinite).toArray();
    lowest = (int) Math.floor(height(Arrays.stream(finite).min().orElse(0))) - 1;
    highest = (int) Math.ceil(height(Arrays.stream(finite).max().orElse(0))) + 1;
  }

  private static int exponent(double size) {
    return (int) Math.floor(Math.log10(size) + 1e-9);
  }

  /**
   * The lower end of the axis.
   *
   * @return a whole height, below all values
   */
  public int lowest() {
    return lowest;
  }

  /**
   * The upper end of the axis.
   *
   * @return a whole height, above all values
   */
  public int highest() {
    return highest;
  }

  /**
   * Where a value is drawn.
   *
   * @param value any
   * @return its height; NaN for NaN
   */
  public double height(double value) {
    double inside = Math.abs(value) / Math.pow(10, first);
    return Math.signum(value) * (inside < 1 ? inside : 1 + Math.log10(inside));
  }

  /**
   * The label of a height.
   *
   * @param height on the axis
   * @return such as −1e-5; empty for heights between the powers of ten
   */
  public String label(double height) {
    long power = Math.round(height);
    if (Math.abs(height - power) > 1e-6) {
      return " ";
    }
    return power == 0
        ? "0"
        : String.format(Locale.ROOT, "%s1e%d", power < 0 ? "−" : "+", first + Math.abs(power) - 1);
  }
}
