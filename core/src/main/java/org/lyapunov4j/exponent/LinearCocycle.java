// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.Vectors;
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
    double[] x = random.gaussians(dimension());
    Vectors.scale(x, 1 / Vectors.norm(x));
    return x;
  }

  /**
   * Orthonormal vectors, the slowest first: those along which the mean step contracts least. As
   * many as there are dimensions, or none where nothing is known of the matrices.
   */
  default double[][] slowFrame() {
    return new double[0][];
  }

  /** The exponent of the mean step along the first vector of the {@link #slowFrame}. */
  default double slowExponent() {
    return Double.NEGATIVE_INFINITY;
  }

  /** Steps after which a velocity has forgotten all but 1/e of what it was; 0 without one. */
  default double memorySteps() {
    return 0;
  }

  /** A sampler that prefers matrices under which a vector grows; null where there is none. */
  default Tilt tilt() {
    return null;
  }

  /**
   * Importance sampling of single factors: which are drawn depends on the vector, and how much more
   * often than they should be is told. Immutable.
   */
  interface Tilt {
    /** The length of what is remembered of a vector. */
    int sightLength();

    /** What is to be remembered of a vector, anew. */
    void look(double[] x, double[] sight);

    /**
     * Replaces the unit vector x by M x / ‖M x‖ for a matrix M drawn where ‖M x‖^order is large.
     *
     * @param sight of x; replaced by that of the result, up to rounding, which changes which
     *     matrices are preferred but not what comes out on average
     * @param draws position 0 receives the log of (probability of M) / (probability that it was
     *     drawn with)
     * @return log ‖M x‖; −∞ if it is not distinguishable from zero
     */
    double grow(double[] x, double[] sight, double order, RandomStream random, double[] draws);
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
      double norm = Vectors.norm(x);
      if (!(norm > Orthonormalisation.NEGLIGIBLE)) {
        Arrays.fill(x, 0);
        return Double.NEGATIVE_INFINITY;
      }
      Vectors.scale(x, 1 / norm);
      return Math.log(norm);
    }
  }
}
