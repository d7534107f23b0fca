// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/**
 * One tangent vector of training, a direction v of the parameters with the velocity p that momentum
 * gives it, on its way through frames. Its norm is that of A v and of the change that the velocity
 * makes in A v together; it may be scaled inside, {@link #logNorm} is the log of the norm it would
 * have had.
 */
interface CarriedVector {
  /**
   * Goes on in another frame; {@link #rebase} must have been called in the one before.
   *
   * @return false if A v = 0 there
   */
  boolean enter(TrajectoryExponent.Frame frame);

  /** Says where on the way from one frame to another the next step is taken, if that matters. */
  default void place(TrajectoryExponent.Frame from, TrajectoryExponent.Frame to, double share) {}

  /** Applies one step with the first {@code size} examples of {@code batch}. */
  void apply(int[] batch, int size);

  /** Makes v ready for the next frame, and the norm that of now. */
  void rebase();

  /** Log of the norm after {@link #rebase}; −∞ once annihilated, as soon as it is. */
  double logNorm();

  /** Says what the log of the norm is now. */
  void setLogNorm(double now);

  /** v after {@link #rebase}. */
  double[] position();

  /** The velocity that belongs to {@link #position}, null without momentum. */
  double[] velocity();

  /** The log of the norm that belongs to {@link #position}, without the norm of A v itself. */
  double savedLogNorm();
}
