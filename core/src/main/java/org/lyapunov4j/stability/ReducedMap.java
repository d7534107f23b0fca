// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;
import org.lyapunov4j.gram.MatrixProduct;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The map R(D) = bd(Q [κ ∘ (QᵀDQ)] Qᵀ) on block-diagonal matrices D (N symmetric K × K blocks), to
 * which the second moment of SGD reduces in the eigenbasis Q of G. It is self-adjoint for the
 * Frobenius product and, for a positive kernel κ, maps positive matrices to positive ones.
 *
 * <p>By symmetry only the overlaps q_kᵀDq_l of pairs k ≤ l are needed. They are kept flat, strip
 * after strip: strip s holds, column by column, the pairs of all k below its end with the {@link
 * #STRIP} eigenvectors l of its own. Pairs l &gt; k outside the square at its end stand for their
 * mirror image as well.
 *
 * <p>Matrix products are native and not believed: the overlaps are compared with a quadratic form
 * in a random vector, an image with what its overlaps say ⟨D, R(D)⟩ is.
 *
 * <p>Cost for r eigenvectors: about mr² flops for overlaps, as much for an image.
 */
final class ReducedMap implements SecondMomentMap {
  private static final int STRIP = 256;

  /** Relative to the norms that go into it; sums of products in double stay far below. */
  private static final double LARGEST_ERROR = 1e-9;

  private final EigenBasis basis;
  private final int count;

  ReducedMap(EigenBasis basis) {
    this.basis = basis;
    count = basis.count();
  }

  @Override
  public int dimension() {
    return basis.dimension();
  }

  int outputs() {
    return basis.outputs();
  }

  @Override
  public int pairs() {
    int sum = 0;
    for (int from = 0; from < count; from += STRIP) {
      sum += end(from) * (end(from) - from);
    }
    return sum;
  }

  /**
   * R(I) = bd(Q diag(κ_kk) Qᵀ) on the first {@code count} eigenvectors, without a matrix product.
   */
  double[] imageOfIdentity(PairKernel kernel, int count) {
    double[] c = new double[count];
    for (int k = 0; k < count; k++) {
      c[k] = kernel.at(basis.eigenvalue(k), basis.eigenvalue(k));
    }
    return basis.blocks(c, 0, count);
  }

  /** bd(q_k q_kᵀ). */
  double[] block(int k) {
    double[] c = new double[k + 1];
    c[k] = 1;
    return basis.blocks(c, k, k + 1);
  }

  @Override
  @SuppressWarnings("try")
  public double[] overlaps(double[] d) {
    double[] result = new double[pairs()];
    int offset = 0;
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      for (int from = 0; from < count; from = end(from)) {
        offset = overlaps(d, from, result, offset);
      }
    }
    verifyOverlaps(d, result);
    return result;
  }

  private int overlaps(double[] d, int from, double[] result, int offset) {
    int to = end(from);
    int width = to - from;
    try (INDArray rows = EigenBasis.matrix(width, basis.size(), basis.timesBlocks(d, from, to), 0);
        INDArray y = Nd4j.createUninitialized(DataType.DOUBLE, new long[] {to, width}, 'f')) {
      MatrixProduct.multiply(basis.leading(to), rows, y, true, true);
      y.data().asNioDouble().get(result, offset, to * width);
    }
    return offset + to * width;
  }

  @Override
  public double[] weights(PairKernel kernel, int count) {
    double[] weights = new double[pairs()];
    int index = 0;
    for (int from = 0; from < this.count; from = end(from)) {
      for (int l = from; l < end(from); l++) {
        int column = index;
        for (int k = 0; l < count && k < Math.min(end(from), count); k++) {
          weights[column + k] =
              (k < from ? 2 : 1) * kernel.at(basis.eigenvalue(k), basis.eigenvalue(l));
        }
        index += end(from);
      }
    }
    return weights;
  }

  @Override
  public double quadratic(PairKernel kernel, int count, double[] overlaps) {
    double sum = 0;
    int column = 0;
    for (int from = 0; from < this.count; from = end(from)) {
      for (int l = from; l < end(from); l++) {
        double g = basis.eigenvalue(l);
        for (int k = 0; l < count && k < Math.min(end(from), count); k++) {
          double y = overlaps[column + k];
          sum += (k < from ? 2 : 1) * kernel.at(basis.eigenvalue(k), g) * y * y;
        }
        column += end(from);
      }
    }
    return sum;
  }

  @Override
  @SuppressWarnings("try")
  public double[] image(double[] weights, double[] overlaps) {
    double[] image = new double[dimension()];
    int offset = 0;
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      for (int from = 0; from < count; from = end(from)) {
        offset = addImage(weights, overlaps, offset, from, image);
      }
    }
    basis.addTransposes(image);
    return image;
  }

  private int addImage(double[] weights, double[] overlaps, int offset, int from, double[] half) {
    int to = end(from);
    int width = to - from;
    double[] z = new double[to * width];
    for (int i = 0; i < z.length; i++) {
      z[i] = 0.5 * weights[offset + i] * overlaps[offset + i];
    }
    double[] u = new double[basis.size() * width];
    try (INDArray b = EigenBasis.matrix(to, width, z, 0);
        INDArray product =
            Nd4j.createUninitialized(DataType.DOUBLE, new long[] {width, basis.size()}, 'f')) {
      MatrixProduct.multiply(b, basis.leading(to), product, true, true);
      product.data().asNioDouble().get(u);
    }
    basis.addBlocks(u, from, to, half);
    return offset + to * width;
  }

  private int end(int from) {
    return Math.min(from + STRIP, count);
  }

  /** xᵀ(QᵀDQ)x = (Qx)ᵀD(Qx) for a random x of signs: a wrong product passes with probability 0. */
  private void verifyOverlaps(double[] d, double[] overlaps) {
    RandomStream random = new RandomStream(count);
    double[] x = new double[count];
    for (int k = 0; k < count; k++) {
      x[k] = 1 - 2.0 * random.nextInt(2);
    }
    double found = 0;
    int column = 0;
    for (int from = 0; from < count; from = end(from)) {
      for (int l = from; l < end(from); l++) {
        double sum = 0;
        for (int k = 0; k < end(from); k++) {
          sum += (k < from ? 2 : 1) * x[k] * overlaps[column + k];
        }
        found += x[l] * sum;
        column += end(from);
      }
    }
    require(found, basis.quadratic(d, x), count * norm(d), "overlaps");
  }

  @Override
  public void verify(double quotient, double[] weights, double[] overlaps) {
    double expected = 0;
    for (int p = 0; p < weights.length; p++) {
      expected += weights[p] * overlaps[p] * overlaps[p];
    }
    require(quotient, expected, Math.abs(expected), "image");
  }

  @Override
  public double trace(double[] d) {
    return basis.trace(d);
  }

  private static void require(double found, double expected, double scale, String what) {
    if (!(Math.abs(found - expected) <= LARGEST_ERROR * scale)) {
      throw new ArithmeticException(
          String.format(
              Locale.ROOT,
              "a native matrix product is wrong: the %s of a second moment give %.10g instead of"
                  + " %.10g; use another BLAS, OpenBLAS 0.3.21 or later on processors with AVX-512",
              what,
              found,
              expected));
    }
  }

  private static double norm(double[] d) {
    return Math.sqrt(PerronSpace.dot(d, d));
  }
}
