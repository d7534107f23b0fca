// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Numbers of one type, read piece by piece. */
final class EntryReader {
  /** Entries read at a time. */
  private static final int PIECE = 1 << 16;

  private final BoundedInput input;
  private final ElementType type;
  private final ByteOrder order;

  EntryReader(BoundedInput input, ElementType type, ByteOrder order) {
    this.input = input;
    this.type = type;
    this.order = order;
  }

  /** All entries of an array; {@code columnMajor} if the first index runs fastest. */
  NumericArray array(long[] shape, int entries, boolean columnMajor) throws IOException {
    if (type.isSinglePrecision()) {
      float[] floats = new float[entries];
      read(floats);
      return new NumericArray(shape, columnMajor, null, floats);
    }
    double[] doubles = new double[entries];
    read(doubles);
    return new NumericArray(shape, columnMajor, doubles, null);
  }

  /** All entries of a matrix. */
  NumericMatrix matrix(int rows, int columns, boolean columnMajor) throws IOException {
    return type.isSinglePrecision()
        ? new NumericMatrix(columns, null, floatRows(rows, columns, columnMajor))
        : new NumericMatrix(columns, doubleRows(rows, columns, columnMajor), null);
  }

  private double[][] doubleRows(int rows, int columns, boolean columnMajor) throws IOException {
    double[][] matrix = new double[rows][columns];
    if (!columnMajor) {
      for (double[] row : matrix) {
        read(row);
      }
      return matrix;
    }
    double[] column = new double[rows];
    for (int j = 0; j < columns; j++) {
      read(column);
      for (int i = 0; i < rows; i++) {
        matrix[i][j] = column[i];
      }
    }
    return matrix;
  }

  private float[][] floatRows(int rows, int columns, boolean columnMajor) throws IOException {
    float[][] matrix = new float[rows][columns];
    if (!columnMajor) {
      for (float[] row : matrix) {
        read(row);
      }
      return matrix;
    }
    float[] column = new float[rows];
    for (int j = 0; j < columns; j++) {
      read(column);
      for (int i = 0; i < rows; i++) {
        matrix[i][j] = column[i];
      }
    }
    return matrix;
  }

  private void read(double[] target) throws IOException {
    for (int from = 0; from < target.length; from += PIECE) {
      int to = Math.min(target.length, from + PIECE);
      ByteBuffer piece = piece(to - from);
      for (int i = from; i < to; i++) {
        target[i] = next(piece);
      }
    }
  }

  private void read(float[] target) throws IOException {
    for (int from = 0; from < target.length; from += PIECE) {
      int to = Math.min(target.length, from + PIECE);
      ByteBuffer piece = piece(to - from);
      for (int i = from; i < to; i++) {
        target[i] = (float) type.next(piece);
      }
    }
  }

  private ByteBuffer piece(int entries) throws IOException {
    return ByteBuffer.wrap(input.exactly(entries * type.size(), "these entries")).order(order);
  }

  private double next(ByteBuffer piece) throws BadFileException {
    try {
      return type.next(piece);
    } catch (IllegalArgumentException e) {
      throw input.complaint(e.getMessage());
    }
  }
}
