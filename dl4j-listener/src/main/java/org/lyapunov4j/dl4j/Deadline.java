// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * When the checkpoint being computed must be over. One checkpoint is computed at a time; any thread
 * that works on it may ask.
 */
final class Deadline {
  private final long limit;
  private final BooleanSupplier asked;
  private final LongSupplier nanoseconds;
  private volatile long begun;
  private volatile boolean cancelled;

  /**
   * A deadline.
   *
   * @param limit what a checkpoint may take; null for ever
   * @param nanoseconds a clock like {@code System.nanoTime}
   */
  Deadline(Duration limit, LongSupplier nanoseconds) {
    this(limit, nanoseconds, () -> false);
  }

  /**
   * None but that somebody may ask for an end.
   *
   * @param asked whether to end, from any thread
   */
  Deadline(BooleanSupplier asked) {
    this(null, System::nanoTime, asked);
  }

  private Deadline(Duration limit, LongSupplier nanoseconds, BooleanSupplier asked) {
    this.limit = limit == null ? Long.MAX_VALUE : limit.toNanos();
    this.nanoseconds = nanoseconds;
    this.asked = asked;
  }

  void start() {
    begun = nanoseconds.getAsLong();
  }

  /** Ends the present checkpoint and all that follow. */
  void cancel() {
    cancelled = true;
  }

  boolean isOver() {
    return cancelled || asked.getAsBoolean() || nanoseconds.getAsLong() - begun > limit;
  }

  /**
   * To be called between the parts of a checkpoint.
   *
   * @throws CancellationException if it is to end
   */
  void check() {
    if (isOver()) {
      throw new CancellationException("the checkpoint took longer than its limit or was cancelled");
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException("the thread was interrupted");
    }
  }
}
