// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramRows;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Adds up the Gram matrices J Jᵀ of Jacobian blocks.
 *
 * <p>The lower half is computed in tiles of whole examples, some rows high and as many columns wide
 * as there are up to the diagonal, within a limit. A tile is one matrix product into memory that is
 * used again; its rows are read back one by one, weighted and added to the rows of G, which are
 * plain arrays. Threads share the rows of a tile; each entry is formed by one of them and always in
 * the same order, so that the result does not depend on their number.
 */
final class GramAccumulator implements AutoCloseable {
  /** Rows of a tile: few, since half of a square of that size is wasted at the diagonal. */
  private static final int TILE_ROWS = 256;

  /** Columns of a tile: the tile stays in the cache from the product to the sum. */
  private static final int TILE_COLUMNS = 4096;

  /** Rows that a thread takes at a time. */
  private static final int SHARE = 32;

  private final int examples;
  private final int outputs;
  private final int tileRows;
  private final int tileColumns;
  private final GramRows sums;
  private final Tile.Product product;
  private final Runnable beforeEachTile;
  private final Map<String, Tile> tiles = new HashMap<>();

  /**
   * A sum of nothing.
   *
   * @param examples N
   * @param outputs K
   * @param single whether entries are stored as floats
   * @param product forms the tiles
   * @param beforeEachTile may throw to end a computation
   */
  GramAccumulator(
      int examples, int outputs, boolean single, Tile.Product product, Runnable beforeEachTile) {
    this(examples, outputs, single, TILE_ROWS, TILE_COLUMNS, product, beforeEachTile);
  }

  GramAccumulator(
      int examples,
      int outputs,
      boolean single,
      int tileRows,
      int tileColumns,
      Tile.Product product,
      Runnable beforeEachTile) {
    this.examples = examples;
    this.outputs = outputs;
    this.tileRows = tileRows;
    this.tileColumns = tileColumns;
    this.product = product;
    this.beforeEachTile = beforeEachTile;
    sums = GramRows.zeros(Math.multiplyExact(examples, outputs), single);
  }

  /** Adds J Jᵀ for J with m rows, example-major. */
  void addProduct(INDArray jacobian) {
    Tile products = tile("deltas", jacobian.dataType(), 1, outputs);
    forEachTile(
        1,
        (rows, columns) -> {
          products.product(rows.of(jacobian, outputs), columns.of(jacobian, outputs));
          share(
              products,
              rows.count() * outputs,
              (r, line) -> {
                line.clear();
                line.add(products, r);
                line.addTo(sums, rows.from() * outputs + r, columns.from() * outputs, 1);
              });
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
      INDArray left = jacobian.get(NDArrayIndex.interval(a, Math.min(rows, a + TILE_ROWS)));
      for (int b = 0; b <= a; b += TILE_ROWS) {
        beforeEachTile.run();
        INDArray right = jacobian.get(NDArrayIndex.interval(b, Math.min(rows, b + TILE_ROWS)));
        INDArray products = StackedColumns.timesTransposed(left, right).castTo(DataType.DOUBLE);
        addScattered(which, a, b, products.dup('c').data().asDouble(), (int) right.size(0));
      }
    }
  }

  private void addScattered(int[] which, int a, int b, double[] products, int width) {
    for (int p = 0; p < products.length; p++) {
      int row = rowOf(which, a + p / width);
      int column = rowOf(which, b + p % width);
      if (column <= row) {
        sums.add(row, column, products[p]);
      }
    }
  }

  private int rowOf(int[] which, int r) {
    return which[r / outputs] * outputs + r % outputs;
  }

  /**
   * Adds Σ_ts (a_it · a_js + b)(δ_ikt · δ_jls), for one position (A Aᵀ + b) ∘ (Δ Δᵀ).
   *
   * @param inputs A, N·T × p
   * @param deltas Δ, N·K·T × q
   * @param positions T
   * @param bias b, 1 for an unweighted bias and 0 without one
   */
  void addHadamard(INDArray inputs, INDArray deltas, int positions, double bias) {
    int perExample = outputs * positions;
    Tile weights = tile("inputs", inputs.dataType(), positions, positions);
    Tile products = tile("deltas", deltas.dataType(), positions, perExample);
    forEachTile(
        positions,
        (rows, columns) -> {
          weights.product(rows.of(inputs, positions), columns.of(inputs, positions));
          products.product(rows.of(deltas, perExample), columns.of(deltas, perExample));
          share(
              products,
              rows.count() * outputs,
              (r, line) -> {
                line.clear();
                for (int t = 0; t < positions; t++) {
                  line.weigh(weights, r / outputs * positions + t, positions, outputs, bias);
                  line.addWeighted(products, r * positions + t);
                }
                line.addTo(sums, rows.from() * outputs + r, columns.from() * outputs, positions);
              });
        });
  }

  /** Adds another sum. */
  void add(GramAccumulator other) {
    IntStream.range(0, examples * outputs)
        .parallel()
        .forEach(row -> sums.addRow(row, other.sums, row + 1));
  }

  /** The sum of all that was added; the accumulator must not be used again. */
  GramMatrix toGram() {
    close();
    return GramMatrix.adoptLowerHalf(sums, examples, outputs);
  }

  @Override
  public void close() {
    tiles.values().forEach(Tile::close);
    tiles.clear();
  }

  /** Examples from … to − 1. */
  private record Range(int from, int to) {
    int count() {
      return to - from;
    }

    INDArray of(INDArray matrix, int perExample) {
      return matrix.get(NDArrayIndex.interval((long) from * perExample, (long) to * perExample));
    }
  }

  /** Examples along a tile's rows. */
  private int high(int positions) {
    return Math.min(examples, Math.max(1, tileRows / (outputs * positions)));
  }

  /** Examples along a tile's columns. */
  private int wide(int positions) {
    return Math.min(examples, Math.max(high(positions), tileColumns / (outputs * positions)));
  }

  private void forEachTile(int positions, BiConsumer<Range, Range> action) {
    int high = high(positions);
    int wide = wide(positions);
    for (int i = 0; i < examples; i += high) {
      Range rows = new Range(i, Math.min(examples, i + high));
      for (int j = 0; j < rows.to(); j += wide) {
        beforeEachTile.run();
        action.accept(rows, new Range(j, Math.min(rows.to(), j + wide)));
      }
    }
  }

  /** A tile for products of matrices with so many rows for each example. */
  private Tile tile(String use, DataType type, int positions, int perExample) {
    long entries = (long) high(positions) * perExample * wide(positions) * perExample;
    Tile tile = tiles.get(use);
    if (tile == null || !tile.holds(entries, type)) {
      if (tile != null) {
        tile.close();
      }
      tile = new Tile(entries, type, product);
      tiles.put(use, tile);
    }
    return tile;
  }

  private interface RowAction {
    void accept(int row, TileRow line);
  }

  private static void share(Tile tile, int rows, RowAction action) {
    IntStream.range(0, (rows + SHARE - 1) / SHARE)
        .parallel()
        .forEach(
            share -> {
              TileRow line = TileRow.of(tile);
              for (int r = share * SHARE; r < Math.min(rows, (share + 1) * SHARE); r++) {
                action.accept(r, line);
              }
            });
  }
}
