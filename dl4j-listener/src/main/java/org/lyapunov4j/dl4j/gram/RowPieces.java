// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of numbers of the examples of a probe, read in pieces of one length, the last filled up with
 * zeros, each an array of its own, for the sake of HotSpot ({@link PackedProduct}). They are kept
 * as such pieces of doubles, or as they were computed and widened whenever they are read, which
 * HotSpot of JDK 17 does not vectorise. The numbers are the same.
 */
final class RowPieces {
  /** Numbers of a piece at most, so that some of them fit the first cache. */
  private static final int LONGEST = 512;

  /** Pieces come in pairs, as {@link PackedProduct#dot} takes them. */
  private static final int PAIR = 2;

  /** Bytes of an array beside its numbers, and of what refers to it. */
  private static final int HEADER = 24;

  private final int width;
  private final int pieces;
  private final int length;
  private final boolean wide;
  private final FactorStore narrow = new FactorStore();

  /** Of each example its rows, of each row its pieces. */
  private final List<double[][][]> whole = new ArrayList<>();

  /**
   * No examples as yet.
   *
   * @param width numbers of a row
   * @param wide whether they are kept as pieces of doubles
   */
  RowPieces(int width, boolean wide) {
    this.width = width;
    this.wide = wide;
    pieces = PAIR * Math.max(1, (width + PAIR * LONGEST - 1) / (PAIR * LONGEST));
    length = (width + pieces - 1) / pieces;
  }

  /** How many pieces a row has, an even number. */
  int pieces() {
    return pieces;
  }

  /** Numbers of a piece. */
  int length() {
    return length;
  }

  /** Where a chunk of examples is to be put for {@link #added}. */
  FactorStore next() {
    return wide ? new FactorStore() : narrow;
  }

  /** Takes what {@link #next} holds now. */
  void added(FactorStore chunk) {
    for (int i = 0; wide && i < chunk.examples(); i++) {
      double[][][] rows = new double[chunk.length(i) / width][pieces][length];
      for (int k = 0; k < rows.length; k++) {
        for (int c = 0; c < pieces; c++) {
          read(chunk, i, k, c, rows[k][c]);
        }
      }
      whole.add(rows);
    }
  }

  private void read(FactorStore store, int example, int row, int piece, double[] target) {
    int from = Math.min(width, piece * length);
    int count = Math.min(length, width - from);
    store.read(example, row * width + from, count, target, 0);
    Arrays.fill(target, count, length, 0);
  }

  int examples() {
    return wide ? whole.size() : narrow.examples();
  }

  /** Of all examples. */
  long rows() {
    return wide ? whole.stream().mapToLong(example -> example.length).sum() : narrow.size() / width;
  }

  int rows(int example) {
    return wide ? whole.get(example).length : narrow.length(example) / width;
  }

  /** A piece of a row, not to be modified: the scratch if it has to be widened. */
  double[] piece(int example, int row, int piece, double[] scratch) {
    if (wide) {
      return whole.get(example)[row][piece];
    }
    read(narrow, example, row, piece, scratch);
    return scratch;
  }

  long bytes() {
    return wide ? (HEADER + (long) Double.BYTES * length) * pieces * rows() : narrow.bytes();
  }

  /** The pieces become a vector's numbers from {@code at} on. */
  void take(double[] vector, int at, double[][] target) {
    for (int c = 0; c < pieces; c++) {
      int from = Math.min(width, c * length);
      int count = Math.min(length, width - from);
      System.arraycopy(vector, at + from, target[c], 0, count);
      Arrays.fill(target[c], count, length, 0);
    }
  }

  /** A vector's numbers from {@code at} on become the pieces. */
  void give(double[][] source, double[] vector, int at) {
    for (int c = 0; c < pieces; c++) {
      int from = Math.min(width, c * length);
      System.arraycopy(source[c], 0, vector, at + from, Math.min(length, width - from));
    }
  }
}
