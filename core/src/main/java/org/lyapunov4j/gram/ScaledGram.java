// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

/**
 * A Gram matrix divided by a power of two, so that its largest entry is between 1 and 2 and no
 * square of an entry leaves the range of numbers. That is exact but for entries that become smaller
 * than 2⁻¹⁰²².
 */
final class ScaledGram {
  private final GramMatrix gram;
  private final int exponent;
  private final double half;
  private final double otherHalf;

  ScaledGram(GramMatrix gram) {
    this.gram = gram;
    double largest = 0;
    double[] row = new double[gram.size()];
    for (int i = 0; i < row.length; i++) {
      gram.copyRow(i, row);
      for (double entry : row) {
        largest = Math.max(largest, Math.abs(entry));
      }
    }
    exponent = largest == 0 ? 0 : exponent(largest);
    // 2⁻ᵉ itself may be too large for a number
    half = Math.scalb(1.0, -exponent / 2);
    otherHalf = Math.scalb(1.0, -exponent - -exponent / 2);
  }

  private static int exponent(double x) {
    return x >= Double.MIN_NORMAL ? Math.getExponent(x) : Math.getExponent(x * 0x1p60) - 60;
  }

  int size() {
    return gram.size();
  }

  void copyRow(int i, double[] target, int offset) {
    double[] row = new double[size()];
    gram.copyRow(i, row);
    for (int j = 0; j < row.length; j++) {
      target[offset + j] = row[j] * half * otherHalf;
    }
  }

  /** All entries, m ≤ 46340. */
  double[] toArray() {
    int m = size();
    double[] a = new double[m * m];
    for (int i = 0; i < m; i++) {
      copyRow(i, a, i * m);
    }
    return a;
  }

  /** y = G x of the scaled matrix. */
  void multiply(double[] x, double[] y) {
    double[] scaled = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      scaled[i] = half * x[i];
    }
    gram.multiply(scaled, y);
    for (int i = 0; i < y.length; i++) {
      y[i] *= otherHalf;
    }
  }

  /** What belongs to the matrix itself, from what belongs to the scaled one. */
  double unscaled(double eigenvalue) {
    return Math.scalb(eigenvalue, exponent);
  }
}
