// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.math.BigDecimal;
import java.math.MathContext;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.knowm.xchart.style.XYStyler;
import org.lyapunov4j.samples.plot.SignedLog;

/**
 * How one axis of a panel is drawn and labelled. XChart labels a logarithmic axis at powers of ten
 * only: one with fewer than three of them goes by powers of two here, and one that has fewer than
 * three of these as well is linear.
 */
final class Scale {
  /** What is asked for. */
  enum Kind {
    LINEAR,
    LOGARITHMIC,
    /** Logarithmic on both sides of 0. */
    SIGNED_LOGARITHMIC
  }

  /** How a scale came to be drawn. */
  enum Steps {
    EQUAL,
    POWERS_OF_TEN,
    POWERS_OF_TWO,
    SIGNED_POWERS_OF_TEN
  }

  private static final int FEWEST_LABELS = 3;
  private static final double ROUNDING = 1e-9;

  /** XChart rounds the places of its labels. */
  private static final double SAME = 1e-6;

  private static final double LEAST_PLAIN = 1e-3;
  private static final double MOST_PLAIN = 1e5;

  private static final MathContext FEW_DIGITS = new MathContext(4);
  private static final MathContext MANY_DIGITS = new MathContext(10);

  private final Steps steps;
  private final DoubleUnaryOperator place;
  private final Optional<Function<Double, String>> labels;
  private final Optional<SignedLog> signed;

  private Scale(
      Steps steps,
      DoubleUnaryOperator place,
      Optional<Function<Double, String>> labels,
      Optional<SignedLog> signed) {
    this.steps = steps;
    this.place = place;
    this.labels = labels;
    this.signed = signed;
  }

  /**
   * A scale.
   *
   * @param values to be shown; those that cannot be do not count
   */
  static Scale of(Kind kind, double[] values) {
    return switch (kind) {
      case LINEAR -> linear(DoubleUnaryOperator.identity());
      case LOGARITHMIC -> logarithmic(DoubleStream.of(values).filter(Scale::isPositive).toArray());
      case SIGNED_LOGARITHMIC -> signed(values);
    };
  }

  private static Scale linear(DoubleUnaryOperator place) {
    return new Scale(Steps.EQUAL, place, Optional.of(Scale::linearLabel), Optional.empty());
  }

  private static Scale signed(double[] values) {
    SignedLog signed = new SignedLog(DoubleStream.of(values).boxed().toList());
    return new Scale(
        Steps.SIGNED_POWERS_OF_TEN,
        signed::height,
        Optional.of(signed::label),
        Optional.of(signed));
  }

  private static Scale logarithmic(double[] values) {
    double low = DoubleStream.of(values).min().orElse(1);
    double high = DoubleStream.of(values).max().orElse(1);
    if (powers(Math.log10(low), Math.log10(high)) >= FEWEST_LABELS) {
      return new Scale(
          Steps.POWERS_OF_TEN, positive(value -> value), Optional.empty(), Optional.empty());
    }
    double unit = unit(low, high);
    if (powers(octaves(low / unit), octaves(high / unit)) >= FEWEST_LABELS) {
      return new Scale(
          Steps.POWERS_OF_TWO,
          positive(value -> octaves(value / unit)),
          Optional.of(height -> label(height, unit, values)),
          Optional.empty());
    }
    return linear(positive(value -> value));
  }

  /** 1 where it is in range, so that an edge ratio of 1 has its label. */
  private static double unit(double low, double high) {
    boolean hasOne = low <= 1 && high >= 1;
    return hasOne ? 1 : Math.pow(10, Math.floor((Math.log10(low) + Math.log10(high)) / 2));
  }

  /** Whole numbers in an interval. */
  private static long powers(double low, double high) {
    return Math.round(Math.floor(high + ROUNDING) - Math.ceil(low - ROUNDING)) + 1;
  }

  private static double octaves(double value) {
    return Math.log(value) / Math.log(2);
  }

  private static DoubleUnaryOperator positive(DoubleUnaryOperator place) {
    return value -> isPositive(value) ? place.applyAsDouble(value) : Double.NaN;
  }

  private static boolean isPositive(double value) {
    return value > 0 && Double.isFinite(value);
  }

  /**
   * The value where it is a power of two or one of those that are shown: XChart asks for the labels
   * of the lowest and the highest, and takes no steps at all where they are the same. Blank between
   * these, so that it takes wider steps.
   */
  private static String label(double height, double unit, double[] values) {
    double value = unit * Math.pow(2, height);
    boolean isPower = Math.abs(height - Math.rint(height)) < SAME;
    boolean isShown =
        DoubleStream.of(values).anyMatch(shown -> Math.abs(value - shown) < SAME * shown);
    return isPower || isShown ? text(value) : " ";
  }

  /** As XChart writes the powers of ten. */
  private static String text(double value) {
    return value >= LEAST_PLAIN && value < MOST_PLAIN
        ? plain(value, FEW_DIGITS)
        : scientific(value);
  }

  /** XChart has no 0 before the point of some. */
  private static String linearLabel(double value) {
    return Math.abs(value) < MOST_PLAIN ? plain(value, MANY_DIGITS) : scientific(value);
  }

  private static String plain(double value, MathContext digits) {
    return new BigDecimal(value).round(digits).stripTrailingZeros().toPlainString();
  }

  private static String scientific(double value) {
    return new DecimalFormat("0.##E0", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(value);
  }

  Steps steps() {
    return steps;
  }

  /** Where XChart is to draw a value; not finite where it cannot be drawn. */
  double place(double value) {
    return place.applyAsDouble(value);
  }

  /** The label at a place that {@link #place} gives; XChart's own if absent. */
  Optional<String> label(double height) {
    return labels.map(labelled -> labelled.apply(height));
  }

  void applyToX(XYStyler styler) {
    styler.setXAxisLogarithmic(steps == Steps.POWERS_OF_TEN);
    labels.ifPresent(styler::setXAxisTickLabelsFormattingFunction);
  }

  void applyToY(XYStyler styler) {
    styler.setYAxisLogarithmic(steps == Steps.POWERS_OF_TEN);
    labels.ifPresent(styler::setYAxisTickLabelsFormattingFunction);
    signed.ifPresent(
        range -> styler.setYAxisMin((double) range.lowest()).setYAxisMax((double) range.highest()));
  }
}
