// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.Vectors;

/**
 * The Gram matrix as its first products see it: with an orthonormal basis Q of the Krylov space of
 * G and a vector, and T = QᵀGQ, which is tridiagonal,
 *
 * <pre>
 *   QTQᵀ = F Fᵀ,     F = Q L,     T = L Lᵀ,
 * </pre>
 *
 * <p>and F, of k columns, takes the place of the Jacobian: a step of its cocycle costs 4Bk flops an
 * output where one of the Jacobian costs 4BP or more. The sharpest directions are in the space to
 * rounding, and for the others a few that stand for them, down to slow ones. What is missing
 * weakens every step, so that η_c of F falls towards that of J as k grows.
 *
 * <p>Lanczos iteration with full reorthogonalisation, as {@link LargestEigenpair}. The space grows;
 * each dimension takes one product with G and m numbers.
 */
public final class KrylovSpace {
  private final LargestEigenpair.Operator gram;
  private final int outputs;
  private final List<double[]> basis = new ArrayList<>();
  private double[] diagonal = new double[16];
  private double[] offDiagonal = new double[16];

  /** The next vector of the basis; empty if the space is invariant. */
  private double[] next;

  /**
   * A space of no dimension as yet.
   *
   * @param gram G
   * @param outputs K, rows of each example
   * @param start a vector of length m in the range of G, not 0; not modified
   */
  public KrylovSpace(LargestEigenpair.Operator gram, int outputs, double[] start) {
    this.gram = gram;
    this.outputs = outputs;
    next = start.clone();
    double norm = Vectors.norm(next);
    if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the start of a Krylov space must be nonzero and finite, got norm " + norm);
    }
    Vectors.scale(next, 1 / norm);
  }

  /**
   * Adds dimensions.
   *
   * @param dimension how many there are to be
   * @return how many there are: fewer if the space is whole before
   */
  public int extend(int dimension) {
    while (basis.size() < dimension && !isWhole()) {
      step();
    }
    return basis.size();
  }

  /**
   * Whether G maps the space into itself, so that it has all that G has.
   *
   * @return as far as rounding can tell
   */
  public boolean isWhole() {
    return next.length == 0;
  }

  private void step() {
    int k = basis.size();
    if (k == diagonal.length) {
      diagonal = Arrays.copyOf(diagonal, 2 * k);
      offDiagonal = Arrays.copyOf(offDiagonal, 2 * k);
    }
    double[] image = new double[next.length];
    gram.apply(next, image);
    diagonal[k] = Vectors.dot(next, image);
    basis.add(next);
    // twice is enough to be orthogonal to working precision
    for (int pass = 0; pass < 2; pass++) {
      for (double[] known : basis) {
        Vectors.add(-Vectors.dot(known, image), known, image);
      }
    }
    double beta = Vectors.norm(image);
    if (beta <= noise() || basis.size() == image.length) {
      next = new double[0];
    } else {
      offDiagonal[k] = beta;
      Vectors.scale(image, 1 / beta);
      next = image;
    }
  }

  /** What rounding leaves where there is nothing. */
  private double noise() {
    int size = basis.size();
    return size * Math.ulp(Arrays.stream(diagonal, 0, size).max().orElseThrow());
  }

  /**
   * What takes the place of the Jacobian, in the space of now.
   *
   * @return F, an operator on vectors of at most as many numbers as the space has dimensions
   */
  public TangentOperator operator() {
    int size = basis.size();
    double[] pivots = new double[size];
    double[] below = new double[size];
    int rank = 0;
    double left = diagonal[0];
    while (rank < size && left > noise()) {
      pivots[rank] = Math.sqrt(left);
      if (++rank < size) {
        below[rank - 1] = offDiagonal[rank - 1] / pivots[rank - 1];
        left = diagonal[rank] - below[rank - 1] * below[rank - 1];
      }
    }
    double[][] rows = new double[basis.get(0).length][rank];
    for (int j = 0; j < rank; j++) {
      double[] q = basis.get(j);
      double[] after = j + 1 < size ? basis.get(j + 1) : q;
      for (int row = 0; row < rows.length; row++) {
        rows[row][j] = pivots[j] * q[row] + below[j] * after[row];
      }
    }
    return new Rows(rows, outputs);
  }

  /** F, row by row. */
  private static final class Rows implements TangentOperator {
    private final double[][] rows;
    private final int outputs;

    Rows(double[][] rows, int outputs) {
      this.rows = rows;
      this.outputs = outputs;
    }

    @Override
    public int examples() {
      return rows.length / outputs;
    }

    @Override
    public int outputs() {
      return outputs;
    }

    @Override
    public int dimension() {
      return rows[0].length;
    }

    @Override
    public double flopsPerExample() {
      return 4.0 * outputs * dimension();
    }

    @Override
    public Products products(int largestBatch) {
      return new OfRows(largestBatch);
    }

    /**
     * Products with the selected rows, and with their transpose: sums of vectors in both cases, for
     * the sake of HotSpot.
     */
    private final class OfRows implements Products {
      /** Rows that are transposed at a time, so that columns are fetched as seldom. */
      private static final int FOUR = 4;

      private final double[][] selected;
      private final double[][] columns;
      private int chosen;

      OfRows(int largestBatch) {
        selected = new double[largestBatch * outputs][];
        columns = new double[dimension()][selected.length];
      }

      @Override
      public void select(int[] examples, int count) {
        chosen = count * outputs;
        for (int b = 0; b < count; b++) {
          System.arraycopy(rows, examples[b] * outputs, selected, b * outputs, outputs);
        }
        int row = 0;
        for (; row + FOUR <= chosen; row += FOUR) {
          transpose(selected[row], selected[row + 1], selected[row + 2], selected[row + 3], row);
        }
        for (; row < chosen; row++) {
          for (int j = 0; j < columns.length; j++) {
            columns[j][row] = selected[row][j];
          }
        }
      }

      private void transpose(double[] x0, double[] x1, double[] x2, double[] x3, int row) {
        for (int j = 0; j < columns.length; j++) {
          double[] column = columns[j];
          column[row] = x0[j];
          column[row + 1] = x1[j];
          column[row + 2] = x2[j];
          column[row + 3] = x3[j];
        }
      }

      @Override
      public void outputs(double[] z, double[] u) {
        Arrays.fill(u, 0, chosen, 0);
        Vectors.addAll(z, 0, 1, /* count= */ columns.length, columns, 0, /* length= */ chosen, u);
      }

      @Override
      public void addGradient(double[] u, double[] z) {
        Vectors.addAll(u, 0, 1, /* count= */ chosen, selected, 0, /* length= */ columns.length, z);
      }
    }
  }
}
