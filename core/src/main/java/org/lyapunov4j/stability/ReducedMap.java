// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.MatrixProduct;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The map R(D) = bd(Q [κ ∘ (QᵀDQ)] Qᵀ) on block-diagonal matrices D (N symmetric K × K blocks), to
 * which the second moment of SGD reduces in the eigenbasis Q of G. It is self-adjoint for the
 * Frobenius product and, for a positive kernel κ, maps positive matrices to positive ones.
 *
 * <p>D is kept flat, block after block. Its <i>overlaps</i> q_kᵀDq_l do not depend on the kernel,
 * and by symmetry only pairs k ≤ l are needed. They are kept flat too, strip after strip: strip s
 * holds, column by column, the pairs of all k below its end with the {@link #STRIP} eigenvectors l
 * of its own. Pairs l &gt; k outside the square at its end stand for their mirror image as well.
 *
 * <p>Cost for r eigenvectors: about mr² flops for overlaps, as much for an image.
 */
final class ReducedMap {
  private static final int STRIP = 256;

  private final GramSpectrum spectrum;
  private final int outputs;
  private final int m;
  private final double[] g;
  private final INDArray q;

  /** The map on the eigenvectors of the {@code count} &gt; 0 largest eigenvalues. */
  ReducedMap(GramSpectrum spectrum, int count) {
    this.spectrum = spectrum;
    outputs = spectrum.outputs();
    m = spectrum.size();
    g = new double[count];
    double[] columns = new double[m * count];
    for (int k = 0; k < count; k++) {
      g[k] = spectrum.eigenvalue(m - 1 - k);
      column(k, columns, k * m);
    }
    q = matrix(m, count, columns, 0);
  }

  /** Eigenvalue k in descending order. */
  double eigenvalue(int k) {
    return g[k];
  }

  /** The length of a flat block-diagonal matrix, N·K². */
  int dimension() {
    return m * outputs;
  }

  int outputs() {
    return outputs;
  }

  /** The length of flat overlaps. */
  int pairs() {
    int sum = 0;
    for (int from = 0; from < g.length; from += STRIP) {
      sum += end(from) * (end(from) - from);
    }
    return sum;
  }

  /** bd(G), as far as the eigenvectors reach. */
  double[] diagonalBlocks() {
    return imageOfIdentity(new PairKernel(2, 0, 0, 1, 0), g.length);
  }

  /**
   * R(I) = bd(Q diag(κ_kk) Qᵀ) on the first {@code count} eigenvectors, without a matrix product.
   */
  double[] imageOfIdentity(PairKernel kernel, int count) {
    double[] image = new double[dimension()];
    double[] v = new double[m];
    for (int k = 0; k < count; k++) {
      column(k, v, 0);
      addOuter(0.5 * kernel.at(g[k], g[k]), v, 0, v, image);
    }
    addTransposes(image);
    return image;
  }

  /** bd(q_k q_kᵀ). */
  double[] block(int k) {
    double[] v = new double[m];
    column(k, v, 0);
    double[] result = new double[dimension()];
    addOuter(0.5, v, 0, v, result);
    addTransposes(result);
    return result;
  }

  /** The overlaps q_kᵀ D q_l. */
  @SuppressWarnings("try")
  double[] overlaps(double[] d) {
    double[] result = new double[pairs()];
    int offset = 0;
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      for (int from = 0; from < g.length; from = end(from)) {
        offset = overlaps(d, from, result, offset);
      }
    }
    return result;
  }

  private int overlaps(double[] d, int from, double[] result, int offset) {
    int to = end(from);
    int width = to - from;
    double[] right = new double[m * width];
    double[] v = new double[m];
    for (int l = from; l < to; l++) {
      column(l, v, 0);
      multiplyBlocks(d, v, right, (l - from) * m);
    }
    try (INDArray b = matrix(m, width, right, 0);
        INDArray y = Nd4j.createUninitialized(DataType.DOUBLE, new long[] {to, width}, 'f')) {
      MatrixProduct.multiply(leading(to), b, y, true, false);
      y.data().asNioDouble().get(result, offset, to * width);
    }
    return offset + to * width;
  }

  /**
   * κ_kl in the order of overlaps, doubled where a pair stands for two, so that ⟨D, R(D)⟩ = Σ
   * weights·overlaps². Zero for pairs beyond the first {@code count} eigenvectors.
   */
  double[] weights(PairKernel kernel, int count) {
    double[] weights = new double[pairs()];
    int index = 0;
    for (int from = 0; from < g.length; from = end(from)) {
      for (int l = from; l < end(from); l++) {
        int column = index;
        for (int k = 0; l < count && k < Math.min(end(from), count); k++) {
          weights[column + k] = (k < from ? 2 : 1) * kernel.at(g[k], g[l]);
        }
        index += end(from);
      }
    }
    return weights;
  }

  /** ⟨D, R(D)⟩ from the overlaps of D. */
  double quadratic(PairKernel kernel, int count, double[] overlaps) {
    double sum = 0;
    int column = 0;
    for (int from = 0; from < g.length; from = end(from)) {
      for (int l = from; l < end(from); l++) {
        for (int k = 0; l < count && k < Math.min(end(from), count); k++) {
          double y = overlaps[column + k];
          sum += (k < from ? 2 : 1) * kernel.at(g[k], g[l]) * y * y;
        }
        column += end(from);
      }
    }
    return sum;
  }

  /** R(D) from the {@link #weights} and the overlaps of D. */
  @SuppressWarnings("try")
  double[] image(double[] weights, double[] overlaps) {
    double[] half = new double[dimension()];
    double[] z = new double[weights.length];
    for (int i = 0; i < z.length; i++) {
      z[i] = 0.5 * weights[i] * overlaps[i];
    }
    int offset = 0;
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      for (int from = 0; from < g.length; from = end(from)) {
        offset = addImage(z, offset, from, half);
      }
    }
    addTransposes(half);
    return half;
  }

  private int addImage(double[] z, int offset, int from, double[] half) {
    int to = end(from);
    int width = to - from;
    double[] u = new double[m * width];
    try (INDArray b = matrix(to, width, z, offset);
        INDArray product = Nd4j.createUninitialized(DataType.DOUBLE, new long[] {m, width}, 'f')) {
      MatrixProduct.multiply(leading(to), b, product, false, false);
      product.data().asNioDouble().get(u);
    }
    double[] v = new double[m];
    for (int l = from; l < to; l++) {
      column(l, v, 0);
      addOuter(1, u, (l - from) * m, v, half);
    }
    return offset + to * width;
  }

  private int end(int from) {
    return Math.min(from + STRIP, g.length);
  }

  /** target ← target + c·bd(u vᵀ). */
  private void addOuter(double c, double[] u, int offset, double[] v, double[] target) {
    int index = 0;
    for (int first = 0; first < m; first += outputs) {
      for (int a = 0; a < outputs; a++) {
        double factor = c * u[offset + first + a];
        for (int b = 0; b < outputs; b++) {
          target[index++] += factor * v[first + b];
        }
      }
    }
  }

  private void multiplyBlocks(double[] d, double[] v, double[] target, int offset) {
    int index = 0;
    for (int first = 0; first < m; first += outputs) {
      for (int a = 0; a < outputs; a++) {
        double sum = 0;
        for (int b = 0; b < outputs; b++) {
          sum += d[index++] * v[first + b];
        }
        target[offset + first + a] = sum;
      }
    }
  }

  private void addTransposes(double[] blocks) {
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

  private void column(int k, double[] target, int offset) {
    spectrum.copyEigenvector(m - 1 - k, target, offset);
  }

  private INDArray leading(int count) {
    return q.get(NDArrayIndex.all(), NDArrayIndex.interval(0, count));
  }

  private static INDArray matrix(int rows, int columns, double[] entries, int offset) {
    INDArray matrix = Nd4j.createUninitialized(DataType.DOUBLE, new long[] {rows, columns}, 'f');
    matrix.data().asNioDouble().put(entries, offset, rows * columns);
    return matrix;
  }
}
