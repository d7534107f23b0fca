// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import org.lyapunov4j.samples.plot.PlotStyle;

/**
 * Colours for signed numbers: blue below zero, white at it, vermilion above, by sign(λ)·log(1 +
 * |λ|/s), so that the tiny rates of a stable step are told from zero as well as the large ones of
 * an unstable one. Symmetric about zero.
 */
final class SignedScale {
  /** s as a part of the largest |λ|. */
  private static final double LINEAR_PART = 1e-3;

  private final double largest;

  /** A scale for values, of which infinities and NaN do not count. */
  SignedScale(List<Double> values) {
    largest = values.stream().filter(Double::isFinite).mapToDouble(Math::abs).max().orElse(0);
  }

  /** Where a value lies between −1 and 1; 0 for NaN. */
  double position(double value) {
    if (Double.isNaN(value) || largest == 0) {
      return Double.isInfinite(value) ? Math.signum(value) : 0;
    }
    double inside = Math.min(Math.abs(value), largest) / (LINEAR_PART * largest);
    return Math.signum(value) * Math.log1p(inside) / Math.log1p(1 / LINEAR_PART);
  }

  Color colour(double value) {
    return at(position(value));
  }

  /** The colour of a position. */
  static Color at(double position) {
    Color end = position < 0 ? PlotStyle.BLUE : PlotStyle.VERMILION;
    double part = Math.abs(position);
    return new Color(
        mixed(end.getRed(), part), mixed(end.getGreen(), part), mixed(end.getBlue(), part));
  }

  private static int mixed(int end, double part) {
    return (int) Math.round(255 + (end - 255) * part);
  }

  /** Zero and powers of ten on either side, as far as they are told apart. */
  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>(List.of(0.0));
    if (largest > 0) {
      double top = Math.pow(10, Math.floor(Math.log10(largest) + 1e-9));
      for (double tick = top; tick > 2 * LINEAR_PART * largest; tick /= 10) {
        ticks.add(tick);
        ticks.add(-tick);
      }
    }
    return ticks;
  }
}
