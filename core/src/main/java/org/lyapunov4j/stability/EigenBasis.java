// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.MatrixProduct;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The eigenvectors Q of the largest eigenvalues of G, in descending order, kept twice: column by
 * column for matrix products, row by row for products with block-diagonal matrices, where the K
 * rows of an example are then neighbours.
 *
 * <p>A block-diagonal matrix D, N blocks of K × K, is kept flat, block after block.
 *
 * <p>Products of large matrices are native, in double or, at twice the speed, in single precision.
 * They are not checked here: whoever takes them checks what comes out by {@link #verified}.
 */
final class EigenBasis {
  /** Rows below which waking a thread costs more than it does. */
  private static final int LEAST_PARALLEL = 500;

  /** Tile by tile for the cache's sake. */
  private static final int TILE = 32;

  private static final int CHUNK = 4096;

  /** Chunks below which waking a thread costs more than it does. */
  private static final int LEAST_CHUNKS = 16;

  /** Rows of a block up to which a sum for every strip takes an eighth of G's memory at most. */
  private static final int LARGEST_BLOCK = 32;

  private final int m;
  private final int outputs;

  /** Whether strips of a product are formed beside each other. */
  private final boolean besideEachOther;

  private final double[] g;
  private final double[][] rows;
  private final ExampleRows byExample;
  private final INDArray columns;
  private final Multiplier multiplier;

  /** Set for good once a native product was wrong; then every product is checked by itself. */
  private volatile boolean suspicious;

  /** C ← op(A) op(B). */
  @FunctionalInterface
  interface Multiplier {
    void multiply(INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB);
  }

  /** The eigenvectors of the {@code count} &gt; 0 largest eigenvalues. */
  EigenBasis(GramSpectrum spectrum, int count, DataType type) {
    this(spectrum, count, type, (a, b, c, ta, tb) -> Nd4j.gemm(a, b, c, ta, tb, 1, 0));
  }

  /** The same with another native product, for tests. */
  EigenBasis(GramSpectrum spectrum, int count, DataType type, Multiplier multiplier) {
    this.multiplier = multiplier;
    m = spectrum.size();
    outputs = spectrum.outputs();
    besideEachOther = outputs <= LARGEST_BLOCK && Nd4j.factory().blas().getMaxThreads() == 1;
    g = new double[count];
    rows = new double[m][count];
    byExample = new ExampleRows(rows, outputs);
    columns = Nd4j.createUninitialized(type, new long[] {m, count}, 'f');
    forEach((count + TILE - 1) / TILE, tile -> copyTile(spectrum, tile * TILE));
  }

  private void copyTile(GramSpectrum spectrum, int from) {
    int width = Math.min(TILE, g.length - from);
    double[] tile = new double[m * width];
    for (int k = 0; k < width; k++) {
      g[from + k] = spectrum.eigenvalue(m - 1 - from - k);
      spectrum.copyEigenvector(m - 1 - from - k, tile, k * m);
    }
    NativeNumbers.of(columns.data()).put(tile, 0, from * m, width * m);
    for (int i = 0; i < m; i++) {
      for (int k = 0; k < width; k++) {
        rows[i][from + k] = tile[k * m + i];
      }
    }
  }

  /** Whether large products are in single precision. */
  boolean isSingle() {
    return columns.dataType() == DataType.FLOAT;
  }

  /** The unit roundoff of large products. */
  double roundoff() {
    return isSingle() ? 0x1p-24 : 0x1p-53;
  }

  /**
   * A result of native products that stood its check. If it does not, it is computed again with
   * products that are checked one by one and, where they are wrong, formed in Java.
   *
   * @param attempt computes the result
   * @param isRight checks it
   * @throws ArithmeticException if even that is wrong
   */
  double[] verified(Supplier<double[]> attempt, Predicate<double[]> isRight) {
    double[] result = attempt.get();
    if (isRight.test(result)) {
      return result;
    }
    suspicious = true;
    result = attempt.get();
    if (isRight.test(result)) {
      return result;
    }
    throw new ArithmeticException(
        "native matrix products of the second moment are wrong; use another BLAS, OpenBLAS 0.3.21"
            + " or later on processors with AVX-512");
  }

  /** Products with the matrix Q of the first eigenvectors, for one thread. */
  final class Products implements AutoCloseable {
    private final MemoryWorkspace outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
    private final INDArray wide;
    private final INDArray tall;

    private Products(int mostColumns) {
      wide = Nd4j.createUninitialized(columns.dataType(), (long) m * mostColumns);
      tall = Nd4j.createUninitialized(columns.dataType(), (long) m * mostColumns);
    }

    /**
     * QᵀDQ' for the first {@code count} eigenvectors on the left and those from … to − 1 on the
     * right.
     *
     * @param d D
     * @param result receives count × (to − from) numbers, column by column
     */
    void overlaps(int count, double[] d, int from, int to, double[] result, int offset) {
      int width = to - from;
      NativeNumbers z = NativeNumbers.of(wide.data());
      forEachExample(
          first -> {
            double[][] rows = new double[outputs][to];
            byExample.addTimesBlock(d, first, from, to, rows);
            for (int a = 0; a < outputs; a++) {
              z.put(rows[a], from, (first + a) * width, width);
            }
          });
      multiply(leading(count), shaped(wide, width, m), shaped(tall, count, width), true);
      NativeNumbers y = NativeNumbers.of(tall.data());
      forEachChunk(count * width, (first, size) -> y.get(first, result, offset + first, size));
    }

    /**
     * Adds bd(QCQ'ᵀ) to h, for the first {@code count} eigenvectors on the left and those from … to
     * − 1 on the right.
     *
     * @param c C, column by column
     * @param h flat blocks
     */
    void addBlocks(int count, double[] c, int from, int to, double[] h) {
      int width = to - from;
      NativeNumbers z = NativeNumbers.of(tall.data());
      forEachChunk(count * width, (first, size) -> z.put(c, first, first, size));
      multiply(shaped(tall, count, width), leading(count), shaped(wide, width, m), true);
      NativeNumbers u = NativeNumbers.of(wide.data());
      forEachExample(
          first -> {
            double[] rows = new double[outputs * width];
            u.get(first * width, rows, 0, rows.length);
            byExample.addBlock(rows, first, from, width, h);
          });
    }

    private INDArray shaped(INDArray buffer, int rows, int columns) {
      return Nd4j.create(buffer.data(), new long[] {rows, columns}, new long[] {1, rows}, 0, 'f');
    }

    private void multiply(INDArray a, INDArray b, INDArray c, boolean transposed) {
      if (suspicious) {
        MatrixProduct.multiply(a, b, c, transposed, transposed);
      } else {
        multiplier.multiply(a, b, c, transposed, transposed);
      }
    }

    @Override
    public void close() {
      wide.close();
      tall.close();
      outside.close();
    }
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

  private INDArray leading(int count) {
    return columns.get(NDArrayIndex.all(), NDArrayIndex.interval(0, count));
  }

  /** All of them; not to be modified. */
  double[] eigenvalues() {
    return g;
  }

  /**
   * bd(Q diag(c) Qᵀ), symmetric to the bit, for the eigenvectors from … to − 1; c is indexed like
   * them.
   */
  double[] blocks(double[] c, int from, int to) {
    int width = to - from;
    double[] h = new double[dimension()];
    forEachExample(
        first -> {
          double[] u = new double[outputs * width];
          for (int a = 0; a < outputs; a++) {
            double[] row = rows[first + a];
            for (int k = 0; k < width; k++) {
              u[a * width + k] = 0.5 * c[from + k] * row[from + k];
            }
          }
          byExample.addBlock(u, first, from, width, h);
        });
    addTransposes(h);
    return h;
  }

  /** The largest trace of a block of Σ q_k q_kᵀ over the eigenvectors from … to − 1. */
  double largestBlockTrace(int from, int to) {
    double largest = 0;
    for (int first = 0; first < m; first += outputs) {
      double sum = 0;
      for (int i = first; i < first + outputs; i++) {
        sum += Vectors.dot(rows[i], from, rows[i], from, to - from);
      }
      largest = Math.max(largest, sum);
    }
    return largest;
  }

  /** tr D. */
  double trace(double[] d) {
    double sum = 0;
    for (int i = 0; i < m; i++) {
      sum += d[i * outputs + i % outputs];
    }
    return sum;
  }

  /** uᵀ D v. */
  double bilinear(double[] d, double[] u, double[] v) {
    double sum = 0;
    for (int i = 0; i < m; i++) {
      sum += u[i] * Vectors.dot(d, i * outputs, v, i / outputs * outputs, outputs);
    }
    return sum;
  }

  /** Q x, for as many eigenvectors as x has entries. */
  double[] combination(double[] x) {
    double[] v = new double[m];
    forEach(m, i -> v[i] = Vectors.dot(rows[i], 0, x, 0, x.length));
    return v;
  }

  /** Signs for as many eigenvectors, the same every time. */
  static double[] randomSigns(int length) {
    RandomStream random = new RandomStream(length);
    double[] x = new double[length];
    for (int k = 0; k < length; k++) {
      x[k] = 1 - 2.0 * random.nextInt(2);
    }
    return x;
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

  /** Entries of different examples never depend on each other, so threads change no result. */
  private void forEachExample(IntConsumer task) {
    forEach(m / outputs, i -> task.accept(i * outputs));
  }

  /** Tasks that do not depend on each other, on all processors if the matrix is large. */
  void forEach(int tasks, IntConsumer task) {
    IntStream all = IntStream.range(0, tasks);
    (m < LEAST_PARALLEL ? all : all.parallel()).forEach(task);
  }

  /** Eigenvectors from … to − 1 with buffers for products with them. */
  @FunctionalInterface
  interface Strip {
    void take(Products products, int from, int to);
  }

  /**
   * The eigenvectors below {@code count} in strips: beside each other where a native product has
   * one thread and blocks are small, and otherwise in turns, since its threads and ours would wait
   * for each other. The last, whose products are the largest in a triangle, are begun first.
   */
  void forEachStrip(int count, int width, Strip task) {
    int strips = (count + width - 1) / width;
    AtomicInteger left = new AtomicInteger(strips);
    IntConsumer next =
        any -> {
          int from = left.decrementAndGet() * width;
          int to = Math.min(from + width, count);
          try (Products products = new Products(to - from)) {
            task.take(products, from, to);
          }
        };
    if (besideEachOther) {
      forEach(strips, next);
    } else {
      IntStream.range(0, strips).forEach(next);
    }
  }

  /** What a strip adds to blocks. */
  @FunctionalInterface
  interface Addend {
    void addTo(Products products, int from, int to, double[] blocks);
  }

  /** The sum of what strips add, in their order, whoever is done first. */
  double[] sumOfStrips(int count, int width, Addend task) {
    double[][] sums = new double[besideEachOther ? (count + width - 1) / width : 1][dimension()];
    forEachStrip(
        count,
        width,
        (products, from, to) ->
            task.addTo(products, from, to, sums[besideEachOther ? from / width : 0]));
    double[] sum = sums[0];
    for (int s = 1; s < sums.length; s++) {
      Vectors.add(1, sums[s], sum);
    }
    return sum;
  }

  /** A part of an array. */
  @FunctionalInterface
  interface Chunk {
    void take(int first, int size);
  }

  /** The parts of an array of numbers, each small enough for the first cache. */
  void forEachChunk(int length, Chunk task) {
    int chunks = (length + CHUNK - 1) / CHUNK;
    IntConsumer one = c -> task.take(c * CHUNK, Math.min(CHUNK, length - c * CHUNK));
    if (chunks < LEAST_CHUNKS) {
      IntStream.range(0, chunks).forEach(one);
    } else {
      forEach(chunks, one);
    }
  }
}
