// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The slowest direction of a part of a Gram matrix beside the others: the smallest nonzero
 * eigenvalue μ of A x = μ (I + C) x for positive semidefinite A and C. With A = L Lᵀ from its
 * eigenvectors it is the smallest one of Lᵀ (I + C)⁻¹ L.
 *
 * <p>Costs a Cholesky factor, m²·r + m·r² multiply-adds and a decomposition of r rows, r the rank
 * of A; nothing but that of A where C = 0. Immutable.
 */
public final class PencilMode {
  /** How far a vector may be from an eigenvector: more, and native code was wrong. */
  private static final double LARGEST_RESIDUAL = 1e-3;

  private final double eigenvalue;
  private final double[] vector;
  private final boolean resolved;
  private final double slack;

  private PencilMode(double eigenvalue, double[] vector, boolean resolved, double slack) {
    this.eigenvalue = eigenvalue;
    this.vector = vector;
    this.resolved = resolved;
    this.slack = slack;
  }

  /**
   * The mode where C = 0.
   *
   * @param spectrum of A, with eigenvectors
   * @return the mode; empty for A = 0
   */
  public static Optional<PencilMode> of(GramSpectrum spectrum) {
    return SlowestMode.of(spectrum)
        .map(mode -> new PencilMode(mode.eigenvalue(), mode.vector(), mode.isResolved(), 0));
  }

  /**
   * The mode.
   *
   * @param a A
   * @param spectrum of A, with eigenvectors
   * @param c C
   * @return the mode; empty for A = 0, where I + C is indefinite by rounding, or where native code
   *     was wrong
   */
  public static Optional<PencilMode> of(GramMatrix a, GramSpectrum spectrum, GramMatrix c) {
    int rank = spectrum.rank();
    Optional<Cholesky> factor = rank == 0 ? Optional.empty() : Cholesky.of(c, 1);
    if (factor.isEmpty()) {
      return Optional.empty();
    }
    double[][] roots = roots(spectrum);
    factor.get().solveLower(roots);
    GramSpectrum reduced = GramSpectrum.of(GramMatrix.adopt(squares(roots, rank), rank, 1));
    if (reduced.rank() == 0 || !reduced.hasEigenvectors()) {
      return Optional.empty();
    }
    int index = rank - reduced.rank();
    double[] x = combination(roots, reduced.eigenvector(index));
    factor.get().solveUpper(x);
    double value = reduced.eigenvalue(index);
    boolean resolved = index == 0 && SlowestMode.isResolved(spectrum);
    double slack = GramSpectrum.noise(c, LargestEigenpair.of(c).value());
    return normalised(x)
        .filter(vector -> residual(a, c, value, vector) <= LARGEST_RESIDUAL + slack)
        .map(vector -> new PencilMode(value, vector, resolved, slack));
  }

  /** L, whose rows are those of A. */
  private static double[][] roots(GramSpectrum spectrum) {
    int m = spectrum.size();
    int rank = spectrum.rank();
    double[][] roots = new double[m][rank];
    double[] vector = new double[m];
    for (int k = 0; k < rank; k++) {
      int index = m - rank + k;
      spectrum.copyEigenvector(index, vector, 0);
      double root = Math.sqrt(spectrum.eigenvalue(index));
      for (int i = 0; i < m; i++) {
        roots[i][k] = root * vector[i];
      }
    }
    return roots;
  }

  /** YᵀY; each entry is summed by one thread in the order of the rows. */
  private static double[][] squares(double[][] y, int rank) {
    double[][] squares = new double[rank][rank];
    IntStream.range(0, rank)
        .parallel()
        .forEach(
            k -> {
              double[] target = squares[k];
              for (double[] row : y) {
                double factor = row[k];
                for (int l = 0; l <= k; l++) {
                  target[l] += factor * row[l];
                }
              }
            });
    for (int k = 0; k < rank; k++) {
      for (int l = 0; l < k; l++) {
        squares[l][k] = squares[k][l];
      }
    }
    return squares;
  }

  private static double[] combination(double[][] rows, double[] weights) {
    return Arrays.stream(rows).mapToDouble(row -> Vectors.dot(row, weights)).toArray();
  }

  private static Optional<double[]> normalised(double[] x) {
    double norm = Math.sqrt(Vectors.dot(x, x));
    return norm > 0 && norm < Double.POSITIVE_INFINITY
        ? Optional.of(Arrays.stream(x).map(entry -> entry / norm).toArray())
        : Optional.empty();
  }

  /** ‖A x − μ(I + C)x‖ over ‖A x‖. */
  private static double residual(GramMatrix a, GramMatrix c, double value, double[] x) {
    double[] left = new double[x.length];
    double[] right = new double[x.length];
    a.multiply(x, left);
    c.multiply(x, right);
    double squares = 0;
    for (int i = 0; i < x.length; i++) {
      double gap = left[i] - value * (x[i] + right[i]);
      squares += gap * gap;
    }
    return Math.sqrt(squares / Vectors.dot(left, left));
  }

  /**
   * The eigenvalue.
   *
   * @return μ &gt; 0, the smallest above the noise
   */
  public double eigenvalue() {
    return eigenvalue;
  }

  /**
   * Its eigenvector x.
   *
   * @return a copy of norm 1
   */
  public double[] vector() {
    return vector.clone();
  }

  /**
   * Whether no smaller nonzero eigenvalue may be lost in the rounding of A.
   *
   * @return true if this is the slowest mode
   */
  public boolean isResolved() {
    return resolved;
  }

  /**
   * How much of μ the rounding of C may be: I + C is right within this share of I.
   *
   * @return a bound, m·ε·‖C‖
   */
  public double slack() {
    return slack;
  }
}
