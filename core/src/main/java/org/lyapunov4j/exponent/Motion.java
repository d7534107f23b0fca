// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Optional;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** A step on a Gram matrix, as an estimate of its exponent sees it. */
interface Motion {
  /** G. */
  GramMatrix gram();

  /** Its rate, mini-batches and, of its memories, the longest. */
  SgdStep step();

  /** How many residuals a step moves, each by a part of G. */
  int parts();

  /** Whether the slowest direction is known, as far as rounding lets it be. */
  boolean startsSlowly();

  /** A run along the slowest direction, from anywhere if that is not known. */
  MeasuredRun slow(RandomStream random);

  /** A run from anywhere. */
  MeasuredRun unstable(RandomStream random);

  /** The exponent of the mean step along the slowest direction; at most 0. */
  double slowestDecay();

  /**
   * What is left of a negative exponent where there may be slower directions than the one that was
   * measured.
   *
   * @param low the lower end of what was measured
   */
  Optional<ExponentBound> hidden(double low);
}
