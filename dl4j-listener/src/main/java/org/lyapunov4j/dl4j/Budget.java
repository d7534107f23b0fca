// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.OptionalDouble;
import java.util.function.LongSupplier;

/**
 * The share of wall-clock time that checkpoints may take: after one that took c, the next is not
 * begun before c/f has passed, so that checkpoints take at most the fraction f of the time that
 * training takes. Thread-safe.
 */
final class Budget {
  /** Checkpoints that are looked at; the first ones also load classes. */
  private static final int WATCHED = 8;

  private static final int UNWATCHED = 2;

  /** A share of training's time that nobody expects of a monitor. */
  private static final double DEAR = 0.25;

  private final double fraction;
  private final LongSupplier nanoseconds;
  private volatile boolean resting;
  private volatile long restUntil;
  private int count;
  private long spent;
  private long since;

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

  /**
   * Notes the time that a checkpoint kept training waiting, from when it was begun until now.
   *
   * @return once, without a budget: what share of training's time the checkpoints take, if it is
   *     large
   */
  synchronized OptionalDouble kept(long begun) {
    long now = nanoseconds.getAsLong();
    count++;
    if (count == UNWATCHED) {
      since = now;
    }
    if (count <= UNWATCHED) {
      return OptionalDouble.empty();
    }
    spent += now - begun;
    if (count != UNWATCHED + WATCHED || fraction < Double.POSITIVE_INFINITY) {
      return OptionalDouble.empty();
    }
    double share = (double) spent / Math.max(1, now - since - spent);
    return share > DEAR ? OptionalDouble.of(share) : OptionalDouble.empty();
  }

  /** Notes a checkpoint that was begun at the given time and is over now. */
  void finished(long begun) {
    long now = nanoseconds.getAsLong();
    restUntil = now + (long) ((now - begun) / fraction);
    resting = true;
  }
}
