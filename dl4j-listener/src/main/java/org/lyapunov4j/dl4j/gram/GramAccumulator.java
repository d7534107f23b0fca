// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Adds up the Gram matrices J Jᵀ of Jacobian blocks.
 *
 * <p>The lower half is computed in square tiles of whole examples. A tile is one matrix product
 * into a buffer that is used again; its entries are weighted and added to the rows, which are plain
 * arrays, in the precision of the rows.
 */
final class GramAccumulator {
  /**
   * Rows of a tile: large enough for the matrix product to run at full speed, small enough to stay
   * in the cache.
   */
  private static final int TILE_ROWS = 512;

  private final int examples;
  private final int outputs;
  private final int tileExamples;
  private final double[][] doubles;
  private final float[][] floats;
  private final Map<String, Tile> tiles = new HashMap<>();

  GramAccumulator(int examples, int outputs, boolean single) {
    this(examples, outputs, single, Math.max(1, TILE_ROWS / outputs));
  }

  GramAccumulator(int examples, int outputs, boolean single, int tileExamples) {
    this.examples = examples;
    this.outputs = outputs;
    this.tileExamples = tileExamples;
    int m = Math.multiplyExact(examples, outputs);
    doubles = single ? null : new double[m][m];
    floats = single ? new float[m][m] : null;
  }

  /** Adds J Jᵀ for J with m rows, example-major. */
  void addProduct(INDArray jacobian) {
    forEachTile(
        (i, iEnd, j, jEnd) -> {
          Tile products =
              tile("rows", (iEnd - i) * outputs, (jEnd - j) * outputs, jacobian.dataType());
          products.product(
              rows(jacobian, i * outputs, iEnd * outputs),
              rows(jacobian, j * outputs, jEnd * outputs));
          double[] line = new double[products.columns];
          for (int r = 0; r < products.rows; r++) {
            products.copyRow(r, line);
            addLine(i * outputs + r, j * outputs, line);
          }
        });
  }

  /**
   * Adds J Jᵀ for J whose rows are 0 but for some examples.
   *
   * @param which these examples, in ascending order
   * @param jacobian their rows, example-major
   */
  void addProduct(int[] which, INDArray jacobian) {
    int rows = which.length * outputs;
    for (int a = 0; a < rows; a += TILE_ROWS) {
      INDArray left = rows(jacobian, a, Math.min(rows, a + TILE_ROWS));
      for (int b = 0; b <= a; b += TILE_ROWS) {
        INDArray right = rows(jacobian, b, Math.min(rows, b + TILE_ROWS));
        INDArray products = Columns.timesTransposed(left, right).castTo(DataType.DOUBLE);
        addScattered(which, a, b, Columns.packed(products).data().asDouble(), (int) right.size(0));
      }
    }
  }

  private void addScattered(int[] which, int a, int b, double[] products, int width) {
    for (int p = 0; p < products.length; p++) {
      int row = rowOf(which, a + p / width);
      int column = rowOf(which, b + p % width);
      if (column <= row && floats == null) {
        doubles[row][column] += products[p];
      } else if (column <= row) {
        floats[row][column] += (float) products[p];
      }
    }
  }

  private int rowOf(int[] which, int r) {
    return which[r / outputs] * outputs + r % outputs;
  }

  /**
   * Adds Σ_ts (a_it · a_js)(δ_ikt · δ_jls), for one position (A Aᵀ) ∘ (Δ Δᵀ).
   *
   * @param inputs A, N·T × p
   * @param deltas Δ, N·K·T × q
   * @param positions T
   */
  void addHadamard(INDArray inputs, INDArray deltas, int positions) {
    int rowsPerExample = outputs * positions;
    int step = Math.max(1, tileExamples / positions);
    forEachTile(
        step,
        (i, iEnd, j, jEnd) -> {
          Tile weights =
              tile("inputs", (iEnd - i) * positions, (jEnd - j) * positions, inputs.dataType());
          weights.product(
              rows(inputs, i * positions, iEnd * positions),
              rows(inputs, j * positions, jEnd * positions));
          Tile products =
              tile(
                  "deltas",
                  (iEnd - i) * rowsPerExample,
                  (jEnd - j) * rowsPerExample,
                  deltas.dataType());
          products.product(
              rows(deltas, i * rowsPerExample, iEnd * rowsPerExample),
              rows(deltas, j * rowsPerExample, jEnd * rowsPerExample));
          addWeighted(products, weights, positions, i, j);
        });
  }

  /** The sum of all that was added; the accumulator must not be used again. */
  GramMatrix toGram() {
    for (Tile tile : tiles.values()) {
      tile.close();
    }
    mirror();
    return floats == null
        ? GramMatrix.adopt(doubles, examples, outputs)
        : GramMatrix.adopt(floats, examples, outputs);
  }

  private void forEachTile(TileAction action) {
    forEachTile(tileExamples, action);
  }

