// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.gram;

import java.io.IOException;
import java.util.Locale;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.ArrayFile;
import org.lyapunov4j.samples.io.BadFileException;
import org.lyapunov4j.samples.io.NumericMatrix;

/** Gram matrices that came from elsewhere. */
public final class GramFile {
  private GramFile() {}

  /**
   * Reads a Gram matrix.
   *
   * @param place of a square symmetric matrix, as in {@link ArrayFile#SYNTAX}
   * @param outputs K
   * @return the matrix of m/K examples
   * @throws IOException if the file cannot be read or is no Gram matrix
   * @throws IllegalArgumentException if K does not divide m
   */
  public static GramMatrix read(String place, int outputs) throws IOException {
    NumericMatrix matrix = ArrayFile.readMatrix(place);
    int size = matrix.rows();
    if (size != matrix.columns()) {
      throw new BadFileException(
          place,
          String.format(
              Locale.ROOT,
              "a Gram matrix must be square, got %d × %d; save J·Jᵀ, not the Jacobian J",
              size,
              matrix.columns()));
    }
    Input.require(
        size % outputs == 0,
        "--outputs must divide the %d rows of the Gram matrix, got %d; give the K that the network has",
        size,
        outputs);
    try {
      return matrix.isSinglePrecision()
          ? GramMatrix.adopt(matrix.floats(), size / outputs, outputs)
          : GramMatrix.adopt(matrix.doubles(), size / outputs, outputs);
    } catch (IllegalArgumentException e) {
      throw new BadFileException(place, e.getMessage());
    }
  }
}
