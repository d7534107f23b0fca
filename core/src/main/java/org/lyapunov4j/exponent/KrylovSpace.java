// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;

/**
 * The Gram matrix as its first products see it: with an orthonormal basis Q of the block Krylov
 * space of G and K vectors, and T = QᵀGQ,
 *
 * <pre>
 *   QTQᵀ = F Fᵀ,     F = Q L,     T = L Lᵀ,
 * </pre>
 *
 * <p>and F, of k columns, takes the place of the Jacobian: a step of its cocycle costs 4Bk flops an
 * output where one of the Jacobian costs 4BP or more. The sharpest directions are in the space to
 * rounding, and for the others a few that stand for them, down to slow ones. What is missing
 * weakens every step, so that η_c of F falls towards that of J as k grows. As many vectors as there
 * are outputs, since the outputs of a linear layer share their eigenvalues, and a single vector has
 * one direction for all of them.
 *
 * <p>Block Lanczos iteration with full reorthogonalisation. The space grows; each dimension takes
 * one product with G and m numbers.
 *
 * <p>Source: G. H. Golub, C. F. Van Loan, <i>Matrix Computations</i>, chapter 10.3.
 */
public final class KrylovSpace {
  private final LargestEigenpair.Operator gram;
  private final int outputs;
  private final int rows;
  private final RandomStream random;

  /** Q, and the vectors that follow. */
  private final List<double[]> basis = new ArrayList<>();

  /** QᵀGq of each vector of Q, for the vectors there were and the one that it brought. */
  private final List<double[]> projections = new ArrayList<>();

  private int drawn;
  private double largest;
  private boolean isExhausted;

  /**
   * A space of no dimension as yet.
   *
   * @param gram G
   * @param examples N
   * @param outputs K, rows of each example
   * @param random of the vectors it starts with; only split
   */
  public KrylovSpace(
      LargestEigenpair.Operator gram, int examples, int outputs, RandomStream random) {
    this.gram = gram;
    this.outputs = EstimatorBuilder.requireAtLeast("outputs", outputs, 1);
    this.random = random;
    rows = Math.multiplyExact(EstimatorBuilder.requireAtLeast("examples", examples, 1), outputs);
  }

  /**
   * Adds dimensions.
   *
   * @param dimension how many there are to be
   * @return how many there are: fewer if the space is whole before, none if G = 0
   */
  public int extend(int dimension) {
    while (projections.size() < dimension && !isWhole()) {
      if (drawn < outputs || projections.size() == basis.size()) {
        draw();
      } else {
        multiply();
      }
    }
    return projections.size();
  }

  /**
   * Whether G maps the space into itself and nothing else into anything, so that it has all that G
   * has.
   *
   * @return as far as rounding can tell
   */
  public boolean isWhole() {
    return isExhausted || projections.size() == rows;
  }

  /** Adds a direction in the range of G. */
  private void draw() {
    double[] image = image(random.split(drawn++).gaussians(rows));
    double before = Vectors.norm(image);
    largest = Math.max(largest, before / Math.sqrt(rows));
    orthogonalise(image);
    isExhausted = !add(image, rows * Math.ulp(before)) && projections.size() == basis.size();
  }

  /** Adds what G makes of the next vector of the basis, unless it is in the space. */
  private void multiply() {
    double[] image = image(basis.get(projections.size()));
    largest = Math.max(largest, Vectors.norm(image));
    double[] inside = orthogonalise(image);
    double norm = Vectors.norm(image);
    if (add(image, noise())) {
      inside = Arrays.copyOf(inside, basis.size());
      inside[inside.length - 1] = norm;
    }
    projections.add(inside);
  }

  private double[] image(double[] x) {
    double[] image = new double[rows];
    gram.apply(x, image);
    return image;
  }

  /** Takes the basis out of a vector and returns its components; twice is enough. */
  private double[] orthogonalise(double[] x) {
    double[] components = new double[basis.size()];
    for (int pass = 0; pass < 2; pass++) {
      for (int i = 0; i < components.length; i++) {
        double component = Vectors.dot(basis.get(i), x);
        components[i] += component;
        Vectors.add(-component, basis.get(i), x);
      }
    }
    return components;
  }

  private boolean add(double[] x, double noise) {
    double norm = Vectors.norm(x);
    if (norm <= noise || basis.size() == rows) {
      return false;
    }
    Vectors.scale(x, 1 / norm);
    basis.add(x);
    return true;
  }

  /** What rounding leaves where there is nothing. */
  private double noise() {
    return (basis.size() + 1) * Math.ulp(largest);
  }

  /**
   * What takes the place of the Jacobian, in the space of now.
   *
   * @return F, an operator on vectors of as many numbers as the space has dimensions
   * @throws IllegalStateException if the space has no dimension: there is none before {@link
   *     #extend}, and none if G = 0
   */
  public TangentOperator operator() {
    int size = projections.size();
    if (size == 0) {
      throw new IllegalStateException("a Krylov space has no operator before it has a dimension");
    }
    double[][] factor = factor(projected());
    double[][] columns = new double[size][rows];
    for (int j = 0; j < size; j++) {
      for (int i = j; i < size; i++) {
        if (factor[i][j] != 0) {
          Vectors.add(factor[i][j], basis.get(i), columns[j]);
        }
      }
    }
    double[][] transposed = new double[rows][size];
    for (int row = 0; row < rows; row++) {
      for (int j = 0; j < size; j++) {
        transposed[row][j] = columns[j][row];
      }
    }
    return new Rows(transposed, outputs);
  }

  /** The lower half of T. */
  private double[][] projected() {
    int size = projections.size();
    double[][] t = new double[size][size];
    for (int j = 0; j < size; j++) {
      double[] known = projections.get(j);
      for (int i = j; i < Math.min(size, known.length); i++) {
        t[i][j] = known[i];
      }
    }
    return t;
  }

  /** The Cholesky factor; directions without energy get columns of zeros. */
  private double[][] factor(double[][] t) {
    int size = t.length;
    double[][] factor = new double[size][size];
    for (int j = 0; j < size; j++) {
      double pivot = t[j][j] - Vectors.dot(factor[j], 0, factor[j], 0, j);
      if (pivot <= noise()) {
        continue;
      }
      factor[j][j] = Math.sqrt(pivot);
      for (int i = j + 1; i < size; i++) {
        double rest = t[i][j] - Vectors.dot(factor[i], 0, factor[j], 0, j);
        factor[i][j] = rest / factor[j][j];
      }
    }
    return factor;
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
