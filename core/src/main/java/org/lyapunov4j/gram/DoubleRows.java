// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

/** Rows of entries of type double; sums of rows are formed in double. */
final class DoubleRows extends GramRows {
  private final double[][] rows;

  DoubleRows(double[][] rows) {
    this.rows = rows;
  }

  @Override
  public void add(int row, int column, double value) {
    rows[row][column] += value;
  }

  @Override
  public void add(int row, int from, double[] values, int count) {
    double[] target = rows[row];
    for (int c = 0; c < count; c++) {
      target[from + c] += values[c];
    }
  }

  @Override
  public void add(int row, int from, float[] values, int count) {
    double[] target = rows[row];
    for (int c = 0; c < count; c++) {
      target[from + c] += values[c];
    }
  }

  @Override
  public void addRow(int row, GramRows other, int count) {
    add(row, 0, ((DoubleRows) other).rows[row], count);
  }

  @Override
  int size() {
    return rows.length;
  }

  @Override
  int length(int row) {
    return rows[row].length;
  }

  @Override
  double get(int row, int column) {
    return rows[row][column];
  }

  @Override
  void copyRow(int row, double scale, double[] target) {
    double[] source = rows[row];
    for (int j = 0; j < source.length; j++) {
      target[j] = scale * source[j];
    }
  }

  @Override
  GramRows select(int[] which) {
    double[][] selected = new double[which.length][which.length];
    for (int i = 0; i < which.length; i++) {
      double[] source = rows[which[i]];
      for (int j = 0; j < which.length; j++) {
        selected[i][j] = source[which[j]];
      }
    }
    return new DoubleRows(selected);
  }

  @Override
  void addFourTo(
      double[] target, int from, int to, int[] which, double[] coefficients, int k, double scale) {
    double[] a = rows[which[k]];
    double[] b = rows[which[k + 1]];
    double[] c = rows[which[k + 2]];
    double[] d = rows[which[k + 3]];
    double ca = scale * coefficients[k];
    double cb = scale * coefficients[k + 1];
    double cc = scale * coefficients[k + 2];
    double cd = scale * coefficients[k + 3];
    for (int j = from; j < to; j++) {
      target[j] += ca * a[j] + cb * b[j] + cc * c[j] + cd * d[j];
    }
  }

  @Override
  void addTo(double[] target, int from, int to, int row, double coefficient) {
    double[] a = rows[row];
    for (int j = from; j < to; j++) {
      target[j] += coefficient * a[j];
    }
  }

  @Override
  double mirror(int i, int from, int to) {
    double[] row = rows[i];
    double largest = 0;
    for (int j = from; j < to; j++) {
      largest = Math.max(largest, Math.abs(row[j]));
      rows[j][i] = row[j];
    }
    return largest;
  }

  @Override
  void average(int i, int j) {
    double mean = 0.5 * rows[i][j] + 0.5 * rows[j][i];
    rows[i][j] = mean;
    rows[j][i] = mean;
  }

  @Override
  double least() {
    return Double.MIN_VALUE;
  }

  @Override
  double unit() {
    return Math.ulp(1.0);
  }
}
