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
}
