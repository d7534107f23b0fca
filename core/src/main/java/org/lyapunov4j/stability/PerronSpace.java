// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.ArrayList;
import java.util.List;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;

/**
 * Finds the spectral radius of {@link ReducedMap}s that differ in their kernel only.
 *
 * <p>A Rayleigh–Ritz iteration: the best D of a growing space of trial matrices is replaced by
 * R(D), whose part outside the space is added to it. For one kernel this is Lanczos' method. Since
 * the overlaps of the trial matrices do not depend on the kernel, the space is kept when the kernel
 * changes, and a neighbouring kernel then needs one or two more products.
 *
 * <p>Not thread-safe.
 */
final class PerronSpace {
  private static final int LARGEST_SIZE = 40;
  private static final long LARGEST_MEMORY = 1L << 26;
  private static final int MOST_PRODUCTS = 400;

  /** Residual at which a quotient below 1 that stays this close to 1 is accepted as it is. */
  private static final double EQUAL = 1e-6;

  private final ReducedMap map;
  private final int capacity;
  private final List<double[]> basis = new ArrayList<>();
  private final List<double[]> overlaps = new ArrayList<>();
  private final double[][] projected;

  PerronSpace(ReducedMap map) {
    this.map = map;
    long fitting = LARGEST_MEMORY / map.pairs();
    capacity = (int) Math.max(4, Math.min(LARGEST_SIZE, fitting));
    projected = new double[capacity][capacity];
    // A positive start has a component along the Perron matrix of every irreducible part.
    add(map.diagonalBlocks());
  }

  /** A kernel on the first {@code count} eigenvectors. */
  record Problem(PairKernel kernel, int count) {}

  /**
   * The Perron pair of a kernel.
   *
   * @param tolerance of the residual, relative to the spectral radius; the error of the Rayleigh
   *     quotient is of the order of its square
   */
  Perron solve(Problem problem, double tolerance) {
    return iterate(problem, (quotient, residual) -> residual <= tolerance * quotient);
  }

  /**
   * A pair good enough to tell on which side of 1 the spectral radius is: its quotient is at least
   * 1, or below by more than the residual.
   *
   * @param tolerance of the residual if the quotient is at least 1, so that the pair is of use for
   *     neighbouring kernels
   */
  Perron compareWithOne(Problem problem, double tolerance) {
    return iterate(
        problem,
        (quotient, residual) ->
            quotient < 1
                ? quotient + residual < 1 || residual <= EQUAL
                : residual <= tolerance * quotient);
  }

  private interface Stop {
    boolean test(double quotient, double residual);
  }

  private Perron iterate(Problem problem, Stop stop) {
    double[] imageOfIdentity = map.imageOfIdentity(problem.kernel(), problem.count());
    double[] weights = map.weights(problem.kernel(), problem.count());
    project(weights, 0);
    for (int product = 0; ; product++) {
      double[] c = leadingRitzVectors(1)[0];
      double[] d = combination(basis, c);
      double[] y = combination(overlaps, c);
      if (dot(d, imageOfIdentity) < 0) {
        scale(-1, d);
        scale(-1, y);
      }
      double[] image = map.image(weights, y);
      double quotient = dot(d, image);
      double[] residual = image.clone();
      add(-quotient, d, residual);
      double size = Math.sqrt(dot(residual, residual));
      if (stop.test(quotient, size) || product == MOST_PRODUCTS || !extend(residual, weights)) {
        return new Perron(
            map, y, quotient, new PencilBound(d, image, imageOfIdentity, map.outputs()));
      }
    }
  }

  /**
   * Adds a trial matrix, to a full space in the place of its less important half.
   *
   * @return false if the space holds it already
   */
  boolean add(double[] trial) {
    if (basis.size() == capacity) {
      restart();
    }
    double before = Math.sqrt(dot(trial, trial));
    double[] v = trial.clone();
    // Twice is enough to be orthogonal to working precision.
    for (int pass = 0; pass < 2; pass++) {
      for (double[] b : basis) {
        add(-dot(b, v), b, v);
      }
    }
    double norm = Math.sqrt(dot(v, v));
    if (!(norm > 1e-12 * before)) {
      return false;
    }
    scale(1 / norm, v);
    basis.add(v);
    overlaps.add(map.overlaps(v));
    return true;
  }

