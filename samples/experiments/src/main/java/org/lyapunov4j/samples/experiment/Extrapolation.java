// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.List;
import org.hipparchus.distribution.continuous.NormalDistribution;

/**
 * A number of the training set from the means of what smaller probes gave: y(N) = y∞ + c/Nᵃ by
 * weighted least squares, read off at the size of the training set.
 *
 * @param value at that size, at the best exponent
 * @param low lower end of the 95 % interval: every value that some exponent allows
 * @param high upper end
 * @param exponent a of the best fit
 * @param misfit χ² per degree of freedom; above 1 the interval is widened by its root
 */
record Extrapolation(double value, double low, double high, double exponent, double misfit) {
  /** Where exponents are free. */
  private static final double[] EXPONENTS = {
    0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2
  };

  /** One, by which the largest eigenvalue of a mean of N matrices is too large, to first order. */
  private static final double[] ONE = {1};

  private static final double QUANTILE =
      new NormalDistribution().inverseCumulativeProbability(0.975);

  /**
   * What probes of one size gave.
   *
   * @param size N
   * @param mean of at least two probes
   */
  record Level(int size, Mean mean) {}

  /** With a = 1; at least three levels. */
  static Extrapolation ofOrderOne(List<Level> levels, int size) {
    return of(levels, size, ONE);
  }

  /** With the best a; at least four levels. */
  static Extrapolation ofAnyOrder(List<Level> levels, int size) {
    return of(levels, size, EXPONENTS);
  }

  private static Extrapolation of(List<Level> levels, int size, double[] exponents) {
    int parameters = exponents.length == 1 ? 2 : 3;
    if (levels.size() <= parameters) {
      throw new IllegalArgumentException(
          "there must be more than " + parameters + " sizes, got " + levels.size());
    }
    Line best = null;
    for (double a : exponents) {
      Line line = Line.of(levels, size, a);
      best = best == null || line.misfit < best.misfit ? line : best;
    }
    int freedom = levels.size() - parameters;
    double inflation = Math.max(1, best.misfit / freedom);
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (double a : exponents) {
      Line line = Line.of(levels, size, a);
      double room = QUANTILE * QUANTILE * inflation - (line.misfit - best.misfit);
      if (room >= 0) {
        double width = line.error * Math.sqrt(room);
        low = Math.min(low, line.value - width);
        high = Math.max(high, line.value + width);
      }
    }
    return new Extrapolation(best.value, low, high, best.exponent, best.misfit / freedom);
  }

  boolean covers(double truth) {
    return low <= truth && truth <= high;
  }

  /** The weighted line through the means over 1/Nᵃ, at one abscissa. */
  private record Line(double exponent, double value, double error, double misfit) {
    static Line of(List<Level> levels, int size, double exponent) {
      double weights = 0;
      double centre = 0;
      double height = 0;
      for (Level level : levels) {
        double weight = weight(level);
        weights += weight;
        centre += weight * abscissa(level.size(), exponent);
        height += weight * level.mean().value();
      }
      centre /= weights;
      height /= weights;
      double squares = 0;
      double products = 0;
      for (Level level : levels) {
        double x = abscissa(level.size(), exponent) - centre;
        squares += weight(level) * x * x;
        products += weight(level) * x * level.mean().value();
      }
      double slope = products / squares;
      double misfit = 0;
      for (Level level : levels) {
        double x = abscissa(level.size(), exponent) - centre;
        double residual = level.mean().value() - height - slope * x;
        misfit += weight(level) * residual * residual;
      }
      double at = abscissa(size, exponent) - centre;
      return new Line(
          exponent, height + slope * at, Math.sqrt(1 / weights + at * at / squares), misfit);
    }

    private static double abscissa(int size, double exponent) {
      return Math.pow(size, -exponent);
    }

    private static double weight(Level level) {
      double error = level.mean().error();
      return 1 / (error * error);
    }
  }
}
