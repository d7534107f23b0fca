// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The independent oracle for products of 2 × 2 matrices: the operator (P f)(θ) = E f(direction of M
 * x_θ) on functions of a direction θ in [0, π), on a grid with cubic interpolation. λ is the limit
 * of Pⁿ φ with φ(θ) = E log |M x_θ|; Λ(p) is the log of the spectral radius of f ↦ E |M x_θ|^p
 * f(direction of M x_θ).
 */
final class TransferOperator {
  private static final int POINTS = 2048;
  private static final int ITERATIONS = 3000;

  private final List<double[]> matrices = new ArrayList<>();
  private final List<Double> probabilities = new ArrayList<>();

  /** Adds the matrix (a b; c d). */
  TransferOperator add(double probability, double a, double b, double c, double d) {
    matrices.add(new double[] {a, b, c, d});
    probabilities.add(probability);
    return this;
  }

  double exponent() {
    double[] values = new double[POINTS];
    for (int m = 0; m < matrices.size(); m++) {
      for (int i = 0; i < POINTS; i++) {
        values[i] += probabilities.get(m) * Math.log(norm(image(matrices.get(m), angle(i))));
      }
    }
    for (int n = 0; n < ITERATIONS && range(values) > 1e-13; n++) {
      values = apply(values, 0);
    }
    return values[0];
  }

  double moment(double order) {
    double[] values = new double[POINTS];
    Arrays.fill(values, 1);
    double logRadius = 0;
    for (int n = 0; n < ITERATIONS; n++) {
      values = apply(values, order);
      double largest = 0;
      for (double value : values) {
        largest = Math.max(largest, value);
      }
      for (int i = 0; i < POINTS; i++) {
        values[i] /= largest;
      }
      if (Math.abs(Math.log(largest) - logRadius) < 1e-15) {
        break;
      }
      logRadius = Math.log(largest);
    }
    return logRadius;
  }

  private double[] apply(double[] values, double order) {
    double[] result = new double[POINTS];
    for (int m = 0; m < matrices.size(); m++) {
      for (int i = 0; i < POINTS; i++) {
        double[] y = image(matrices.get(m), angle(i));
        double weight = order == 0 ? 1 : Math.pow(norm(y), order);
        result[i] +=
            probabilities.get(m) * weight * interpolate(values, Math.atan2(y[1], y[0]) / Math.PI);
      }
    }
    return result;
  }

  /** Cubic through the four nearest points of a periodic grid on [0, 1). */
  private static double interpolate(double[] values, double turn) {
    double position = (turn - Math.floor(turn)) * POINTS;
    int base = (int) Math.floor(position);
    double t = position - base;
    double before = values[Math.floorMod(base - 1, POINTS)];
    double left = values[Math.floorMod(base, POINTS)];
    double right = values[Math.floorMod(base + 1, POINTS)];
    double after = values[Math.floorMod(base + 2, POINTS)];
    return -t * (t - 1) * (t - 2) / 6 * before
        + (t + 1) * (t - 1) * (t - 2) / 2 * left
        - (t + 1) * t * (t - 2) / 2 * right
        + (t + 1) * t * (t - 1) / 6 * after;
  }

  private static double angle(int index) {
    return Math.PI * index / POINTS;
  }

  private static double[] image(double[] m, double angle) {
    double x = Math.cos(angle);
    double y = Math.sin(angle);
    return new double[] {m[0] * x + m[1] * y, m[2] * x + m[3] * y};
  }

  private static double norm(double[] y) {
    return Math.hypot(y[0], y[1]);
  }

  private static double range(double[] values) {
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return most - least;
  }
}
