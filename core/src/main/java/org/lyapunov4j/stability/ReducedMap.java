// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Arrays;
import org.lyapunov4j.gram.Vectors;

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
 * in a random vector, an image with what its overlaps say ⟨D, R(D)⟩ and tr R(D) are.
 *
 * <p>Cost for r eigenvectors: about mr² flops for overlaps, as much for an image.
 */
final class ReducedMap implements SecondMomentMap {
  private static final int STRIP = 256;

  /** In roundoffs, relative to the norms that go into it. */
  static final double LARGEST_ERROR = 1e4;

  private final EigenBasis basis;
  private final int count;

  /** A random x and Qx, by which overlaps are checked. */
  private final double[] signs;

  private final double[] combined;

  ReducedMap(EigenBasis basis) {
    this.basis = basis;
    count = basis.count();
    signs = EigenBasis.randomSigns(count);
    combined = basis.combination(signs);
  }

  @Override
  public int dimension() {
    return basis.dimension();
  }

  /** Whether products are in single precision. */
  boolean isSingle() {
    return basis.isSingle();
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
  public double[] overlaps(double[] d) {
    return basis.verified(() -> computeOverlaps(d), overlaps -> areOverlaps(d, overlaps));
  }

  private double[] computeOverlaps(double[] d) {
    double[] result = new double[pairs()];
    basis.forEachStrip(
        count,
        STRIP,
        (products, from, to) -> products.overlaps(to, d, from, to, result, offset(from)));
    return result;
  }

  /** Where the pairs of a strip begin: those before are as wide as STRIP and end at multiples. */
  private static int offset(int from) {
    int before = from / STRIP;
    return STRIP * STRIP * (before * (before + 1) / 2);
  }

  @Override
  public double[] weights(PairKernel kernel, int count) {
    double[] weights = new double[pairs()];
    forEachColumn(
        count,
        (l, column, square, end) ->
            System.arraycopy(weigh(kernel, l, square, end), 0, weights, column, end));
    return weights;
  }

  @Override
  public double quadratic(PairKernel kernel, int count, double[] overlaps) {
    double[] sums = new double[count];
    forEachColumn(
        count,
        (l, column, square, end) ->
            sums[l] = weightedSquares(weigh(kernel, l, square, end), 0, overlaps, column, end));
    return Arrays.stream(sums).sum();
  }

  /** A column of overlaps: those of the eigenvectors k below end with l. */
  private interface Column {
    void take(int l, int column, int square, int end);
  }

  /** Of the first eigenvectors, on all processors. */
  private void forEachColumn(int most, Column task) {
    basis.forEach(
        most,
        l -> {
          int square = l / STRIP * STRIP;
          int end = end(square);
          int column = offset(square) + (l - square) * end;
          task.take(l, column, square, Math.min(end, most));
        });
  }

  /** The weights of a column, twice the factors outside the square. */
  private double[] weigh(PairKernel kernel, int l, int square, int end) {
    double[] weights = new double[end];
    double g = basis.eigenvalue(l);
    kernel.fill(basis.eigenvalues(), g, 2, 0, square, weights);
    kernel.fill(basis.eigenvalues(), g, 1, square, end, weights);
    return weights;
  }

  private static double weightedSquares(
      double[] w, int weightsFrom, double[] y, int offset, int length) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int k = 0;
    for (; k + 4 <= length; k += 4) {
      int i = offset + k;
      int j = weightsFrom + k;
      a += w[j] * y[i] * y[i];
      b += w[j + 1] * y[i + 1] * y[i + 1];
      c += w[j + 2] * y[i + 2] * y[i + 2];
      d += w[j + 3] * y[i + 3] * y[i + 3];
    }
    for (; k < length; k++) {
      a += w[weightsFrom + k] * y[offset + k] * y[offset + k];
    }
    return (a + b) + (c + d);
  }

  @Override
  public double[] image(double[] d, double[] weights, double[] overlaps) {
    return basis.verified(
        () -> computeImage(weights, overlaps), image -> isImage(d, weights, overlaps, image));
  }

  private double[] computeImage(double[] weights, double[] overlaps) {
    double[] image =
        basis.sumOfStrips(
            count,
            STRIP,
            (products, from, to, sum) -> {
              int start = offset(from);
              double[] z = new double[to * (to - from)];
              basis.forEachChunk(
                  z.length,
                  (first, size) -> {
                    for (int i = first; i < first + size; i++) {
                      z[i] = 0.5 * weights[start + i] * overlaps[start + i];
                    }
                  });
              products.addBlocks(to, z, from, to, sum);
            });
    basis.addTransposes(image);
    return image;
  }

  private int end(int from) {
    return Math.min(from + STRIP, count);
  }

  /** xᵀ(QᵀDQ)x = (Qx)ᵀD(Qx) for a random x of signs: a wrong product passes with probability 0. */
  private boolean areOverlaps(double[] d, double[] overlaps) {
    double[] found = new double[count];
    forEachColumn(
        count,
        (l, column, square, end) -> {
          double above = Vectors.dot(signs, 0, overlaps, column, square);
          double own = Vectors.dot(signs, square, overlaps, column + square, end - square);
          found[l] = signs[l] * (2 * above + own);
        });
    return isNear(
        Arrays.stream(found).sum(),
        basis.bilinear(d, combined, combined),
        Math.sqrt(Vectors.dot(d, d)));
  }

  /** The image is a sum of K × K blocks; a wrong one has another trace, or another ⟨D, R(D)⟩. */
  private boolean isImage(double[] d, double[] weights, double[] overlaps, double[] image) {
    double[] squares = new double[count];
    double[] diagonal = new double[count];
    forEachColumn(
        count,
        (l, column, square, end) -> {
          squares[l] = weightedSquares(weights, column, overlaps, column, end);
          diagonal[l] = weights[column + l] * overlaps[column + l];
        });
    double quotient = Arrays.stream(squares).sum();
    return isNear(Vectors.dot(d, image), quotient, Math.abs(quotient))
        && isNear(
            basis.trace(image),
            Arrays.stream(diagonal).sum(),
            Arrays.stream(diagonal).map(Math::abs).sum());
  }

  private boolean isNear(double found, double expected, double scale) {
    return Math.abs(found - expected) <= LARGEST_ERROR * basis.roundoff() * scale;
  }

  @Override
  public double trace(double[] d) {
    return basis.trace(d);
  }
}
