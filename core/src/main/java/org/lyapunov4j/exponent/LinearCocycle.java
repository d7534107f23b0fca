// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.step.RandomStream;

/**
 * A stationary random sequence of square matrices M₁, M₂, …, known through what each does to a
 * vector. Immutable and shared by threads; a realisation belongs to one thread.
 */
interface LinearCocycle {
  /** The length of the vectors. */
  int dimension();

  /** Steps until the source of matrices is where it began: an epoch; any number if independent. */
  int stepsPerEpoch();

  /** Whether the matrices are independent of each other. */
  boolean isIndependent();

  /** One realisation of the sequence, a function of the stream. */
  Realisation realise(RandomStream random);

  /** The norm that growth is measured in where an observer would measure it. */
  double observedNorm(double[] x);

  /** A uniformly distributed unit vector. */
  default double[] randomDirection(RandomStream random) {
    double[] x = new double[dimension()];
    for (int j = 0; j < x.length; j++) {
      x[j] = random.nextGaussian();
    }
    RowSweep.scale(x, 1 / RowSweep.norm(x));
    return x;
  }

  /** A realisation: an endless supply of factors. */
  interface Realisation {
    /** The next matrix. */
    Factor next();
  }

  /** One matrix. It may be applied again and to several vectors, in one thread. */
  interface Factor {
    /** Replaces x by M x. */
    void apply(double[] x);

    /**
     * Replaces the unit vector x by M x / ‖M x‖.
     *
     * @return log ‖M x‖; −∞ if M x is not distinguishable from zero, which x then becomes
     */
    default double grow(double[] x) {
      apply(x);
      double norm = RowSweep.norm(x);
      if (!(norm > Orthonormalisation.NEGLIGIBLE)) {
        Arrays.fill(x, 0);
        return Double.NEGATIVE_INFINITY;
      }
      RowSweep.scale(x, 1 / norm);
      return Math.log(norm);
    }
  }
}
