// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

/** Arithmetic of vectors in plain arrays, each sum in an order of its own that never changes. */
public final class Vectors {
  private Vectors() {}

  /**
   * The inner product.
   *
   * @param x a vector
   * @param y at least as long
   * @return Σ x_i y_i
   */
  public static double dot(double[] x, double[] y) {
    return dot(x, 0, y, 0, x.length);
  }

  /**
   * The inner product of parts. Four sums at a time: a single one would wait for each addition, and
   * the compiler may not reorder a sum by itself.
   *
   * @param x a vector
   * @param xFrom where its part begins
   * @param y another one
   * @param yFrom where its part begins
   * @param length of both parts
   * @return Σ x_{xFrom+i} y_{yFrom+i} over i &lt; length
   */
  public static double dot(double[] x, int xFrom, double[] y, int yFrom, int length) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 4 <= length; i += 4) {
      a += x[xFrom + i] * y[yFrom + i];
      b += x[xFrom + i + 1] * y[yFrom + i + 1];
      c += x[xFrom + i + 2] * y[yFrom + i + 2];
      d += x[xFrom + i + 3] * y[yFrom + i + 3];
    }
    for (; i < length; i++) {
      a += x[xFrom + i] * y[yFrom + i];
    }
    return (a + b) + (c + d);
  }

  /**
   * The Euclidean norm.
   *
   * @param x a vector
   * @return ‖x‖
   */
  public static double norm(double[] x) {
    return Math.sqrt(dot(x, x));
  }

  /**
   * x ← factor·x.
   *
   * @param x modified
   * @param factor any number
   */
  public static void scale(double[] x, double factor) {
    for (int i = 0; i < x.length; i++) {
      x[i] *= factor;
    }
  }

  /**
   * y ← y + factor·x.
   *
   * @param factor any number
   * @param x not modified
   * @param y at least as long; modified
   */
  public static void add(double factor, double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) {
      y[i] += factor * x[i];
    }
  }

  /**
   * c ← c + Σ_k x_{at + k·stride} y_{from + k}, four vectors at a time, which saves loads and
   * stores of c. HotSpot vectorises such a loop only if every array in it is indexed by the loop's
   * variable alone, at 27 GFLOPS a core against 7 with offsets.
   *
   * @param x holds the factors
   * @param at where the first is
   * @param stride between two of them
   * @param count how many there are
   * @param y holds the vectors
   * @param from which is the first
   * @param length of what is added
   * @param c modified
   */
  public static void addAll(
      double[] x, int at, int stride, int count, double[][] y, int from, int length, double[] c) {
    int k = 0;
    for (; k + 4 <= count; k += 4) {
      double x0 = x[at + k * stride];
      double x1 = x[at + (k + 1) * stride];
      double x2 = x[at + (k + 2) * stride];
      double x3 = x[at + (k + 3) * stride];
      // pixels and rectified activations are often 0
      if (x0 != 0 || x1 != 0 || x2 != 0 || x3 != 0) {
        int first = from + k;
        four(x0, x1, x2, x3, y[first], y[first + 1], y[first + 2], y[first + 3], length, c);
      }
    }
    for (; k < count; k++) {
      one(x[at + k * stride], y[from + k], length, c);
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
      int length,
      double[] c) {
    for (int i = 0; i < length; i++) {
      c[i] += (x0 * y0[i] + x1 * y1[i]) + (x2 * y2[i] + x3 * y3[i]);
    }
  }

  private static void one(double x, double[] y, int length, double[] c) {
    for (int i = 0; i < length; i++) {
      c[i] += x * y[i];
    }
  }
}
