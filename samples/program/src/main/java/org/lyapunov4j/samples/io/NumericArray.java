// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** An array of numbers read from a file, its entries in the order of the file. */
public final class NumericArray {
  private final long[] shape;
  private final boolean columnMajor;
  private final double[] doubles;
  private final float[] floats;

  NumericArray(long[] shape, boolean columnMajor, double[] doubles, float[] floats) {
    this.shape = shape;
    this.columnMajor = columnMajor;
    this.doubles = doubles;
    this.floats = floats;
  }

  /**
   * The dimensions.
   *
   * @return a copy, each at least 1
   */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Whether the first index runs fastest.
   *
   * @return true for Fortran order
   */
  public boolean columnMajor() {
    return columnMajor;
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
   * The entries in double precision.
   *
   * @return the entries themselves, not a copy
   * @throws IllegalStateException if the array is in single precision
   */
  public double[] doubles() {
    if (isSinglePrecision()) {
      throw new IllegalStateException("the array holds floats; call floats()");
    }
    return doubles;
  }

  /**
   * The entries in single precision.
   *
   * @return the entries themselves, not a copy
   * @throws IllegalStateException if the array is in double precision
   */
  public float[] floats() {
    if (!isSinglePrecision()) {
      throw new IllegalStateException("the array holds doubles; call doubles()");
    }
    return floats;
  }

  /**
   * The array as ND4J takes it.
   *
   * @return a copy, of type FLOAT or DOUBLE
   */
  public INDArray toINDArray() {
    INDArray flat =
        isSinglePrecision() ? Nd4j.createFromArray(floats) : Nd4j.createFromArray(doubles);
    return flat.reshape(columnMajor ? 'f' : 'c', shape);
  }

  /** The rows of a matrix in double precision by rows. */
  NumericMatrix matrix() {
    int columns = (int) shape[1];
    double[][] rows = new double[(int) shape[0]][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(doubles, i * columns, (i + 1) * columns);
    }
    return new NumericMatrix(columns, rows, null);
  }
}
