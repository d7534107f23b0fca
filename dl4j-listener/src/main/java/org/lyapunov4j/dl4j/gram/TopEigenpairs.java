// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.lyapunov4j.step.RandomStream;

/**
 * The largest eigenvalues of a symmetric operator by the Lanczos method with full
 * reorthogonalisation.
 *
 * <p>The residual ‖A x − κ x‖ of a Ritz pair is known without a product with A, and some eigenvalue
 * lies within it of κ. The iteration stops once the residual of every pair asked for is below the
 * tolerance times the largest κ, or the Krylov space is exhausted. The result can start the next
 * computation: with a slowly moving operator that saves most of the products.
 *
 * <p>One starting vector sees one direction of each eigenspace. Where the Krylov space ends,
 * another vector is taken until the eigenvalues asked for no longer change, so a repeated
 * eigenvalue of a matrix of low rank is found as often as it occurs; of one that does not end, a
 * repeated eigenvalue is found at least once.
 *
 * <p>Source: G. H. Golub, C. F. Van Loan, <i>Matrix Computations</i>, 4th ed., section 10.1–10.3.
 *
 * @param eigenvalues the largest first
 * @param eigenvectors of unit length, one for each eigenvalue
 * @param residuals ‖A x − κ x‖ for each
 * @param products how many products with A were needed
 * @param converged whether every residual is within the tolerance
 */
