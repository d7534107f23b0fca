// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.function.LongSupplier;

/**
 * The share of wall-clock time that checkpoints may take: after one that took c, the next is not
 * begun before c/f has passed, so that checkpoints take at most the fraction f of the time that
 * training takes. Thread-safe.
 */
final class Budget {
  private final double fraction;
  private final LongSupplier nanoseconds;
  private volatile boolean resting;
  private volatile long restUntil;

  /**
   * A budget.
   *
   * @param fraction f, positive; infinite for none
   * @param nanoseconds a clock like {@code System.nanoTime}
   */
  Budget(double fraction, LongSupplier nanoseconds) {
    this.fraction = fraction;
    this.nanoseconds = nanoseconds;
  }

  boolean allowsOneNow() {
    return !resting || nanoseconds.getAsLong() - restUntil >= 0;
  }

  long now() {
    return nanoseconds.getAsLong();
  }

  /** Notes a checkpoint that was begun at the given time and is over now. */
  void finished(long begun) {
    long now = nanoseconds.getAsLong();
    restUntil = now + (long) ((now - begun) / fraction);
    resting = true;
  }
}
