// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Arrays;
import java.util.Locale;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.lyapunov4j.step.RandomStream;

/**
 * The algebraically largest eigenvalue of a symmetric operator with its eigenvector, from products
 * with vectors only.
 *
 * <p>Lanczos iteration with full reorthogonalisation. It stops when the residual ‖A v − θ v‖ of the
 * largest Ritz pair falls below a tolerance relative to |θ|, or after a given number of products.
 * Then A has an eigenvalue within {@link #residual()} of {@link #value()}, never less than the Ritz
 * value; that it is the largest one holds for all starting vectors but a set of measure zero, those
 * orthogonal to its eigenspace. For a Gram matrix this costs some tens of products where a
 * decomposition costs m of them.
 *
 * <p>Source: B. N. Parlett, <i>The Symmetric Eigenvalue Problem</i>, chapter 13.
 */
public final class LargestEigenpair {
  private static final double TOLERANCE = 1e-9;
  private static final int MOST_PRODUCTS = 500;
  private static final double TOLERANCE_BELOW = 1e-5;
  private static final int PRODUCTS_BELOW = 128;
  private static final long START_SEED = 1;

  private final double value;
  private final double[] vector;
  private final double residual;
  private final int products;

  private LargestEigenpair(double value, double[] vector, double residual, int products) {
    this.value = value;
    this.vector = vector;
    this.residual = residual;
    this.products = products;
  }

  /** A symmetric operator on vectors. */
  @FunctionalInterface
  public interface Operator {
    /**
     * Computes y = A x.
     *
     * @param x not modified
     * @param y another array of the same length; overwritten
     */
    void apply(double[] x, double[] y);
  }

  /**
   * κ_max of a Gram matrix, to a relative residual of 1e-9, from a fixed pseudo-random start.
   *
   * @param gram G
   * @return κ_max ≥ 0 and its eigenvector
   */
  public static LargestEigenpair of(GramMatrix gram) {
    GramMatrix normalised = gram.normalised();
    LargestEigenpair pair = of(normalised::multiply, start(gram.size()), TOLERANCE, MOST_PRODUCTS);
    int exponent = gram.exponent();
    return new LargestEigenpair(
        Math.scalb(pair.value, exponent),
        pair.vector,
        Math.scalb(pair.residual, exponent),
        pair.products);
  }

  /**
   * How low the energy vᵀGv of a vector of norm 1 gets, for matrices too large for all their
   * eigenvalues: the least Rayleigh quotient that at most 128 products of a Lanczos iteration on
   * κ_max − G find, from a fixed pseudo-random start. If it is below the rounding of G, then G
   * certainly is indefinite. An eigenvalue of about −κ_max/1000 or nearer to 0 may be missed among
   * many around 0.
   *
   * @param gram G
   * @param largest κ_max
   * @return an upper bound of the lowest eigenvalue, up to rounding
   */
  public static double lowestEnergy(GramMatrix gram, double largest) {
    GramMatrix normalised = gram.normalised();
    double top = Math.scalb(largest, -gram.exponent());
    Operator below =
        (x, y) -> {
          normalised.multiply(x, y);
          for (int i = 0; i < x.length; i++) {
            y[i] = top * x[i] - y[i];
          }
        };
    double lowest = top - of(below, start(gram.size()), TOLERANCE_BELOW, PRODUCTS_BELOW).value();
    return Math.scalb(lowest, gram.exponent());
  }

  private static double[] start(int size) {
    return new RandomStream(START_SEED).gaussians(size);
  }

