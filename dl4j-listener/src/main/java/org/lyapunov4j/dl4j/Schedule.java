// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.function.LongSupplier;

/**
 * When a checkpoint is due: at every so manieth iteration, but after one that took c not before c/f
 * has passed, so that checkpoints take at most the fraction f of the time that training takes.
 * Asking allocates nothing.
 */
final class Schedule {
  private final int frequency;
  private final double budget;
  private final LongSupplier nanoseconds;
  private volatile boolean resting;
  private volatile long restUntil;

  /**
   * A schedule.
   *
   * @param frequency iterations
   * @param budget f, positive; infinite for none
   * @param nanoseconds a clock like {@code System.nanoTime}
   */
  Schedule(int frequency, double budget, LongSupplier nanoseconds) {
    this.frequency = frequency;
    this.budget = budget;
    this.nanoseconds = nanoseconds;
  }

  boolean isDue(int iteration) {
    return iteration % frequency == 0;
  }

  boolean isWithinBudget() {
    return !resting || nanoseconds.getAsLong() - restUntil >= 0;
  }

  long now() {
    return nanoseconds.getAsLong();
  }

  /** Notes a checkpoint that was begun at the given time and is over now. */
  void finished(long begun) {
    long now = nanoseconds.getAsLong();
    restUntil = now + (long) ((now - begun) / budget);
    resting = true;
  }
}
