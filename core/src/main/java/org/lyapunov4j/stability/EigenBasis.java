// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.lyapunov4j.gram.GramSpectrum;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The eigenvectors Q of the largest eigenvalues of G, in descending order, kept twice: column by
 * column for matrix products, row by row for products with block-diagonal matrices, where the K
 * rows of an example are then neighbours.
 *
 * <p>A block-diagonal matrix D, N blocks of K × K, is kept flat, block after block.
 */
final class EigenBasis {
  /** Rows below which waking a thread costs more than it does. */
  private static final int LEAST_PARALLEL = 500;

  private final int m;
  private final int outputs;
  private final double[] g;
  private final double[] rows;
  private final INDArray columns;

  /** The eigenvectors of the {@code count} &gt; 0 largest eigenvalues. */
  EigenBasis(GramSpectrum spectrum, int count) {
    m = spectrum.size();
    outputs = spectrum.outputs();
    g = new double[count];
    double[] flat = new double[m * count];
    for (int k = 0; k < count; k++) {
      g[k] = spectrum.eigenvalue(m - 1 - k);
      spectrum.copyEigenvector(m - 1 - k, flat, k * m);
    }
    columns = matrix(m, count, flat, 0);
    rows = transposed(flat, m, count);
  }

  /** Tile by tile for the cache's sake. */
  private static double[] transposed(double[] flat, int m, int count) {
    int tile = 32;
    double[] rows = new double[m * count];
    for (int i0 = 0; i0 < m; i0 += tile) {
      for (int k0 = 0; k0 < count; k0 += tile) {
        for (int k = k0; k < Math.min(count, k0 + tile); k++) {
          for (int i = i0; i < Math.min(m, i0 + tile); i++) {
            rows[i * count + k] = flat[k * m + i];
          }
        }
      }
    }
    return rows;
  }

  /** The order of G. */
  int size() {
    return m;
  }

  int examples() {
    return m / outputs;
  }

  int outputs() {
    return outputs;
  }

  /** The number of eigenvectors. */
  int count() {
    return g.length;
  }

  /** Eigenvalue k in descending order. */
  double eigenvalue(int k) {
    return g[k];
  }

  /** The length of a flat block-diagonal matrix, N·K². */
  int dimension() {
    return m * outputs;
  }

  /** The first eigenvectors as the columns of an m × count matrix; a view. */
  INDArray leading(int count) {
    return columns.get(NDArrayIndex.all(), NDArrayIndex.interval(0, count));
  }

  /** D Q for the eigenvectors from … to − 1: the m rows of the product one after the other. */
  double[] timesBlocks(double[] d, int from, int to) {
    int width = to - from;
    double[] product = new double[m * width];
    forEachExample(
        first -> {
          for (int a = 0; a < outputs; a++) {
            int row = (first + a) * outputs;
            int target = (first + a) * width;
            int b = 0;
            for (; b + 2 <= outputs; b += 2) {
              int x = (first + b) * g.length + from;
              addTwo(d[row + b], d[row + b + 1], rows, x, x + g.length, product, target, width);
            }
            for (; b < outputs; b++) {
              addOne(d[row + b], rows, (first + b) * g.length + from, product, target, width);
            }
          }
        });
    return product;
  }

  /** h ← h + bd(U Qᵀ) for the eigenvectors from … to − 1, U row by row. */
  void addBlocks(double[] u, int from, int to, double[] h) {
    int width = to - from;
    forEachExample(
        first -> {
          for (int a = 0; a < outputs; a++) {
            for (int b = 0; b < outputs; b++) {
              h[(first + a) * outputs + b] +=
                  dot(u, (first + a) * width, rows, (first + b) * g.length + from, width);
            }
          }
        });
  }

  /**
   * bd(Q diag(c) Qᵀ), symmetric to the bit, for the eigenvectors from … to − 1; c is indexed like
   * them.
   */
  double[] blocks(double[] c, int from, int to) {
    int width = to - from;
    double[] u = new double[m * width];
    for (int i = 0; i < m; i++) {
      for (int k = 0; k < width; k++) {
        u[i * width + k] = 0.5 * c[from + k] * rows[i * g.length + from + k];
      }
    }
    double[] h = new double[dimension()];
    addBlocks(u, from, to, h);
    addTransposes(h);
    return h;
  }

  /** tr D. */
  double trace(double[] d) {
    double sum = 0;
    for (int i = 0; i < m; i++) {
      sum += d[i * outputs + i % outputs];
    }
    return sum;
  }

  /** (Qx)ᵀ D (Qx). */
  double quadratic(double[] d, double[] x) {
    double[] v = new double[m];
    for (int i = 0; i < m; i++) {
      v[i] = dot(rows, i * g.length, x, 0, g.length);
    }
    double sum = 0;
    for (int i = 0; i < m; i++) {
      sum += v[i] * dot(d, i * outputs, v, i / outputs * outputs, outputs);
    }
    return sum;
  }

  /** Replaces every block B by B + Bᵀ. */
  void addTransposes(double[] blocks) {
    for (int base = 0; base < blocks.length; base += outputs * outputs) {
      for (int a = 0; a < outputs; a++) {
        for (int b = 0; b <= a; b++) {
          double sum = blocks[base + a * outputs + b] + blocks[base + b * outputs + a];
          blocks[base + a * outputs + b] = sum;
          blocks[base + b * outputs + a] = sum;
        }
      }
    }
  }

  /** A column-major matrix from a part of an array. */
  static INDArray matrix(int rows, int columns, double[] entries, int offset) {
    INDArray matrix = Nd4j.createUninitialized(DataType.DOUBLE, new long[] {rows, columns}, 'f');
    matrix.data().asNioDouble().put(entries, offset, rows * columns);
    return matrix;
  }

  /** Entries of different examples never depend on each other, so threads change no result. */
  private void forEachExample(IntConsumer task) {
    IntStream examples = IntStream.range(0, m / outputs);
    (m < LEAST_PARALLEL ? examples : examples.parallel()).forEach(i -> task.accept(i * outputs));
  }

  private static void addOne(double c, double[] x, int offset, double[] y, int target, int length) {
    for (int k = 0; k < length; k++) {
      y[target + k] += c * x[offset + k];
    }
  }

  private static void addTwo(
      double c, double d, double[] x, int p, int q, double[] y, int target, int length) {
    for (int k = 0; k < length; k++) {
      y[target + k] += c * x[p + k] + d * x[q + k];
    }
  }

  /** Four sums at a time: a single one would wait for each addition. */
  private static double dot(double[] x, int xFrom, double[] y, int yFrom, int length) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int k = 0;
    for (; k + 4 <= length; k += 4) {
      a += x[xFrom + k] * y[yFrom + k];
      b += x[xFrom + k + 1] * y[yFrom + k + 1];
      c += x[xFrom + k + 2] * y[yFrom + k + 2];
      d += x[xFrom + k + 3] * y[yFrom + k + 3];
    }
    for (; k < length; k++) {
      a += x[xFrom + k] * y[yFrom + k];
    }
    return (a + b) + (c + d);
  }
}