  /**
   * The largest eigenpair of any symmetric operator.
   *
   * @param operator A
   * @param start a nonzero vector with a component along the eigenvector; not modified
   * @param tolerance residual to stop at, relative to |θ|
   * @param mostProducts products with A at most; a longer iteration returns its best pair with the
   *     residual it has
   * @return the eigenpair
   */
  public static LargestEigenpair of(
      Operator operator, double[] start, double tolerance, int mostProducts) {
    double norm = norm(start);
    if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the start of a Lanczos iteration must be nonzero and finite, got norm " + norm);
    }
    return new Lanczos(operator, start, norm, Math.min(mostProducts, start.length)).run(tolerance);
  }

  /**
   * The eigenvalue.
   *
   * @return θ, the Rayleigh quotient of {@link #vector()}: at most the largest eigenvalue
   */
  public double value() {
    return value;
  }

  /**
   * The eigenvector.
   *
   * @return a copy, of norm 1
   */
  public double[] vector() {
    return vector.clone();
  }

  /**
   * How far the pair is from an eigenpair.
   *
   * @return ‖A v − θ v‖; A has an eigenvalue this close to θ
   */
  public double residual() {
    return residual;
  }

  /**
   * The price paid.
   *
   * @return products with A
   */
  public int products() {
    return products;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "largest eigenvalue %.12g (residual %.1e, %d products)",
        value,
        residual,
        products);
  }

  private static double norm(double[] x) {
    return Math.sqrt(dot(x, x));
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  private static void add(double c, double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) {
      y[i] += c * x[i];
    }
  }

  /**
   * The state of one iteration: an orthonormal basis and the tridiagonal projection of the
   * operator.
   */
  private static final class Lanczos {
    private final Operator operator;
    private final double[][] basis;
    private final double[] diagonal;
    private final double[] offDiagonal;
    private int size;

    Lanczos(Operator operator, double[] start, double norm, int mostProducts) {
      this.operator = operator;
      basis = new double[Math.max(1, mostProducts)][];
      diagonal = new double[basis.length];
      offDiagonal = new double[basis.length];
      basis[0] = start.clone();
      scale(1 / norm, basis[0]);
    }

    LargestEigenpair run(double tolerance) {
      while (true) {
        double[] next = step();
        boolean last = offDiagonal[size - 1] == 0 || size == basis.length;
        // Solving the projected problem grows with the cube of its size, so it is not done every
        // time.
        if (last || size <= 20 || size % 5 == 0) {
          LargestEigenpair pair = ritzPair(tolerance, last);
          if (pair != null) {
            return pair;
          }
        }
        basis[size] = next;
      }
    }

    /**
     * One product; returns the next basis vector, zero if the basis spans an invariant subspace.
     */
    private double[] step() {
      double[] next = new double[basis[0].length];
      operator.apply(basis[size], next);
      double before = norm(next);
      diagonal[size] = dot(basis[size], next);
      size++;
      // Twice is enough to be orthogonal to working precision.
      for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < size; j++) {
          add(-dot(basis[j], next), basis[j], next);
        }
      }
      double beta = norm(next);
      if (beta <= 4 * Math.ulp(1.0) * before) {
        beta = 0;
      } else {
        scale(1 / beta, next);
      }
      offDiagonal[size - 1] = beta;
      return next;
    }

    private LargestEigenpair ritzPair(double tolerance, boolean last) {
      EigenDecompositionSymmetric projected =
          new EigenDecompositionSymmetric(
              Arrays.copyOf(diagonal, size), Arrays.copyOf(offDiagonal, size - 1));
      double theta = projected.getEigenvalue(0);
      double[] weights = projected.getEigenvector(0).toArray();
      double residual = offDiagonal[size - 1] * Math.abs(weights[size - 1]);
      if (!last && residual > tolerance * Math.abs(theta)) {
        return null;
      }
      double[] vector = new double[basis[0].length];
      for (int j = 0; j < size; j++) {
        add(weights[j], basis[j], vector);
      }
      scale(1 / norm(vector), vector);
      return new LargestEigenpair(theta, vector, residual, size);
    }

    private static void scale(double c, double[] x) {
      for (int i = 0; i < x.length; i++) {
        x[i] *= c;
      }
    }
  }
}
