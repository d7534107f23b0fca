// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.lyapunov4j.gram.Vectors;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The rows of the Jacobian themselves: of layers that have no factors, and of layers with more
 * positions than outputs, whose rows take less than their factors. Products read a row once for all
 * vectors.
 */
final class RowFactors implements FactorBlock {
  /** Positions over outputs from which on rows save time, a product with them being slower. */
  private static final int FASTER = 4;

  /** Numbers of a row from which on arrays of its own are worth their headers. */
  private static final int LEAST_WIDTH = 128;

  private final int width;
  private final RowPieces rows;
  private final long spare;

  /**
   * Without examples as yet.
   *
   * @param first the first chunk
   * @param examples N of all chunks
   * @param spare bytes that may be taken where they save time only
   */
  RowFactors(JacobianBlock first, int examples, long spare) {
    width = first.width();
    double numbers = (double) first.columns() * width * examples;
    double unneeded = first instanceof JacobianBlock.Outer outer ? excess(outer, examples) : 0;
    double widened = unneeded + (isSingle(first) ? Float.BYTES * numbers : 0);
    boolean wide = width >= LEAST_WIDTH && (!isSingle(first) || widened <= spare);
    rows = new RowPieces(width, wide);
    this.spare = (long) (wide ? widened : unneeded);
  }

  private static boolean isSingle(JacobianBlock block) {
    DataType type =
        block instanceof JacobianBlock.Outer outer
            ? outer.deltas().dataType()
            : ((JacobianBlock.Rows) block).jacobian().dataType();
    return type == DataType.FLOAT;
  }

  /** Whether rows are better than factors. */
  static boolean suit(JacobianBlock.Outer outer, int examples, long spare) {
    double numbers = (double) outer.columns() * outer.width();
    boolean faster = outer.positions() > FASTER * outer.columns();
    double excess = excess(outer, examples);
    return outer.positions() > 1
        && numbers * Math.min(outer.examples(), examples) < Integer.MAX_VALUE
        && (excess == 0 || (faster && excess <= spare));
  }

  /** Bytes that the rows of all examples take beyond those of their factors. */
  private static double excess(JacobianBlock.Outer outer, int examples) {
    double numbers = (double) outer.columns() * outer.width();
    double factors =
        (double) outer.positions()
            * (outer.inputWidth() + (double) outer.columns() * outer.deltaWidth());
    return Math.max(0, numbers - factors) * examples * outer.deltas().dataType().width();
  }

  @Override
  public void add(JacobianBlock chunk, int[] counts) {
    int[] lengths = Arrays.stream(counts).map(count -> count * width).toArray();
    FactorStore target = rows.next();
    if (chunk instanceof JacobianBlock.Outer outer) {
      add(outer, lengths, target);
    } else {
      target.add(((JacobianBlock.Rows) chunk).jacobian(), lengths);
    }
    rows.added(target);
  }

  private void add(JacobianBlock.Outer outer, int[] lengths, FactorStore target) {
    FactorStore a = new FactorStore();
    FactorStore delta = new FactorStore();
    a.add(outer.inputRows(), outer.examples());
    delta.add(outer.deltaRows(), outer.examples());
    int[] starts = FactorStore.starts(lengths);
    int all = starts[lengths.length];
    boolean single = outer.deltas().dataType() == DataType.FLOAT;
    float[] floats = single ? new float[all] : null;
    double[] doubles = single ? null : new double[all];
    IntStream.range(0, outer.examples())
        .parallel()
        .forEach(
            i -> {
              double[] formed = rowsOf(outer, a, delta, i, lengths[i]);
              for (int j = 0; j < formed.length; j++) {
                if (single) {
                  floats[starts[i] + j] = (float) formed[j];
                } else {
                  doubles[starts[i] + j] = formed[j];
                }
              }
            });
    target.add(floats, doubles, lengths);
  }

  private double[] rowsOf(
      JacobianBlock.Outer outer, FactorStore a, FactorStore delta, int i, int length) {
    int positions = outer.positions();
    int p = outer.inputWidth();
    int q = outer.deltaWidth();
    double[] inputs = new double[positions * p];
    double[][] deltas = new double[positions][q];
    double[] sum = new double[q];
    double[] formed = new double[length];
    a.read(i, 0, inputs.length, inputs, 0);
    for (int k = 0; k < length / width; k++) {
      for (int t = 0; t < positions; t++) {
        delta.read(i, (k * positions + t) * q, q, deltas[t], 0);
        for (int j = 0; j < q && outer.bias() > 0; j++) {
          formed[k * width + p * q + j] += Math.sqrt(outer.bias()) * deltas[t][j];
        }
      }
      PackedProduct.addTransposedTimes(inputs, positions, p, deltas, q, formed, k * width, sum);
    }
    return formed;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public long bytes() {
    return rows.bytes();
  }

  @Override
  public long spare() {
    return spare;
  }

  /** Counted as in {@link OuterFactors}, whose flops are some times faster. */
  @Override
  public double flopsPerExample() {
    return 4.0 * FASTER * width * rows.rows() / rows.examples();
  }

  @Override
  public Part part(int columns, int largest) {
    return new Products(columns, largest);
  }

  private final class Products extends FactorPart {
    private final int columns;
    private final double[][] row = new double[rows.pieces()][];
    private final double[][] group;
    private final double[][] scratch;
    private final double[] sums = new double[rows.length()];
    private double[][][] vectors = {};

    Products(int columns, int largest) {
      super(largest);
      this.columns = columns;
      group = new double[columns][];
      scratch = new double[Math.max(columns, rows.pieces())][rows.length()];
    }

    private void take(double[][] z, int at) {
      if (vectors.length < z.length) {
        vectors = new double[z.length][rows.pieces()][rows.length()];
      }
      for (int j = 0; j < z.length; j++) {
        rows.take(z[j], at, vectors[j]);
      }
    }

    @Override
    public void addOutputs(double[][] z, int at, double[][] u) {
      take(z, at);
      for (int b = 0; b < count(); b++) {
        for (int k = 0; k < rows.rows(example(b)); k++) {
          for (int c = 0; c < row.length; c++) {
            row[c] = rows.piece(example(b), k, c, scratch[c]);
          }
          for (int j = 0; j < z.length; j++) {
            u[j][b * columns + k] += PackedProduct.dot(row, vectors[j], sums);
          }
        }
      }
    }

    @Override
    public void addGradient(double[][] u, double[][] z, int at) {
      take(z, at);
      for (int b = 0; b < count(); b++) {
        int known = rows.rows(example(b));
        for (int c = 0; c < row.length; c++) {
          for (int k = 0; k < known; k++) {
            group[k] = rows.piece(example(b), k, c, scratch[k]);
          }
          for (int j = 0; j < z.length; j++) {
            Vectors.addAll(u[j], b * columns, 1, known, group, 0, sums.length, vectors[j][c]);
          }
        }
      }
      for (int j = 0; j < z.length; j++) {
        rows.give(vectors[j], z[j], at);
      }
    }
  }
}
