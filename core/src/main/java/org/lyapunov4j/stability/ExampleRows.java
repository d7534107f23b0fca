// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import org.lyapunov4j.gram.Vectors;

/**
 * Products of the eigenvectors' rows, those of one example next to each other, with the K × K block
 * of that example.
 */
final class ExampleRows {
  private final double[][] rows;
  private final int outputs;

  /**
   * Of rows that may still be filled.
   *
   * @param rows of the eigenvectors, each an array of its own, for which HotSpot has vector
   *     instructions where all arrays of a loop are indexed alike
   * @param outputs K
   */
  ExampleRows(double[][] rows, int outputs) {
    this.rows = rows;
    this.outputs = outputs;
  }

  /**
   * Adds D Q to the K rows of a product.
   *
   * @param d all blocks
   * @param first the first row of the example
   * @param from the first eigenvector
   * @param to the last one, exclusive
   * @param product the rows of this example alone, indexed like the eigenvectors
   */
  void addTimesBlock(double[] d, int first, int from, int to, double[][] product) {
    for (int a = 0; a < outputs; a++) {
      int row = (first + a) * outputs;
      double[] y = product[a];
      int b = 0;
      for (; b + 4 <= outputs; b += 4) {
        addFour(d, row + b, first + b, from, to, y);
      }
      for (; b + 2 <= outputs; b += 2) {
        addTwo(d[row + b], d[row + b + 1], rows[first + b], rows[first + b + 1], from, to, y);
      }
      for (; b < outputs; b++) {
        addOne(d[row + b], rows[first + b], from, to, y);
      }
    }
  }

  /**
   * Adds Σ_k u_ak q_bk over the eigenvectors from … to the entries (a, b) of an example's block:
   * two rows of U and four of Q at a time, so that each number loaded is used more than once.
   *
   * @param u the rows of this example alone
   * @param h all blocks
   */
  void addBlock(double[] u, int first, int from, int width, double[] h) {
    int a = 0;
    for (; a + 2 <= outputs; a += 2) {
      int b = 0;
      for (; b + 4 <= outputs; b += 4) {
        addEight(u, a * width, from, width, h, first, a, b);
      }
      for (; b + 2 <= outputs; b += 2) {
        addSquare(u, a * width, from, width, h, first, a, b);
      }
      for (; b < outputs; b++) {
        addEntry(u, first, a, b, from, width, h);
        addEntry(u, first, a + 1, b, from, width, h);
      }
    }
    for (int b = 0; a < outputs && b < outputs; b++) {
      addEntry(u, first, a, b, from, width, h);
    }
  }

  private void addEntry(double[] u, int first, int a, int b, int from, int width, double[] h) {
    h[(first + a) * outputs + b] += Vectors.dot(u, a * width, rows[first + b], from, width);
  }

  private void addEight(
      double[] u, int x, int from, int width, double[] h, int first, int a, int b) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    double t0 = 0;
    double t1 = 0;
    double t2 = 0;
    double t3 = 0;
    double[] q0 = rows[first + b];
    double[] q1 = rows[first + b + 1];
    double[] q2 = rows[first + b + 2];
    double[] q3 = rows[first + b + 3];
    for (int k = 0; k < width; k++) {
      double s = u[x + k];
      double t = u[x + width + k];
      s0 += s * q0[from + k];
      s1 += s * q1[from + k];
      s2 += s * q2[from + k];
      s3 += s * q3[from + k];
      t0 += t * q0[from + k];
      t1 += t * q1[from + k];
      t2 += t * q2[from + k];
      t3 += t * q3[from + k];
    }
    int at = (first + a) * outputs + b;
    h[at] += s0;
    h[at + 1] += s1;
    h[at + 2] += s2;
    h[at + 3] += s3;
    h[at + outputs] += t0;
    h[at + outputs + 1] += t1;
    h[at + outputs + 2] += t2;
    h[at + outputs + 3] += t3;
  }

  private void addSquare(
      double[] u, int x, int from, int width, double[] h, int first, int a, int b) {
    double s0 = 0;
    double s1 = 0;
    double t0 = 0;
    double t1 = 0;
    double[] q0 = rows[first + b];
    double[] q1 = rows[first + b + 1];
    for (int k = 0; k < width; k++) {
      double s = u[x + k];
      double t = u[x + width + k];
      s0 += s * q0[from + k];
      s1 += s * q1[from + k];
      t0 += t * q0[from + k];
      t1 += t * q1[from + k];
    }
    int at = (first + a) * outputs + b;
    h[at] += s0;
    h[at + 1] += s1;
    h[at + outputs] += t0;
    h[at + outputs + 1] += t1;
  }

  private static void addOne(double c, double[] q, int from, int to, double[] y) {
    for (int k = from; k < to; k++) {
      y[k] += c * q[k];
    }
  }

  private static void addTwo(
      double c, double d, double[] q, double[] next, int from, int to, double[] y) {
    for (int k = from; k < to; k++) {
      y[k] += c * q[k] + d * next[k];
    }
  }

  private void addFour(double[] d, int at, int row, int from, int to, double[] y) {
    double c0 = d[at];
    double c1 = d[at + 1];
    double c2 = d[at + 2];
    double c3 = d[at + 3];
    double[] q0 = rows[row];
    double[] q1 = rows[row + 1];
    double[] q2 = rows[row + 2];
    double[] q3 = rows[row + 3];
    for (int k = from; k < to; k++) {
      y[k] += (c0 * q0[k] + c1 * q1[k]) + (c2 * q2[k] + c3 * q3[k]);
    }
  }
}
