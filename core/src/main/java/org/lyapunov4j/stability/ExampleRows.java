// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import org.lyapunov4j.gram.Vectors;

/**
 * Products of the eigenvectors' rows, those of one example next to each other, with the K × K block
 * of that example.
 */
final class ExampleRows {
  private final double[] rows;
  private final int length;
  private final int outputs;

  /**
   * Of rows that may still be filled.
   *
   * @param rows one after the other
   * @param length of a row
   * @param outputs K
   */
  ExampleRows(double[] rows, int length, int outputs) {
    this.rows = rows;
    this.length = length;
    this.outputs = outputs;
  }

  /**
   * Adds D Q to the K rows of a product.
   *
   * @param d all blocks
   * @param first the first row of the example
   * @param from the first eigenvector
   * @param width how many; the length of a row of the product
   * @param product the rows of this example alone
   */
  void addTimesBlock(double[] d, int first, int from, int width, double[] product) {
    for (int a = 0; a < outputs; a++) {
      int row = (first + a) * outputs;
      int target = a * width;
      int b = 0;
      for (; b + 4 <= outputs; b += 4) {
        addFour(d, row + b, (first + b) * length + from, product, target, width);
      }
      for (; b + 2 <= outputs; b += 2) {
        int x = (first + b) * length + from;
        addTwo(d[row + b], d[row + b + 1], x, product, target, width);
      }
      for (; b < outputs; b++) {
        addOne(d[row + b], (first + b) * length + from, product, target, width);
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
        addEight(u, a * width, (first + b) * length + from, width, h, first, a, b);
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
    h[(first + a) * outputs + b] +=
        Vectors.dot(u, a * width, rows, (first + b) * length + from, width);
  }

  private void addEight(double[] u, int x, int y, int width, double[] h, int first, int a, int b) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    double t0 = 0;
    double t1 = 0;
    double t2 = 0;
    double t3 = 0;
    int y1 = y + length;
    int y2 = y1 + length;
    int y3 = y2 + length;
    for (int k = 0; k < width; k++) {
      double s = u[x + k];
      double t = u[x + width + k];
      s0 += s * rows[y + k];
      s1 += s * rows[y1 + k];
      s2 += s * rows[y2 + k];
      s3 += s * rows[y3 + k];
      t0 += t * rows[y + k];
      t1 += t * rows[y1 + k];
      t2 += t * rows[y2 + k];
      t3 += t * rows[y3 + k];
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

  private void addOne(double c, int x, double[] y, int target, int width) {
    for (int k = 0; k < width; k++) {
      y[target + k] += c * rows[x + k];
    }
  }

  private void addTwo(double c, double d, int x, double[] y, int target, int width) {
    int next = x + length;
    for (int k = 0; k < width; k++) {
      y[target + k] += c * rows[x + k] + d * rows[next + k];
    }
  }

  private void addFour(double[] d, int at, int x, double[] y, int target, int width) {
    double c0 = d[at];
    double c1 = d[at + 1];
    double c2 = d[at + 2];
    double c3 = d[at + 3];
    int x1 = x + length;
    int x2 = x1 + length;
    int x3 = x2 + length;
    for (int k = 0; k < width; k++) {
      y[target + k] +=
          (c0 * rows[x + k] + c1 * rows[x1 + k]) + (c2 * rows[x2 + k] + c3 * rows[x3 + k]);
    }
  }
}
