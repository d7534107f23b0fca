// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.lyapunov4j.gram.BlockCholesky;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;

/**
 * The Gram matrix as its first products see it, and what each example has with itself exactly: with
 * an orthonormal basis Q of k vectors of the block Krylov space of G and K vectors,
 *
 * <pre>
 *   G ≈ F Fᵀ + bd(G − F Fᵀ),     F = G Q L⁻ᵀ,     QᵀGQ = L Lᵀ,
 * </pre>
 *
 * <p>where bd keeps the K × K blocks of single examples, and an operator of that Gram matrix takes
 * the place of the Jacobian: a step of its cocycle costs about 4Bk flops an output where one of the
 * Jacobian costs 4BP or more. The sharpest directions are in the space to rounding. What is left, G
 * − F Fᵀ, is positive semidefinite; the noise of mini-batches has most of it by the examples
 * themselves. Only what different examples share of it is missing, which falls as k grows. As many
 * vectors as there are outputs, since the outputs of a linear layer share their eigenvalues, and a
 * single vector has one direction for all of them.
 *
 * <p>Block Lanczos iteration with full reorthogonalisation. The space grows; each dimension takes
 * one product with G and m numbers.
 *
 * <p>Source: G. H. Golub, C. F. Van Loan, <i>Matrix Computations</i>, chapter 10.3; F is Nyström's
 * approximation, as in N. Halko, P. G. Martinsson, J. A. Tropp, SIAM Review 53, 2011.
 */
public final class KrylovSpace {
  /** Share of an example's largest curvature that rounding leaves of nothing, in double. */
  private static final double NOTHING_LEFT = 1e-12;

  /** Of the largest pivot, so that rounding of products over its root is nothing. */
  private static final double SMALLEST_PIVOT = 1e-9;

  private final Products gram;
  private final double[] blocks;
  private final double epsilon;
  private final int outputs;
  private final int rows;
  private final RandomStream random;

  /** Q, and the vectors that follow. */
  private final List<double[]> basis = new ArrayList<>();

  /** QᵀGq of each vector of Q, for the vectors there were and the one that it brought. */
  private final List<double[]> projections = new ArrayList<>();

  /** L and what is below it, of the space of now; null until it is asked for. */
  private double[][] factor;

  private int drawn;
  private double largest;
  private boolean isExhausted;

  /** Products with G. */
  @FunctionalInterface
  public interface Products {
    /**
     * Computes y_j = G x_j.
     *
     * @param x vectors of length m; not modified
     * @param y as many others; overwritten
     */
    void apply(double[][] x, double[][] y);
  }

  private KrylovSpace(
      Products gram, double[] blocks, double epsilon, int outputs, RandomStream random) {
    this.gram = gram;
    this.blocks = blocks;
    this.epsilon = epsilon;
    this.outputs = outputs;
    this.random = random;
    rows = blocks.length / outputs;
  }

  /**
   * A space of no dimension as yet.
   *
   * @param gram G
   * @param cancelled asked before each pass over the matrix; true to stop
   * @param random of the vectors it starts with; only split
   * @return a space of G
   */
  public static KrylovSpace of(GramMatrix gram, BooleanSupplier cancelled, RandomStream random) {
    int outputs = gram.outputs();
    double[] blocks = new double[Math.multiplyExact(gram.size(), outputs)];
    for (int row = 0; row < gram.size(); row++) {
      for (int k = 0; k < outputs; k++) {
        blocks[row * outputs + k] = gram.get(row, row / outputs * outputs + k);
      }
    }
    Products products =
        (x, y) -> {
          TangentGram.requireGoingOn(cancelled);
          gram.multiply(x, y);
        };
    return new KrylovSpace(products, blocks, gram.epsilon(), outputs, random);
  }

  /**
   * A space of no dimension as yet.
   *
   * @param operator J
   * @param gram its products
   * @param random of the vectors it starts with; only split
   * @return a space of G = J Jᵀ
   */
  public static KrylovSpace of(TangentOperator operator, TangentGram gram, RandomStream random) {
    return new KrylovSpace(gram, gram.blocks(), Math.ulp(1.0), operator.outputs(), random);
  }

