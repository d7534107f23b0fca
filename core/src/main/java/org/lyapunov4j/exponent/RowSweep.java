// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.Vectors;

/**
 * Inner products with rows and linear combinations of rows, four rows at a time so that the vector
 * is loaded once for four. Combinations are vectorised by the compiler; sums it may not reorder, so
 * an inner product keeps two independent partial sums per row.
 */
final class RowSweep {
  private RowSweep() {}

  /** products_k = Σ_{j < length} rows[chosen_k][j] x_j for k = from … to − 1. */
  static void multiply(
      double[][] rows, int[] chosen, int from, int to, double[] x, int length, double[] products) {
    int k = from;
    for (; k + 4 <= to; k += 4) {
      multiplyFour(rows, chosen, k, x, length, products);
    }
    for (; k < to; k++) {
      products[k] = Vectors.dot(rows[chosen[k]], 0, x, 0, length);
    }
  }

  /** target[offset + j] += factor Σ_k weights_k rows[chosen_k][j] for k = from … to − 1. */
  static void combine(
      double[][] rows,
      int[] chosen,
      int from,
      int to,
      double factor,
      double[] weights,
      double[] target,
      int offset) {
    int k = from;
    for (; k + 4 <= to; k += 4) {
      addFour(
          rows[chosen[k]],
          rows[chosen[k + 1]],
          rows[chosen[k + 2]],
          rows[chosen[k + 3]],
          factor * weights[k],
          factor * weights[k + 1],
          factor * weights[k + 2],
          factor * weights[k + 3],
          target,
          offset);
    }
    for (; k < to; k++) {
      addOne(rows[chosen[k]], factor * weights[k], target, offset);
    }
  }

  private static void multiplyFour(
      double[][] rows, int[] chosen, int k, double[] x, int length, double[] products) {
    double[] a = rows[chosen[k]];
    double[] b = rows[chosen[k + 1]];
    double[] c = rows[chosen[k + 2]];
    double[] d = rows[chosen[k + 3]];
    double evenA = 0;
    double evenB = 0;
    double evenC = 0;
    double evenD = 0;
    double oddA = 0;
    double oddB = 0;
    double oddC = 0;
    double oddD = 0;
    int j = 0;
    for (; j + 2 <= length; j += 2) {
      double even = x[j];
      double odd = x[j + 1];
      evenA += a[j] * even;
      evenB += b[j] * even;
      evenC += c[j] * even;
      evenD += d[j] * even;
      oddA += a[j + 1] * odd;
      oddB += b[j + 1] * odd;
      oddC += c[j + 1] * odd;
      oddD += d[j + 1] * odd;
    }
    for (; j < length; j++) {
      evenA += a[j] * x[j];
      evenB += b[j] * x[j];
      evenC += c[j] * x[j];
      evenD += d[j] * x[j];
    }
    products[k] = evenA + oddA;
    products[k + 1] = evenB + oddB;
    products[k + 2] = evenC + oddC;
    products[k + 3] = evenD + oddD;
  }

  private static void addFour(
      double[] a,
      double[] b,
      double[] c,
      double[] d,
      double wa,
      double wb,
      double wc,
      double wd,
      double[] target,
      int offset) {
    for (int j = 0; j < a.length; j++) {
      target[offset + j] += wa * a[j] + wb * b[j] + wc * c[j] + wd * d[j];
    }
  }

  private static void addOne(double[] a, double weight, double[] target, int offset) {
    for (int j = 0; j < a.length; j++) {
      target[offset + j] += weight * a[j];
    }
  }
}
