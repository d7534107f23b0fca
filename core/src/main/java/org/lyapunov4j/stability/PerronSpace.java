// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.lyapunov4j.gram.Vectors;

/**
 * Finds the spectral radius of {@link SecondMomentMap}s that differ in their kernel only.
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

  /** Pairs that stay in the first cache, and chunks of them that are worth another thread. */
  private static final int CHUNK = 2048;

  private static final int LEAST_PARALLEL = 32;

  /** Residual at which a quotient below 1 that stays this close to 1 is accepted as it is. */
  private static final double EQUAL = 1e-6;

  /** Trial matrices from which on the second Ritz value is taken for the second eigenvalue. */
  private static final int ENOUGH_FOR_SECOND = 16;

  private final SecondMomentMap map;
  private final int capacity;
  private final List<double[]> basis = new ArrayList<>();
  private final List<double[]> overlaps = new ArrayList<>();
  private final double[][] projected;

  /** Starts with one trial matrix; a positive one has a component along every Perron matrix. */
  PerronSpace(SecondMomentMap map, double[] start) {
    this.map = map;
    long fitting = LARGEST_MEMORY / map.pairs();
    capacity = (int) Math.max(4, Math.min(LARGEST_SIZE, fitting));
    projected = new double[capacity][capacity];
    add(start);
  }

  /** A kernel on the first {@code count} eigenvectors. */
  record Problem(PairKernel kernel, int count) {}

  /** Whether a quotient with its residual, not divided by the quotient, is good enough. */
  interface Stop {
    boolean test(double quotient, double residual);
  }

  /**
   * The Perron pair of a kernel.
   *
   * @param tolerance of the residual, relative to the spectral radius; the error of the Rayleigh
   *     quotient is of the order of its square
   */
  Perron solve(Problem problem, double tolerance) {
    return solve(problem, (quotient, residual) -> residual <= tolerance * quotient);
  }

  /**
   * A pair good enough to tell on which side of 1 the spectral radius is: its quotient is at least
   * 1, or below by more than the residual.
   *
   * @param tolerance of the residual if the quotient is at least 1, so that the pair is of use for
   *     neighbouring kernels
   */
  Perron compareWithOne(Problem problem, double tolerance) {
    return solve(
        problem,
        (quotient, residual) ->
            quotient < 1
                ? quotient + residual < 1 || residual <= EQUAL
                : residual <= tolerance * quotient);
  }

  /** The Perron pair of a kernel. */
  Perron solve(Problem problem, Stop stop) {
    double[] weights = map.weights(problem.kernel(), problem.count());
    project(weights, 0);
    for (int product = 0; ; product++) {
      EigenDecompositionSymmetric ritz = ritz();
      double[] c = ritz.getEigenvector(0).toArray();
      double[] d = combination(basis, c);
      double[] y = combination(overlaps, c);
      if (map.trace(d) < 0) {
        Vectors.scale(d, -1);
        Vectors.scale(y, -1);
      }
      double[] image = map.image(d, weights, y);
      double quotient = Vectors.dot(d, image);
      double[] residual = image.clone();
      Vectors.add(-quotient, d, residual);
      double size = Math.sqrt(Vectors.dot(residual, residual));
      if (stop.test(quotient, size) || product == MOST_PRODUCTS || !extend(residual, weights)) {
        double second = knowsSecondEigenvalue() ? ritz.getEigenvalue(1) / quotient : 0;
        return new Perron(map, problem, d, y, image, quotient, size, second);
      }
    }
  }

  /** Whether the second Ritz value is good for something. */
  boolean knowsSecondEigenvalue() {
    return basis.size() >= Math.min(ENOUGH_FOR_SECOND, capacity);
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
    double before = Math.sqrt(Vectors.dot(trial, trial));
    double[] v = trial.clone();
    // Twice is enough to be orthogonal to working precision.
    for (int pass = 0; pass < 2; pass++) {
      for (double[] b : basis) {
        Vectors.add(-Vectors.dot(b, v), b, v);
      }
    }
    double norm = Math.sqrt(Vectors.dot(v, v));
    if (!(norm > 1e-12 * before)) {
      return false;
    }
    Vectors.scale(v, 1 / norm);
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
    EigenDecompositionSymmetric ritz = ritz();
    List<double[]> matrices = new ArrayList<>();
    List<double[]> products = new ArrayList<>();
    for (int k = 0; k < capacity / 2; k++) {
      double[] c = ritz.getEigenvector(k).toArray();
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
    int last = basis.size() - 1;
    int chunks = (weights.length + CHUNK - 1) / CHUNK;
    double[][] sums = new double[chunks][];
    IntStream all = IntStream.range(0, chunks);
    (chunks < LEAST_PARALLEL ? all : all.parallel())
        .forEach(c -> sums[c] = products(weights, c * CHUNK, from, last));
    int at = 0;
    for (int j = from; j <= last; j++) {
      for (int i = 0; i <= j; i++) {
        double sum = 0;
        for (double[] part : sums) {
          sum += part[at];
        }
        projected[i][j] = sum;
        projected[j][i] = sum;
        at++;
      }
    }
  }

  /** What the overlaps of one chunk contribute. */
  private double[] products(double[] weights, int first, int from, int last) {
    int length = Math.min(CHUNK, weights.length - first);
    double[] weighted = new double[length];
    double[] sums = new double[(last + 1) * (last + 2) / 2 - from * (from + 1) / 2];
    int at = 0;
    for (int j = from; j <= last; j++) {
      double[] y = overlaps.get(j);
      for (int p = 0; p < length; p++) {
        weighted[p] = weights[first + p] * y[first + p];
      }
      for (int i = 0; i <= j; i++) {
        sums[at++] = Vectors.dot(weighted, 0, overlaps.get(i), first, length);
      }
    }
    return sums;
  }

  private EigenDecompositionSymmetric ritz() {
    int size = basis.size();
    Array2DRowRealMatrix matrix = new Array2DRowRealMatrix(size, size);
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        matrix.setEntry(i, j, projected[i][j]);
      }
    }
    return new EigenDecompositionSymmetric(matrix);
  }

  /** Σ c_i v_i; the only vector itself, whose c is 1. */
  private static double[] combination(List<double[]> vectors, double[] c) {
    if (c.length == 1) {
      return vectors.get(0);
    }
    double[] sum = new double[vectors.get(0).length];
    for (int i = 0; i < c.length; i++) {
      Vectors.add(c[i], vectors.get(i), sum);
    }
    return sum;
  }

  /** An approximate Perron matrix D of norm 1 with its image. */
  static final class Perron {
    static final double ROUNDING = 1e-10;

    private final SecondMomentMap map;
    private final Problem problem;
    private final double[] matrix;
    private final double[] overlaps;
    private final double[] image;
    private final double quotient;
    private final double residual;
    private final double secondRatio;

    private Perron(
        SecondMomentMap map,
        Problem problem,
        double[] matrix,
        double[] overlaps,
        double[] image,
        double quotient,
        double residual,
        double secondRatio) {
      this.map = map;
      this.problem = problem;
      this.matrix = matrix;
      this.overlaps = overlaps;
      this.image = image;
      this.quotient = quotient;
      this.residual = residual;
      this.secondRatio = secondRatio;
    }

    Problem problem() {
      return problem;
    }

    /** D; not to be modified. */
    double[] matrix() {
      return matrix;
    }

    /** R(D); not to be modified. */
    double[] image() {
      return image;
    }

    /** ⟨D, R(D)⟩, a lower bound of the spectral radius. */
    double quotient() {
      return quotient;
    }

    /** ‖R(D) − quotient·D‖. */
    double residual() {
      return residual;
    }

    /** The second Ritz value over the first, 0 if the space was too small to say. */
    double secondRatio() {
      return secondRatio;
    }

    /** ⟨D, R(D)⟩ of another kernel: a lower bound of its spectral radius too. */
    double quotient(Problem other) {
      return map.quadratic(other.kernel(), other.count(), overlaps);
    }
  }
}