  private boolean extend(double[] residual, double[] weights) {
    int from = basis.size() == capacity ? 0 : basis.size();
    boolean added = add(residual);
    project(weights, from);
    return added;
  }

  /** Keeps the best half of the space for the last kernel; not projected. */
  private void restart() {
    double[][] kept = leadingRitzVectors(capacity / 2);
    List<double[]> matrices = new ArrayList<>();
    List<double[]> products = new ArrayList<>();
    for (double[] c : kept) {
      matrices.add(combination(basis, c));
      products.add(combination(overlaps, c));
    }
    basis.clear();
    basis.addAll(matrices);
    overlaps.clear();
    overlaps.addAll(products);
  }

  /** ⟨V_i, R(V_j)⟩ for all i and j ≥ from. */
  private void project(double[] weights, int from) {
    for (int j = from; j < basis.size(); j++) {
      double[] weighted = overlaps.get(j).clone();
      for (int p = 0; p < weighted.length; p++) {
        weighted[p] *= weights[p];
      }
      for (int i = 0; i <= j; i++) {
        projected[i][j] = dot(overlaps.get(i), weighted);
        projected[j][i] = projected[i][j];
      }
    }
  }

  private double[][] leadingRitzVectors(int count) {
    int size = basis.size();
    Array2DRowRealMatrix matrix = new Array2DRowRealMatrix(size, size);
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        matrix.setEntry(i, j, projected[i][j]);
      }
    }
    EigenDecompositionSymmetric eigen = new EigenDecompositionSymmetric(matrix);
    double[][] vectors = new double[count][];
    for (int k = 0; k < count; k++) {
      vectors[k] = eigen.getEigenvector(k).toArray();
    }
    return vectors;
  }

  private static double[] combination(List<double[]> vectors, double[] c) {
    double[] sum = new double[vectors.get(0).length];
    for (int i = 0; i < c.length; i++) {
      add(c[i], vectors.get(i), sum);
    }
    return sum;
  }

  /** Four sums at a time: a single one would wait for each addition. */
  static double dot(double[] x, double[] y) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 4 <= x.length; i += 4) {
      a += x[i] * y[i];
      b += x[i + 1] * y[i + 1];
      c += x[i + 2] * y[i + 2];
      d += x[i + 3] * y[i + 3];
    }
    for (; i < x.length; i++) {
      a += x[i] * y[i];
    }
    return (a + b) + (c + d);
  }

  private static void add(double c, double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) {
      y[i] += c * x[i];
    }
  }

  private static void scale(double c, double[] x) {
    for (int i = 0; i < x.length; i++) {
      x[i] *= c;
    }
  }

  /** An approximate Perron matrix D of norm 1, known by its overlaps. */
  static final class Perron {
    static final double ROUNDING = 1e-10;

    private final ReducedMap map;
    private final double[] overlaps;
    private final double quotient;
    private final PencilBound bound;

    private Perron(ReducedMap map, double[] overlaps, double quotient, PencilBound bound) {
      this.map = map;
      this.overlaps = overlaps;
      this.quotient = quotient;
      this.bound = bound;
    }

    /** ⟨D, R(D)⟩ ≤ spectral radius ≤ Collatz–Wielandt bound, with a margin for rounding. */
    Enclosure radius() {
      double high = Math.max(quotient, bound.best());
      return new Enclosure(quotient, quotient * (1 - ROUNDING), high * (1 + ROUNDING));
    }

    /** ⟨D, R(D)⟩. */
    double quotient() {
      return quotient;
    }

    /** ⟨D, R(D)⟩ of another kernel: a lower bound of its spectral radius too. */
    double quotient(Problem problem) {
      return map.quadratic(problem.kernel(), problem.count(), overlaps);
    }
  }
}
