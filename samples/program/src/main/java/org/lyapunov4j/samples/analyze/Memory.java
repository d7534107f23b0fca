// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.analyze;

import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.model.ModelFile;
import org.lyapunov4j.stability.Tier;

/**
 * What the analysis of one checkpoint takes: in bytes, an estimate from above for everything but
 * the derivatives of a sweep, for which the Gram engine has a budget of its own.
 *
 * @param perCheckpoint bytes
 */
record Memory(long perCheckpoint) {
  /** Parameters, gradients, the engine's replica of both, snapshot, weights; bytes read, twice. */
  private static final int COPIES_OF_PARAMETERS = 8;

  /** The state itself, and the bytes it was read from. */
  private static final int COPIES_OF_UPDATER = 3;

  /** Eigenvectors and the work space of the mean-square threshold, in bytes an entry. */
  private static final int STANDARD_BYTES = 8 + 24;

  private static final int ECONOMY_BYTES = 8 + 8;

  static Memory of(ModelFile model, long rows, Tier tier) {
    long bytes = tier == Tier.ECONOMY ? ECONOMY_BYTES : STANDARD_BYTES;
    return new Memory(
        COPIES_OF_PARAMETERS * model.parameterBytes()
            + COPIES_OF_UPDATER * model.updaterBytes()
            + bytes * rows * rows);
  }

  /** How many checkpoints fit at a time. */
  int workers(long budget, int threads) {
    Input.require(
        perCheckpoint <= budget,
        "a checkpoint needs about %,d bytes, --memory allows %,d; use fewer examples, or raise"
            + " --memory and -Xmx",
        perCheckpoint,
        budget);
    return (int) Math.min(threads, budget / perCheckpoint);
  }
}
