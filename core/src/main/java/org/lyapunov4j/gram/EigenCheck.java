// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import org.lyapunov4j.step.RandomStream;

/**
 * Tells a right eigendecomposition of a symmetric matrix from a wrong one in O(m²) operations.
 *
 * <p>Eigenvalues: Σκ = tr G and Σκ² = ‖G‖²_F, and they agree with the Ritz value of a few steps of
 * Lanczos: κ_max is not below it, and one κ is as near to it as its residual says. Eigenvectors: G
 * Q x = Q Λ x and QᵀQ x = x for Gaussian x. A matrix E has ‖E x‖ &lt; t‖E‖_F with a probability of
 * at most t·√(2/π) for one x, so that what is off by more than 10⁴ tolerances escapes two of them
 * once in 10⁸ times; a wrong kernel is off by 10⁹ and more.
 *
 * <p>The tolerance is the threshold of LAPACK's own tests of these routines, 30·m·ε relative to G:
 * 30 times what its error analysis calls the size of a backward error, which in practice is below
 * one of these units. What is smaller changes no eigenvalue by more than 30 times {@link
 * GramSpectrum#noise()}.
 *
 * <p>Sources: LAPACK, TESTING/EIG/dsyt21.f and dsep.in (threshold); R. Freivalds, IFIP 1977
 * (probes).
 */
final class EigenCheck {
  private static final double THRESHOLD = 30;
  private static final int PROBES = 2;
  private static final int LANCZOS_STEPS = 8;
  private static final long SEED = 1;

  private final GramMatrix gram;
  private final int m;
  private final double trace;
  private final double norm;
  private final double tolerance;

  EigenCheck(GramMatrix gram) {
    this.gram = gram;
    m = gram.size();
    double sum = 0;
    double squares = 0;
    double[] row = new double[m];
    for (int i = 0; i < m; i++) {
      gram.copyRow(i, row);
      sum += row[i];
      for (double entry : row) {
        squares += entry * entry;
      }
    }
    trace = sum;
    norm = Math.sqrt(squares);
    tolerance = THRESHOLD * m * Math.ulp(1.0);
  }

  /** Whether these can be the eigenvalues, ascending. */
  boolean acceptsValues(double[] eigenvalues) {
    double sum = 0;
    double squares = 0;
    for (int k = 0; k < m; k++) {
      if (k > 0 && !(eigenvalues[k - 1] <= eigenvalues[k])) {
        return false;
      }
      sum += eigenvalues[k];
      squares += eigenvalues[k] * eigenvalues[k];
    }
    return Math.abs(sum - trace) <= tolerance * norm
        && Math.abs(squares - norm * norm) <= 2 * tolerance * norm * norm;
  }

  /** Whether κ_max can be right; what follows from the eigenvectors if there are any. */
  boolean acceptsLargest(double[] eigenvalues) {
    if (norm == 0) {
      return true;
    }
    LargestEigenpair pair =
        LargestEigenpair.of(gram::multiply, gaussian(new RandomStream(SEED)), 0, LANCZOS_STEPS);
    double rounding = tolerance * norm;
    double nearest = Double.POSITIVE_INFINITY;
    for (double eigenvalue : eigenvalues) {
      nearest = Math.min(nearest, Math.abs(eigenvalue - pair.value()));
    }
    return eigenvalues[m - 1] >= pair.value() - rounding && nearest <= pair.residual() + rounding;
  }

  /**
   * Whether these are the eigenvectors.
   *
   * @param eigenvalues that were accepted
   * @param q the eigenvectors, column by column
   */
  boolean acceptsVectors(double[] eigenvalues, double[] q) {
    RandomStream random = new RandomStream(SEED);
    for (int probe = 0; probe < PROBES; probe++) {
      if (!accepts(eigenvalues, q, gaussian(random))) {
        return false;
      }
    }
    return true;
  }

  private boolean accepts(double[] eigenvalues, double[] q, double[] x) {
    double[] y = new double[m];
    double[] scaled = new double[m];
    for (int k = 0; k < m; k++) {
      double weight = x[k];
      double scaledWeight = x[k] * eigenvalues[k];
      int column = k * m;
      for (int i = 0; i < m; i++) {
        y[i] += weight * q[column + i];
        scaled[i] += scaledWeight * q[column + i];
      }
    }
    double[] image = new double[m];
    gram.multiply(y, image);
    double[] back = new double[m];
    for (int k = 0; k < m; k++) {
      double sum = 0;
      for (int i = 0; i < m; i++) {
        sum += q[k * m + i] * y[i];
      }
      back[k] = sum;
    }
    double length = Math.sqrt(squaredDistance(x, new double[m]));
    return Math.sqrt(squaredDistance(image, scaled)) <= tolerance * norm * length
        && Math.sqrt(squaredDistance(back, x)) <= tolerance * length;
  }

  private double[] gaussian(RandomStream random) {
    double[] x = new double[m];
    for (int i = 0; i < m; i++) {
      x[i] = random.nextGaussian();
    }
    return x;
  }

  private static double squaredDistance(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return sum;
  }
}
