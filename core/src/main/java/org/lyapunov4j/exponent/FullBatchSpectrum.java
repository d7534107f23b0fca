// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.SgdStep;

/**
 * All exponents of the full-batch step, in closed form: log |keep − ηh| for each nonzero eigenvalue
 * h of G/N; with momentum the logarithms of the moduli of the two eigenvalues of a 2×2 matrix, of
 * which {@link StepRecursion#fullBatchExponent} gives the larger and the determinant the smaller.
 */
final class FullBatchSpectrum {
  private FullBatchSpectrum() {}

  /** The exponents on range(G), descending. */
  static double[] of(GramSpectrum spectrum, SgdStep step) {
    StepRecursion update = StepRecursion.of(step);
    int rank = spectrum.rank();
    double[] negated = new double[update.hasMemory() ? 2 * rank : rank];
    for (int k = 0; k < rank; k++) {
      double curvature = spectrum.eigenvalue(spectrum.size() - 1 - k) / spectrum.examples();
      if (update.hasMemory()) {
        double larger = update.fullBatchExponent(curvature);
        negated[2 * k] = -larger;
        negated[2 * k + 1] = -smaller(update, curvature, larger);
      } else {
        negated[k] = -log(update.keep(), update.rate() * curvature);
      }
    }
    Arrays.sort(negated);
    return Arrays.stream(negated).map(exponent -> -exponent).toArray();
  }

  private static double smaller(StepRecursion update, double curvature, double larger) {
    double force = update.gradientWeight() * (curvature + update.l2());
    double logDeterminant = log(update.keep() * update.memory(), update.oldWeight() * force);
    return logDeterminant == Double.NEGATIVE_INFINITY ? logDeterminant : logDeterminant - larger;
  }

  /** log |a − b|, −∞ where the difference cannot be told from rounding. */
  private static double log(double a, double b) {
    double difference = Math.abs(a - b);
    return difference > Orthonormalisation.NEGLIGIBLE * Math.max(Math.abs(a), Math.abs(b))
        ? Math.log(difference)
        : Double.NEGATIVE_INFINITY;
  }
}
