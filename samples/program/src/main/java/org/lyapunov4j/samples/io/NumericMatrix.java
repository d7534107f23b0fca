// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

/** A matrix of numbers read from a file. */
public final class NumericMatrix {
  private final int columns;
  private final double[][] doubles;
  private final float[][] floats;

  NumericMatrix(int columns, double[][] doubles, float[][] floats) {
    this.columns = columns;
    this.doubles = doubles;
    this.floats = floats;
  }

  /**
   * The number of rows.
   *
   * @return at least 1
   */
  public int rows() {
    return isSinglePrecision() ? floats.length : doubles.length;
  }

  /**
   * The number of columns.
   *
   * @return at least 1
   */
  public int columns() {
    return columns;
  }

  /**
   * Which of {@link #floats()} and {@link #doubles()} holds the entries.
   *
   * @return true for {@code floats()}
   */
  public boolean isSinglePrecision() {
    return floats != null;
  }

  /**
   * The rows of a matrix in double precision.
   *
   * @return the rows themselves, not a copy
   * @throws IllegalStateException if the matrix is in single precision
   */
  public double[][] doubles() {
    if (isSinglePrecision()) {
      throw new IllegalStateException("the matrix holds floats; call floats()");
    }
    return doubles;
  }

  /**
   * The rows of a matrix in single precision.
   *
   * @return the rows themselves, not a copy
   * @throws IllegalStateException if the matrix is in double precision
   */
  public float[][] floats() {
    if (!isSinglePrecision()) {
      throw new IllegalStateException("the matrix holds doubles; call doubles()");
    }
    return floats;
  }
}
