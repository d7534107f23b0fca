// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;

/**
 * Products of small matrices in plain arrays, in double precision, four rows at a time. In Java,
 * since results must not depend on a library, nor a call of native code be paid for each small
 * matrix. HotSpot forms such a loop with vector instructions only if every array is indexed by the
 * loop's variable alone, at 27 GFLOPS a core against 7 with offsets: so rows are arrays of their
 * own, and rows of the flat tangent vector are copied.
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
          addSome(a, r * p + i, 1, count, four, 0, q, c[r]);
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
        for (int r = tile; r < end; r += 4) {
          addSome(a, r * p + i, p, Math.min(4, end - r), v, r, q, sum);
        }
        System.arraycopy(sum, 0, w, to, q);
      }
    }
  }

  /** C_j += Σ_i x_ij Y_i for x of count × q from {@code at} on and rows Y of length n. */
  static void addTransposed(
      double[] x, int at, int count, int q, double[][] y, int n, double[][] c) {
    for (int i = 0; i < count; i += 4) {
      for (int j = 0; j < q; j++) {
        addSome(x, at + i * q + j, q, Math.min(4, count - i), y, i, n, c[j]);
      }
    }
  }

  /** c += Σ_k x_k D_{from + k} for as many rows of length n. */
  static void addRows(double[] x, int first, int count, double[][] d, int from, int n, double[] c) {
    for (int k = 0; k < count; k += 4) {
      addSome(x, first + k, 1, Math.min(4, count - k), d, from + k, n, c);
    }
  }

  /** c += Σ_{k < count} x_k y_k with at most four rows y, x with a stride. */
  private static void addSome(
      double[] x, int at, int stride, int count, double[][] y, int from, int n, double[] c) {
    if (count < 4) {
      for (int k = 0; k < count; k++) {
        one(x[at + k * stride], y[from + k], n, c);
      }
      return;
    }
    double x0 = x[at];
    double x1 = x[at + stride];
    double x2 = x[at + 2 * stride];
    double x3 = x[at + 3 * stride];
    // pixels and rectified activations are often 0
    if (x0 != 0 || x1 != 0 || x2 != 0 || x3 != 0) {
      four(x0, x1, x2, x3, y[from], y[from + 1], y[from + 2], y[from + 3], n, c);
    }
  }

  private static void four(
      double x0,
      double x1,
      double x2,
      double x3,
      double[] y0,
      double[] y1,
      double[] y2,
      double[] y3,
      int n,
      double[] c) {
    for (int j = 0; j < n; j++) {
      c[j] += (x0 * y0[j] + x1 * y1[j]) + (x2 * y2[j] + x3 * y3[j]);
    }
  }

  private static void one(double x, double[] y, int n, double[] c) {
    for (int j = 0; j < n; j++) {
      c[j] += x * y[j];
    }
  }

  /** Sets the first entries of the first rows to 0. */
  static void clear(double[][] rows, int count, int n) {
    for (int r = 0; r < count; r++) {
      Arrays.fill(rows[r], 0, n, 0);
    }
  }
}
