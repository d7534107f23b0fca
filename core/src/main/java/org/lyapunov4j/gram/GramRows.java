// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

/**
 * The rows of a matrix in the making, in double or in single precision: the one place that knows
 * which. Sums go into it entry by entry or row by row; {@link GramMatrix#adoptLowerHalf} makes a
 * matrix of it.
 *
 * <p>Each row is an array of its own, so that threads may add to different rows at a time.
 */
public abstract sealed class GramRows permits DoubleRows, FloatRows {
  GramRows() {}

  /**
   * A matrix of zeros.
   *
   * @param m its rows and columns
   * @param single whether entries are floats
   * @return new rows
   */
  public static GramRows zeros(int m, boolean single) {
    return single ? new FloatRows(new float[m][m]) : new DoubleRows(new double[m][m]);
  }

  /**
   * Adds to an entry.
   *
   * @param row 0 … m − 1
   * @param column 0 … m − 1
   * @param value rounded to the precision of the rows before it is added
   */
  public abstract void add(int row, int column, double value);

  /**
   * Adds to entries from … from + count − 1 of a row.
   *
   * @param row 0 … m − 1
   * @param from the first column
   * @param values at least count; rounded to the precision of the rows before they are added
   * @param count how many
   */
  public abstract void add(int row, int from, double[] values, int count);

  /**
   * Adds to entries from … from + count − 1 of a row.
   *
   * @param row 0 … m − 1
   * @param from the first column
   * @param values at least count
   * @param count how many
   */
  public abstract void add(int row, int from, float[] values, int count);

  /**
   * Adds the leading entries of another matrix's row.
   *
   * @param row 0 … m − 1
   * @param other rows of the same size and precision
   * @param count how many entries
   */
  public abstract void addRow(int row, GramRows other, int count);

  abstract int size();

  abstract int length(int row);

  abstract double get(int row, int column);

  /** The entries of a row times a power of two. */
  abstract void copyRow(int row, double scale, double[] target);

  /** New rows of some of the rows and columns. */
  abstract GramRows select(int[] rows);

  /** target ← target + Σ c_l (row a_l) in columns from … to − 1, for the four rows from k on. */
  abstract void addFourTo(
      double[] target, int from, int to, int[] rows, double[] coefficients, int k, double scale);

  /** target ← target + c (row) in columns from … to − 1. */
  abstract void addTo(double[] target, int from, int to, int row, double coefficient);

  /** Copies entries from … to − 1 of a row into its column; their largest magnitude, or NaN. */
  abstract double mirror(int row, int from, int to);

  /** Puts the mean of entries (i, j) and (j, i) into both. */
  abstract void average(int i, int j);

  /** The smallest positive entry. */
  abstract double least();

  /** The distance from 1 to the next number. */
  abstract double unit();
}