public record TopEigenpairs(
    List<Double> eigenvalues,
    List<double[]> eigenvectors,
    List<Double> residuals,
    int products,
    boolean converged) {
  /** {@inheritDoc} */
  public TopEigenpairs {
    eigenvalues = List.copyOf(eigenvalues);
    eigenvectors = List.copyOf(eigenvectors);
    residuals = List.copyOf(residuals);
  }

  /**
   * Computes eigenpairs.
   *
   * @param product x ↦ A x for a symmetric A; must not modify its argument
   * @param size the dimension, at least 1
   * @param count how many eigenpairs, 1 … size
   * @param tolerance of the residuals relative to the largest eigenvalue's magnitude, for example
   *     1e-6
   * @param maxProducts the most products with A; the result says if they did not suffice
   * @param random where the starting vector comes from
   * @param start an earlier result to start from, or null
   * @return the eigenpairs, fewer than {@code count} only if the products did not suffice for more
   */
  public static TopEigenpairs of(
      UnaryOperator<double[]> product,
      int size,
      int count,
      double tolerance,
      int maxProducts,
      RandomStream random,
      TopEigenpairs start) {
    if (count < 1 || count > size) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "the number of eigenpairs must be 1 … %d, got %d", size, count));
    }
    if (!(tolerance > 0) || maxProducts < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "tolerance and the number of products must be positive, got %s and %d",
              tolerance,
              maxProducts));
    }
    return new Lanczos(product, size, count, tolerance, Math.min(size, maxProducts), random)
        .run(start);
  }

  /** Whether an earlier result has the same eigenvalues. */
  private boolean agreesWith(TopEigenpairs earlier, int count) {
    if (earlier == null || earlier.eigenvalues.size() < count) {
      return false;
    }
    for (int j = 0; j < count; j++) {
      double gap = Math.abs(eigenvalues.get(j) - earlier.eigenvalues.get(j));
      if (gap > 1e-12 * Math.abs(eigenvalues.get(0))) {
        return false;
      }
    }
    return true;
  }

  private static final class Lanczos {
    private final UnaryOperator<double[]> product;
    private final int size;
    private final int count;
    private final double tolerance;
    private final int steps;
    private final RandomStream random;
    private final List<double[]> basis = new ArrayList<>();
    private final List<Double> diagonal = new ArrayList<>();
    private final List<Double> offDiagonal = new ArrayList<>();

    Lanczos(
        UnaryOperator<double[]> product,
        int size,
        int count,
        double tolerance,
        int steps,
        RandomStream random) {
      this.product = product;
      this.size = size;
      this.count = count;
      this.tolerance = tolerance;
      this.steps = steps;
      this.random = random;
    }

    TopEigenpairs run(TopEigenpairs start) {
      double[] next = normalised(first(start));
      double largest = 0;
      TopEigenpairs atExhaustion = null;
      while (true) {
        basis.add(next);
        double[] image = product.apply(next);
        diagonal.add(dot(next, image));
        for (int pass = 0; pass < 2; pass++) {
          for (double[] q : basis) {
            addScaled(image, -dot(q, image), q);
          }
        }
        double norm = Math.sqrt(dot(image, image));
        largest = Math.max(largest, Math.abs(diagonal.get(diagonal.size() - 1)) + norm);
        boolean exhausted = norm <= 1e-14 * largest;
        offDiagonal.add(exhausted ? 0.0 : norm);
        boolean last = basis.size() == steps;
        if (last || exhausted || (atExhaustion == null && basis.size() % 4 == 0)) {
          TopEigenpairs ritz = ritz();
          if (last || (ritz.converged() && (!exhausted || ritz.agreesWith(atExhaustion, count)))) {
            return ritz;
          }
          atExhaustion = exhausted ? ritz : atExhaustion;
        }
        next = exhausted ? orthogonal() : normalised(image);
      }
    }

    private double[] first(TopEigenpairs start) {
      double[] vector = new double[size];
      for (int i = 0; i < size; i++) {
        vector[i] = random.nextGaussian();
      }
      if (start != null) {
        double noise = 1e-3 / Math.sqrt(dot(vector, vector));
        for (int i = 0; i < size; i++) {
          vector[i] *= noise;
        }
        for (double[] eigenvector : start.eigenvectors()) {
          addScaled(vector, 1, eigenvector);
        }
      }
      return vector;
    }

    /** A new direction once the space spanned so far is invariant. */
    private double[] orthogonal() {
      double[] vector = new double[size];
      for (int i = 0; i < size; i++) {
        vector[i] = random.nextGaussian();
      }
      for (int pass = 0; pass < 2; pass++) {
        for (double[] q : basis) {
          addScaled(vector, -dot(q, vector), q);
        }
      }
      return normalised(vector);
    }

    private TopEigenpairs ritz() {
      int n = basis.size();
      RealMatrix tridiagonal = MatrixUtils.createRealMatrix(n, n);
      for (int i = 0; i < n; i++) {
        tridiagonal.setEntry(i, i, diagonal.get(i));
        if (i + 1 < n) {
          tridiagonal.setEntry(i, i + 1, offDiagonal.get(i));
          tridiagonal.setEntry(i + 1, i, offDiagonal.get(i));
        }
      }
      double unit = Math.max(tridiagonal.getNorm1(), Double.MIN_NORMAL);
      EigenDecompositionSymmetric eigen =
          new EigenDecompositionSymmetric(tridiagonal.scalarMultiply(1 / unit));
      List<Double> values = new ArrayList<>();
      List<double[]> vectors = new ArrayList<>();
      List<Double> residuals = new ArrayList<>();
      double scale = 0;
      for (int j = 0; j < n; j++) {
        scale = Math.max(scale, Math.abs(unit * eigen.getEigenvalue(j)));
      }
      boolean converged = n >= count;
      for (int j = 0; j < Math.min(count, n); j++) {
        double[] coefficients = eigen.getEigenvector(j).toArray();
        double residual = n == size ? 0 : offDiagonal.get(n - 1) * Math.abs(coefficients[n - 1]);
        values.add(unit * eigen.getEigenvalue(j));
        vectors.add(combination(coefficients));
        residuals.add(residual);
        converged &= residual <= tolerance * scale;
      }
      return new TopEigenpairs(values, vectors, residuals, n, converged);
    }

    private double[] combination(double[] coefficients) {
      double[] vector = new double[size];
      for (int i = 0; i < coefficients.length; i++) {
        addScaled(vector, coefficients[i], basis.get(i));
      }
      return vector;
    }

    private static double[] normalised(double[] vector) {
      double norm = Math.sqrt(dot(vector, vector));
      double[] unit = vector.clone();
      for (int i = 0; i < unit.length; i++) {
        unit[i] /= norm;
      }
      return unit;
    }

    private static double dot(double[] x, double[] y) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        sum += x[i] * y[i];
      }
      return sum;
    }

    private static void addScaled(double[] x, double factor, double[] y) {
      for (int i = 0; i < x.length; i++) {
        x[i] += factor * y[i];
      }
    }
  }
}
