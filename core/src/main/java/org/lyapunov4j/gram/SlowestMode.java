// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Optional;
import org.lyapunov4j.step.RandomStream;

/**
 * The direction of a Gram matrix that training learns last: the eigenvector of the smallest nonzero
 * eigenvalue κ_min.
 *
 * <p>Below the {@linkplain GramSpectrum#noise() noise} m·ε·κ_max an eigenvalue cannot be told from
 * 0. So the smallest one above it is κ_min for certain only if G is nonsingular, or if a wide gap
 * separates it from those below, which then are the rounding of exact zeros. Otherwise slower modes
 * may be hidden in the noise, and whatever rests on κ_min is a bound.
 *
 * <p>Immutable.
 */
public final class SlowestMode {
  /**
   * A gap this wide between the eigenvalues above and below the noise is taken for one between
   * κ_min and 0: kernels of networks fall by factors of 1 to 100 from one eigenvalue to the next.
   */
  private static final double GAP = 1000;

  /** Residual of the inverse iteration, relative to the eigenvalue of the inverse. */
  private static final double TOLERANCE = 1e-6;

  private static final int MOST_SOLUTIONS = 60;
  private static final long START_SEED = 2;

  private final double eigenvalue;
  private final double[] vector;
  private final boolean resolved;

  private SlowestMode(double eigenvalue, double[] vector, boolean resolved) {
    this.eigenvalue = eigenvalue;
    this.vector = vector;
    this.resolved = resolved;
  }

  /**
   * The slowest mode from a decomposition.
   *
   * @param spectrum of G, with eigenvectors
   * @return the mode; empty for G = 0
   */
  public static Optional<SlowestMode> of(GramSpectrum spectrum) {
    if (spectrum.rank() == 0) {
      return Optional.empty();
    }
    int index = spectrum.size() - spectrum.rank();
    return Optional.of(
        new SlowestMode(
            spectrum.eigenvalue(index), spectrum.eigenvector(index), isResolved(spectrum)));
  }

  /**
   * The slowest mode without a decomposition: inverse iteration on a Cholesky factor of G less its
   * noise, m³/3 flops and 8m² bytes. That factor exists only if every eigenvalue is above the
   * noise.
   *
   * @param gram G
   * @param largest κ_max
   * @return the mode; empty if G is singular up to rounding, or there is no memory for the factor
   */
  public static Optional<SlowestMode> byInverseIteration(GramMatrix gram, double largest) {
    double noise = GramSpectrum.noise(gram, largest);
    return Cholesky.of(gram, -noise)
        .flatMap(
            factor -> {
              RandomStream random = new RandomStream(START_SEED);
              double[] start = random.gaussians(gram.size());
              LargestEigenpair inverse =
                  LargestEigenpair.of(factor::solve, start, TOLERANCE, MOST_SOLUTIONS);
              double[] vector = inverse.vector();
              return checked(gram, vector, noise, largest);
            });
  }

  /**
   * Trusts the Rayleigh quotient of the vector alone, and it only if the vector is an eigenvector.
   */
  private static Optional<SlowestMode> checked(
      GramMatrix gram, double[] vector, double noise, double largest) {
    double[] image = new double[vector.length];
    gram.multiply(vector, image);
    double quotient = 0;
    for (int i = 0; i < vector.length; i++) {
      quotient += vector[i] * image[i];
    }
    double residual = 0;
    for (int i = 0; i < vector.length; i++) {
      residual = Math.max(residual, Math.abs(image[i] - quotient * vector[i]));
    }
    boolean eigenvector = residual <= Math.max(noise, 1e-3 * quotient);
    return eigenvector && quotient > 0 && quotient <= largest * (1 + 1e-6)
        ? Optional.of(new SlowestMode(quotient, vector, true))
        : Optional.empty();
  }

  /**
   * Whether the smallest eigenvalue above the noise is certainly the smallest nonzero one.
   *
   * @param spectrum the eigenvalues of G, not all 0
   * @return false if slower modes may be lost in rounding
   */
  public static boolean isResolved(GramSpectrum spectrum) {
    int zeros = spectrum.size() - spectrum.rank();
    double below = 0;
    for (int i = 0; i < zeros; i++) {
      below = Math.max(below, Math.abs(spectrum.eigenvalue(i)));
    }
    return spectrum.rank() > 0 && spectrum.eigenvalue(zeros) > GAP * below;
  }

  /**
   * The eigenvalue.
   *
   * @return κ &gt; 0, the smallest above the noise
   */
  public double eigenvalue() {
    return eigenvalue;
  }

  /**
   * Its eigenvector.
   *
   * @return a copy of norm 1, in example-major order
   */
  public double[] vector() {
    return vector.clone();
  }

  /**
   * Whether this is the slowest mode there is.
   *
   * @return true if the eigenvalue is κ_min; false if smaller ones may be lost in rounding
   */
  public boolean isResolved() {
    return resolved;
  }
}
