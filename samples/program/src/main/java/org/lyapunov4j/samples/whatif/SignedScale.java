// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.samples.plot.PlotStyle;

/**
 * Colours for exponents: blue where λ is negative, vermilion where it is positive, grey where its
 * sign is not decided; the deeper the larger |λ|, on a logarithmic scale, since λ is tiny wherever
 * a step is stable. A bound has no size and the palest blue or vermilion.
 */
final class SignedScale {
  /** The depth of the smallest |λ|: its sign must be seen. */
  private static final double PALEST = 0.2;

  private static final Color UNDECIDED = new Color(0xE2E2E2);
  private static final int MOST_TICKS = 7;

  private final double smallest;
  private final double largest;

  /** A scale for exponents, of which bounds and those without a sign do not count. */
  SignedScale(List<LyapunovExponent> exponents) {
    double[] sizes =
        exponents.stream()
            .filter(exponent -> exponent.sign() != Sign.UNDECIDED)
            .flatMapToDouble(exponent -> exponent.point().stream())
            .map(Math::abs)
            .filter(size -> size > 0 && Double.isFinite(size))
            .sorted()
            .toArray();
    smallest = sizes.length == 0 ? 1 : sizes[0];
    largest = sizes.length == 0 ? 1 : sizes[sizes.length - 1];
  }

  /** Where an exponent lies between −1 and 1; 0 where its sign is not decided. */
  double position(LyapunovExponent exponent) {
    return switch (exponent.sign()) {
      case UNDECIDED -> 0;
      case NEGATIVE -> -depth(exponent);
      case POSITIVE -> depth(exponent);
    };
  }

  private double depth(LyapunovExponent exponent) {
    return exponent instanceof ExponentBound
        ? PALEST
        : depth(Math.abs(exponent.point().orElseThrow()));
  }

  private double depth(double size) {
    double inside = Math.max(smallest, Math.min(largest, size));
    double share =
        largest > smallest ? Math.log(inside / smallest) / Math.log(largest / smallest) : 1;
    return PALEST + (1 - PALEST) * share;
  }

  /** The colour of a position. */
  static Color at(double position) {
    double depth = Math.abs(position);
    if (depth < PALEST) {
      return UNDECIDED;
    }
    Color end = position < 0 ? PlotStyle.BLUE : PlotStyle.VERMILION;
    return new Color(
        mixed(end.getRed(), depth), mixed(end.getGreen(), depth), mixed(end.getBlue(), depth));
  }

  private static int mixed(int end, double part) {
    return (int) Math.round(255 + (end - 255) * part);
  }

  /** The heights of labels on a bar of positions, and what they say. */
  List<Tick> ticks() {
    List<Tick> ticks = new ArrayList<>(List.of(new Tick(0, "sign open")));
    int low = (int) Math.ceil(Math.log10(smallest) - 1e-9);
    int high = (int) Math.floor(Math.log10(largest) + 1e-9);
    int stride = 1 + (high - low) / MOST_TICKS;
    for (int exponent = high; exponent >= low; exponent -= stride) {
      double depth = depth(Math.pow(10, exponent));
      ticks.add(new Tick(depth, "+1e" + exponent));
      ticks.add(new Tick(-depth, "−1e" + exponent));
    }
    return ticks;
  }

  /**
   * A label.
   *
   * @param position between −1 and 1
   * @param label the text
   */
  record Tick(double position, String label) {}
}
