// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.lyapunov4j.gram.Vectors;

/**
 * Products of small matrices in plain arrays, in double precision, four rows at a time. In Java,
 * since results must not depend on a library, nor a call of native code be paid for each small
 * matrix. Rows are arrays of their own, and rows of the flat tangent vector are copied, for the
 * sake of HotSpot ({@link Vectors#addAll}).
 */
final class PackedProduct {
  /** Rows of the target that stay in the cache while all rows of the other factor pass by. */
  private static final int TILE = 64;

  private PackedProduct() {}

  /** C += A W for A of rows × p, W of p × q from {@code at} on, C of rows × q. */
  static void addTimes(
      double[] a, int rows, int p, double[] w, int at, int q, double[][] c, double[][] four) {
    for (int tile = 0; tile < rows; tile += TILE) {
      int end = Math.min(rows, tile + TILE);
      for (int i = 0; i < p; i += 4) {
        int count = Math.min(4, p - i);
        for (int k = 0; k < count; k++) {
          System.arraycopy(w, at + (i + k) * q, four[k], 0, q);
        }
        for (int r = tile; r < end; r++) {
          Vectors.addAll(a, r * p + i, 1, count, four, 0, q, c[r]);
        }
      }
    }
  }

  /** W += Aᵀ V for A of rows × p, V of rows × q, W of p × q from {@code at} on. */
  static void addTransposedTimes(
      double[] a, int rows, int p, double[][] v, int q, double[] w, int at, double[] sum) {
    for (int tile = 0; tile < rows; tile += TILE) {
      int end = Math.min(rows, tile + TILE);
      for (int i = 0; i < p; i++) {
        int to = at + i * q;
        System.arraycopy(w, to, sum, 0, q);
        Vectors.addAll(a, tile * p + i, p, end - tile, v, tile, q, sum);
        System.arraycopy(sum, 0, w, to, q);
      }
    }
  }

  /** C_j += Σ_i x_ij Y_i for x of count × q from {@code at} on and rows Y of length n. */
  static void addTransposed(
      double[] x, int at, int count, int q, double[][] y, int n, double[][] c) {
    for (int i = 0; i < count; i += 4) {
      for (int j = 0; j < q; j++) {
        Vectors.addAll(x, at + i * q + j, q, Math.min(4, count - i), y, i, n, c[j]);
      }
    }
  }

  /**
   * Σ x_i y_i of vectors in an even number of pieces of one length. The compiler does not vectorise
   * a sum; so pieces are summed entry by entry first, two at a time: four of them, with nine arrays
   * in a loop, it does not vectorise either (JDK 17: 0.39 ns a product for 0.19).
   *
   * @param sums as long as a piece; overwritten
   */
  static double dot(double[][] x, double[][] y, double[] sums) {
    Arrays.fill(sums, 0);
    for (int c = 0; c < x.length; c += 2) {
      two(x[c], x[c + 1], y[c], y[c + 1], sums);
    }
    return sum(sums);
  }

  private static void two(double[] x0, double[] x1, double[] y0, double[] y1, double[] c) {
    for (int j = 0; j < c.length; j++) {
      c[j] += x0[j] * y0[j] + x1[j] * y1[j];
    }
  }

  /** Four sums at a time, so that none waits for the last addition. */
  private static double sum(double[] c) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int j = 0;
    for (; j + 4 <= c.length; j += 4) {
      s0 += c[j];
      s1 += c[j + 1];
      s2 += c[j + 2];
      s3 += c[j + 3];
    }
    for (; j < c.length; j++) {
      s0 += c[j];
    }
    return (s0 + s1) + (s2 + s3);
  }

  /** Sets the first entries of the first rows to 0. */
  static void clear(double[][] rows, int count, int n) {
    for (int r = 0; r < count; r++) {
      Arrays.fill(rows[r], 0, n, 0);
    }
  }
}
