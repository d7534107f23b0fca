// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.step.SgdStep;

/** One realisation of the random product on one state, whose growth is measured block by block. */
interface MeasuredRun {
  /** Runs steps at the learning rate of another step, unmeasured. */
  void warmUp(SgdStep other, long steps);

  /** Runs and measures blocks until there are so many. */
  void measure(int until);

  /** Steps of a block. */
  int stepsPerBlock();

  /** How many blocks were measured. */
  int blocks();

  /** Whether states were annihilated so often that the exponent is −∞. */
  boolean annihilated();

  /** Whether there are control variates. */
  boolean controlled();

  /**
   * Mean over blocks from … to − 1, per step: of the growth (0), the quiet control (1) and the
   * burst control (2).
   */
  double mean(int which, int from, int to);

  /** The share of blocks from … to − 1 that did not end quietly. */
  double loudShare(int from, int to);
}