  private void forEachTile(int step, TileAction action) {
    for (int i = 0; i < examples; i += step) {
      for (int j = 0; j <= i; j += step) {
        action.accept(i, Math.min(examples, i + step), j, Math.min(examples, j + step));
      }
    }
  }

  private interface TileAction {
    /** Examples i … iEnd − 1 against j … jEnd − 1. */
    void accept(int i, int iEnd, int j, int jEnd);
  }

  private static INDArray rows(INDArray matrix, int from, int to) {
    return matrix.get(NDArrayIndex.interval(from, to));
  }

  private Tile tile(String use, int rows, int columns, DataType type) {
    return tiles.computeIfAbsent(
        use + rows + "x" + columns, key -> Tile.create(rows, columns, type));
  }

  private void addWeighted(Tile products, Tile weights, int positions, int i, int j) {
    if (positions == 1) {
      addWeighted(products, weights, i, j);
      return;
    }
    double[] line = new double[products.columns];
    double[] weight = new double[weights.columns];
    double[] sums = new double[products.columns / positions];
    for (int r = 0; r < products.rows / positions; r++) {
      Arrays.fill(sums, 0);
      for (int t = 0; t < positions; t++) {
        weights.copyRow(r / outputs * positions + t, weight);
        products.copyRow(r * positions + t, line);
        addPairs(line, weight, positions, sums);
      }
      addLine(i * outputs + r, j * outputs, sums);
    }
  }

  /** One position: the weights of an example, repeated for its columns, serve all its rows. */
  private void addWeighted(Tile products, Tile weights, int i, int j) {
    double[] line = new double[products.columns];
    double[] weight = new double[weights.columns];
    double[] repeated = new double[products.columns];
    for (int r = 0; r < products.rows; r++) {
      if (r % outputs == 0) {
        weights.copyRow(r / outputs, weight);
        for (int e = 0; e < weight.length; e++) {
          Arrays.fill(repeated, e * outputs, (e + 1) * outputs, weight[e]);
        }
      }
      products.copyRow(r, line);
      for (int c = 0; c < line.length; c++) {
        line[c] *= repeated[c];
      }
      addLine(i * outputs + r, j * outputs, line);
    }
  }

  private void addPairs(double[] line, double[] weight, int positions, double[] sums) {
    for (int c = 0; c < sums.length; c++) {
      int firstWeight = c / outputs * positions;
      double sum = 0;
      for (int s = 0; s < positions; s++) {
        sum += line[c * positions + s] * weight[firstWeight + s];
      }
      sums[c] += sum;
    }
  }

  private void addLine(int row, int from, double[] line) {
    if (floats == null) {
      double[] target = doubles[row];
      for (int c = 0; c < line.length; c++) {
        target[from + c] += line[c];
      }
    } else {
      float[] target = floats[row];
      for (int c = 0; c < line.length; c++) {
        target[from + c] += (float) line[c];
      }
    }
  }

  /** Copies the lower half into the upper one, tile by tile for the cache's sake. */
  private void mirror() {
    int m = examples * outputs;
    int tile = 64;
    for (int i = 0; i < m; i += tile) {
      for (int j = 0; j <= i; j += tile) {
        mirror(i, Math.min(m, i + tile), j, Math.min(m, j + tile));
      }
    }
  }

  private void mirror(int rowFrom, int rowTo, int columnFrom, int columnTo) {
    for (int r = rowFrom; r < rowTo; r++) {
      for (int c = columnFrom; c < Math.min(r, columnTo); c++) {
        if (floats == null) {
          doubles[c][r] = doubles[r][c];
        } else {
          floats[c][r] = floats[r][c];
        }
      }
    }
  }

  /** A reusable product of two row tiles, read back as plain arrays. */
  private static final class Tile {
    private final int rows;
    private final int columns;
    private final INDArray transposed;
    private final double[] doubles;
    private final float[] floats;

    private Tile(int rows, int columns, INDArray transposed) {
      this.rows = rows;
      this.columns = columns;
      this.transposed = transposed;
      boolean single = transposed.dataType() == DataType.FLOAT;
      doubles = single ? null : new double[rows * columns];
      floats = single ? new float[rows * columns] : null;
    }

    static Tile create(int rows, int columns, DataType type) {
      return new Tile(
          rows, columns, Nd4j.createUninitialized(type, new long[] {columns, rows}, 'f'));
    }

    void product(INDArray left, INDArray right) {
      Nd4j.gemm(right, left, transposed, false, true, 1, 0);
      if (floats == null) {
        ((DoublePointer) transposed.data().addressPointer()).get(doubles);
      } else {
        ((FloatPointer) transposed.data().addressPointer()).get(floats);
      }
    }

    void copyRow(int row, double[] target) {
      if (floats == null) {
        System.arraycopy(doubles, row * columns, target, 0, columns);
      } else {
        for (int c = 0; c < columns; c++) {
          target[c] = floats[row * columns + c];
        }
      }
    }

    void close() {
      transposed.close();
    }
  }
}
