// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.lyapunov4j.gram.GramRows;

/**
 * One row of a tile on its way into a row of the Gram matrix, in plain arrays and short loops that
 * the compiler turns into vector instructions. Each thread has its own.
 */
abstract sealed class TileRow {
  private int weighed = -1;

  /** A row for rows of the given tile. */
  static TileRow of(Tile tile) {
    return tile.isSinglePrecision() ? new Floats(tile.columns()) : new Doubles(tile.columns());
  }

  /** Starts a new row. */
  abstract void clear();

  /** Adds a row of products. */
  abstract void add(Tile products, int row);

  /** Adds a row of products, entry by entry times the weights. */
  abstract void addWeighted(Tile products, int row);

  /**
   * Takes a row of weights, one for each example and position, adds the bias to them and repeats
   * those of an example for each of its columns.
   */
  void weigh(Tile tile, int row, int positions, int outputs, double bias) {
    if (row == weighed) {
      return;
    }
    weighed = row;
    take(tile, row, bias);
    for (int j = 0, at = 0; j < tile.columns(); j += positions, at += outputs * positions) {
      if (positions == 1) {
        fillWeights(at, at + outputs, j);
      } else {
        for (int k = 0; k < outputs; k++) {
          copyWeights(j, at + k * positions, positions);
        }
      }
    }
  }

  /** Adds the sums over the positions to entries from … of a row. */
  abstract void addTo(GramRows rows, int row, int from, int positions);

  /** Takes a row of numbers, plus the bias. */
  abstract void take(Tile tile, int row, double bias);

  /** Puts number j into some weights. */
  abstract void fillWeights(int from, int to, int j);

  /** Puts the numbers from j on into the weights from … on. */
  abstract void copyWeights(int j, int from, int count);

  /** Products in single precision. */
  private static final class Floats extends TileRow {
    private final float[] sums;
    private final float[] line;
    private final float[] weights;
    private float[] given = {};

    Floats(int columns) {
      sums = new float[columns];
      line = new float[columns];
      weights = new float[columns];
    }

    @Override
    void clear() {
      Arrays.fill(sums, 0);
    }

    @Override
    void add(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += line[c];
      }
    }

    @Override
    void addWeighted(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += weights[c] * line[c];
      }
    }

    @Override
    void take(Tile tile, int row, double bias) {
      given = given.length == tile.columns() ? given : new float[tile.columns()];
      tile.read(row, given);
      for (int c = 0; bias > 0 && c < given.length; c++) {
        given[c] += (float) bias;
      }
    }

    @Override
    void fillWeights(int from, int to, int j) {
      Arrays.fill(weights, from, to, given[j]);
    }

    @Override
    void copyWeights(int j, int from, int count) {
      System.arraycopy(given, j, weights, from, count);
    }

    @Override
    void addTo(GramRows rows, int row, int from, int positions) {
      int count = sums.length / positions;
      for (int c = 0; positions > 1 && c < count; c++) {
        float sum = 0;
        for (int t = c * positions; t < (c + 1) * positions; t++) {
          sum += sums[t];
        }
        sums[c] = sum;
      }
      rows.add(row, from, sums, count);
    }
  }

  /** Products in double precision. */
  private static final class Doubles extends TileRow {
    private final double[] sums;
    private final double[] line;
    private final double[] weights;
    private double[] given = {};

    Doubles(int columns) {
      sums = new double[columns];
      line = new double[columns];
      weights = new double[columns];
    }

    @Override
    void clear() {
      Arrays.fill(sums, 0);
    }

    @Override
    void add(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += line[c];
      }
    }

    @Override
    void addWeighted(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += weights[c] * line[c];
      }
    }

    @Override
    void take(Tile tile, int row, double bias) {
      given = given.length == tile.columns() ? given : new double[tile.columns()];
      tile.read(row, given);
      for (int c = 0; bias > 0 && c < given.length; c++) {
        given[c] += bias;
      }
    }

    @Override
    void fillWeights(int from, int to, int j) {
      Arrays.fill(weights, from, to, given[j]);
    }

    @Override
    void copyWeights(int j, int from, int count) {
      System.arraycopy(given, j, weights, from, count);
    }

    @Override
    void addTo(GramRows rows, int row, int from, int positions) {
      int count = sums.length / positions;
      for (int c = 0; positions > 1 && c < count; c++) {
        double sum = 0;
        for (int t = c * positions; t < (c + 1) * positions; t++) {
          sum += sums[t];
        }
        sums[c] = sum;
      }
      rows.add(row, from, sums, count);
    }
  }
}