  /**
   * Adds dimensions.
   *
   * @param dimension how many there are to be
   * @return how many there are: fewer if the space is whole before, none if G = 0
   * @throws CancellationException if cancelled; the space can be extended again
   */
  public int extend(int dimension) {
    while (projections.size() < dimension && !isWhole()) {
      factor = null;
      int waiting = basis.size() - projections.size();
      if (drawn < outputs) {
        draw(outputs - drawn);
      } else if (waiting == 0) {
        draw(1);
      } else {
        multiply(Math.min(waiting, dimension - projections.size()));
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

  /** Adds directions in the range of G. */
  private void draw(int count) {
    double[][] drawing = new double[count][];
    Arrays.setAll(drawing, j -> random.split(drawn + j).gaussians(rows));
    drawn += count;
    for (double[] image : images(drawing)) {
      double before = Vectors.norm(image);
      largest = Math.max(largest, before / Math.sqrt(rows));
      orthogonalise(image);
      add(image, rows * Math.ulp(before));
    }
    isExhausted = projections.size() == basis.size();
  }

  /** Adds what G makes of the next vectors of the basis, unless it is in the space. */
  private void multiply(int count) {
    int from = projections.size();
    double[][] images = images(basis.subList(from, from + count).toArray(double[][]::new));
    for (double[] image : images) {
      largest = Math.max(largest, Vectors.norm(image));
      double[] inside = orthogonalise(image);
      double norm = Vectors.norm(image);
      if (add(image, noise())) {
        inside = Arrays.copyOf(inside, basis.size());
        inside[inside.length - 1] = norm;
      }
      projections.add(inside);
    }
  }

  private double[][] images(double[][] x) {
    double[][] images = new double[x.length][rows];
    gram.apply(x, images);
    return images;
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

  /** What rounding leaves where there is nothing, of G too. */
  private double noise() {
    return Math.max((basis.size() + 1) * Math.ulp(largest), Math.sqrt(rows) * epsilon * largest);
  }

  /**
   * What takes the place of the Jacobian, in the space of now.
   *
   * @return an operator on vectors of as many numbers as QᵀGQ has rank, and m more
   * @throws IllegalStateException if the space has no dimension: there is none before {@link
   *     #extend}, and none if G = 0
   */
  public TangentOperator operator() {
    if (projections.isEmpty()) {
      throw new IllegalStateException("a Krylov space has no operator before it has a dimension");
    }
    double[][] factor = factor();
    double[][] shared = new double[rows][factor[0].length];
    double[] components = new double[factor.length];
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < components.length; i++) {
        components[i] = basis.get(i)[row];
      }
      double[] target = shared[row];
      Vectors.addAll(components, 0, 1, components.length, factor, 0, target.length, target);
    }
    double[] rest = blocks.clone();
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < outputs; k++) {
        rest[row * outputs + k] -= Vectors.dot(shared[row], shared[row / outputs * outputs + k]);
      }
    }
    double[] least =
        BlockCholesky.largestDiagonal(blocks, outputs, Math.max(NOTHING_LEFT, epsilon));
    return new ReducedJacobian(shared, BlockCholesky.factors(rest, outputs, least), outputs);
  }

  /**
   * How much of G is not in F Fᵀ.
   *
   * @return tr(G − F Fᵀ)/tr G, from 0 for a whole space to 1 for an empty one
   */
  public double shareLeft() {
    double trace = 0;
    for (int row = 0; row < rows; row++) {
      trace += blocks[row * outputs + row % outputs];
    }
    double left = trace;
    for (double[] row : factor()) {
      left -= Vectors.dot(row, row);
    }
    return trace > 0 ? Math.max(0, left / trace) : 0;
  }

  private double[][] factor() {
    if (factor == null) {
      factor = factor(projected());
    }
    return factor;
  }

  /** T = QᵀGQ, and below it what G makes of Q outside the space. */
  private double[][] projected() {
    int size = projections.size();
    double[][] t = new double[basis.size()][size];
    for (int j = 0; j < size; j++) {
      double[] known = projections.get(j);
      for (int i = j; i < known.length; i++) {
        t[i][j] = known[i];
        if (i < size) {
          t[j][i] = known[i];
        }
      }
    }
    return t;
  }

  /**
   * L of T = L Lᵀ with L⁻ᵀ of what is below T, the largest pivots first. Rounding takes vectors of
   * a long basis out of the range of G, so that T is singular without a small pivot where the order
   * is that of the basis; this way no entry is larger than its pivot.
   */
  private double[][] factor(double[][] t) {
    int size = projections.size();
    double[][] factor = new double[t.length][size];
    double[] left = new double[size];
    Arrays.setAll(left, i -> t[i][i]);
    double least = Math.max(noise(), SMALLEST_PIVOT * Arrays.stream(left).max().orElse(0));
    int rank = 0;
    for (int next = largest(left); left[next] > least; next = largest(left), rank++) {
      double root = Math.sqrt(left[next]);
      for (int i = 0; i < t.length; i++) {
        if (i >= size || (left[i] > 0 && i != next)) {
          double rest = t[i][next] - Vectors.dot(factor[i], 0, factor[next], 0, rank);
          factor[i][rank] = rest / root;
        }
        if (i < size) {
          left[i] -= factor[i][rank] * factor[i][rank];
        }
      }
      factor[next][rank] = root;
      left[next] = 0;
      if (rank + 1 == size) {
        return factor;
      }
    }
    int columns = Math.max(1, rank);
    Arrays.setAll(factor, i -> Arrays.copyOf(factor[i], columns));
    return factor;
  }

  private static int largest(double[] values) {
    int largest = 0;
    for (int i = 1; i < values.length; i++) {
      largest = values[i] > values[largest] ? i : largest;
    }
    return largest;
  }
}
