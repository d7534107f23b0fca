// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/** One trajectory of a linearised step on residuals, as sweeps over learning rates see it. */
interface Cocycle {
  /** Starts at coefficients w, normalised. Returns false if they have no residual. */
  boolean start(double[] coefficients);

  /** Whether the energy must be computed afresh after a step. */
  boolean hasMemory();

  /** Applies one step with the first {@code size} examples of {@code batch}. */
  void apply(int[] batch, int size);

  /** The coefficient over the residual of a step; only where there is no memory. */
  double factor(int size);

  /** Applies the steps of a block to all but the residual; only where there is no memory. */
  void follow(StepBlock block, double[] coefficients);

  /** Scales the state to norm 1 and returns the growth since the last call, in nats. */
  double normalise();

  /** A positive quadratic form of the state as it is scaled now. */
  double energy();

  /** The residual of the outputs; not to be modified, valid until the next call. */
  double[] residual();

  /** Coefficients to start from again. */
  double[] coefficients();
}
