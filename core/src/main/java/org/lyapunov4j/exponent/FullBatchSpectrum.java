// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.SgdStep;

/**
 * The exponents of the full-batch step, in closed form: log |keep − ηh| for each nonzero eigenvalue
 * h of G/N, with momentum the logarithms of the moduli of the two eigenvalues of
 *
 * <pre>
 *   ( keep + newWeight·f   oldWeight + newWeight·memory )
 *   ( f                    memory                       )    f = gradientWeight (h + l2)
 * </pre>
 */
final class FullBatchSpectrum {
  private FullBatchSpectrum() {}

  /** All exponents on range(G), descending. */
  static double[] of(GramSpectrum spectrum, SgdStep step) {
    int rank = spectrum.rank();
    Update update = Update.of(step);
    double[] exponents = new double[update.hasMemory() ? 2 * rank : rank];
    for (int k = 0; k < rank; k++) {
      double curvature = spectrum.eigenvalue(spectrum.size() - 1 - k) / spectrum.examples();
      if (update.hasMemory()) {
        companion(update, curvature, exponents, 2 * k);
      } else {
        double move = update.rate() * curvature;
        exponents[k] = log(Math.abs(update.keep() - move), Math.max(1, move));
      }
    }
    Arrays.sort(exponents);
    return reversed(exponents);
  }

  private static void companion(Update update, double curvature, double[] exponents, int at) {
    double force = update.gradientWeight() * (curvature + update.l2());
    double corner = update.keep() + update.newWeight() * force;
    double coupling = update.oldWeight() + update.newWeight() * update.memory();
    double halfTrace = 0.5 * (corner + update.memory());
    double determinant = corner * update.memory() - coupling * force;
    double discriminant = halfTrace * halfTrace - determinant;
    double larger =
        discriminant < 0 ? Math.sqrt(determinant) : Math.abs(halfTrace) + Math.sqrt(discriminant);
    double scale = Math.max(1, Math.abs(corner));
    exponents[at] = log(larger, scale);
    exponents[at + 1] = larger == 0 ? exponents[at] : log(Math.abs(determinant) / larger, scale);
  }

  /** log of a modulus that is zero where it cannot be told from rounding. */
  private static double log(double modulus, double scale) {
    return modulus > Orthonormalisation.NEGLIGIBLE * scale
        ? Math.log(modulus)
        : Double.NEGATIVE_INFINITY;
  }

  private static double[] reversed(double[] ascending) {
    double[] descending = new double[ascending.length];
    for (int i = 0; i < ascending.length; i++) {
      descending[i] = ascending[ascending.length - 1 - i];
    }
    return descending;
  }
}
