// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;

/**
 * One row of a tile on its way into a row of the Gram matrix, in plain arrays and short loops that
 * the compiler turns into vector instructions. Each thread has its own.
 */
sealed interface TileRow {
  /** A line for rows of the given tile. */
  static TileRow of(Tile tile) {
    return tile.isSinglePrecision() ? new Floats(tile.columns()) : new Doubles(tile.columns());
  }

  /** Starts a new row. */
  void clear();

  /** Adds a row of products. */
  void add(Tile products, int row);

  /** Adds a row of products, entry by entry times the weights. */
  void addWeighted(Tile products, int row);

  /**
   * Takes a row of weights, one for each example and position, adds the bias to them and repeats
   * those of an example for each of its columns.
   */
  void weigh(Tile weights, int row, int positions, int outputs, double bias);

  /** Adds the sums over the positions to entries from … of a row. */
  void addTo(double[] row, int from, int positions);

  /** Adds the sums over the positions to entries from … of a row. */
  void addTo(float[] row, int from, int positions);

  /** Lines of products in single precision. */
  final class Floats implements TileRow {
    private final float[] sums;
    private final float[] line;
    private final float[] weights;
    private float[] given = {};
    private int weighed = -1;

    Floats(int columns) {
      sums = new float[columns];
      line = new float[columns];
      weights = new float[columns];
    }

    @Override
    public void clear() {
      Arrays.fill(sums, 0);
    }

    @Override
    public void add(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += line[c];
      }
    }

    @Override
    public void addWeighted(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += weights[c] * line[c];
      }
    }

    @Override
    public void weigh(Tile tile, int row, int positions, int outputs, double bias) {
      if (row == weighed) {
        return;
      }
      weighed = row;
      given = given.length == tile.columns() ? given : new float[tile.columns()];
      tile.read(row, given);
      if (bias > 0) {
        for (int c = 0; c < given.length; c++) {
          given[c] += (float) bias;
        }
      }
      for (int j = 0, at = 0; j < given.length; j += positions, at += outputs * positions) {
        if (positions == 1) {
          Arrays.fill(weights, at, at + outputs, given[j]);
        } else {
          for (int k = 0; k < outputs; k++) {
            System.arraycopy(given, j, weights, at + k * positions, positions);
          }
        }
      }
    }

    /** Over positions, in place. */
    private int reduce(int positions) {
      int count = sums.length / positions;
      for (int c = 0; positions > 1 && c < count; c++) {
        float sum = 0;
        for (int t = c * positions; t < (c + 1) * positions; t++) {
          sum += sums[t];
        }
        sums[c] = sum;
      }
      return count;
    }

    @Override
    public void addTo(double[] row, int from, int positions) {
      int count = reduce(positions);
      for (int c = 0; c < count; c++) {
        row[from + c] += sums[c];
      }
    }

    @Override
    public void addTo(float[] row, int from, int positions) {
      int count = reduce(positions);
      for (int c = 0; c < count; c++) {
        row[from + c] += sums[c];
      }
    }
  }

  /** Lines of products in double precision. */
  final class Doubles implements TileRow {
    private final double[] sums;
    private final double[] line;
    private final double[] weights;
    private double[] given = {};
    private int weighed = -1;

    Doubles(int columns) {
      sums = new double[columns];
      line = new double[columns];
      weights = new double[columns];
    }

    @Override
    public void clear() {
      Arrays.fill(sums, 0);
    }

    @Override
    public void add(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += line[c];
      }
    }

    @Override
    public void addWeighted(Tile products, int row) {
      products.read(row, line);
      for (int c = 0; c < sums.length; c++) {
        sums[c] += weights[c] * line[c];
      }
    }

    @Override
    public void weigh(Tile tile, int row, int positions, int outputs, double bias) {
      if (row == weighed) {
        return;
      }
      weighed = row;
      given = given.length == tile.columns() ? given : new double[tile.columns()];
      tile.read(row, given);
      if (bias > 0) {
        for (int c = 0; c < given.length; c++) {
          given[c] += bias;
        }
      }
      for (int j = 0, at = 0; j < given.length; j += positions, at += outputs * positions) {
        if (positions == 1) {
          Arrays.fill(weights, at, at + outputs, given[j]);
        } else {
          for (int k = 0; k < outputs; k++) {
            System.arraycopy(given, j, weights, at + k * positions, positions);
          }
        }
      }
    }

    /** Over positions, in place. */
    private int reduce(int positions) {
      int count = sums.length / positions;
      for (int c = 0; positions > 1 && c < count; c++) {
        double sum = 0;
        for (int t = c * positions; t < (c + 1) * positions; t++) {
          sum += sums[t];
        }
        sums[c] = sum;
      }
      return count;
    }

    @Override
    public void addTo(double[] row, int from, int positions) {
      int count = reduce(positions);
      for (int c = 0; c < count; c++) {
        row[from + c] += sums[c];
      }
    }

    @Override
    public void addTo(float[] row, int from, int positions) {
      int count = reduce(positions);
      for (int c = 0; c < count; c++) {
        row[from + c] += (float) sums[c];
      }
    }
  }
}
