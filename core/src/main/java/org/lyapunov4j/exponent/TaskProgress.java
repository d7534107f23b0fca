// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;

/**
 * Cancellation and progress of tasks on several threads. An interrupt of any of them, or a true
 * answer of the caller's check, ends all at their next report.
 */
final class TaskProgress {
  private final BooleanSupplier cancelled;
  private final DoubleConsumer progress;
  private final long total;
  private long done;
  private volatile boolean stopped;

  /**
   * @param total units of work in all tasks together
   */
  TaskProgress(long total, BooleanSupplier cancelled, DoubleConsumer progress) {
    this.total = total;
    this.cancelled = cancelled;
    this.progress = progress;
  }

  /**
   * Reports work done.
   *
   * @throws CancellationException if the tasks are to end
   */
  void advance(long units) {
    if (stopped || Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
      stopped = true;
      throw new CancellationException("cancelled");
    }
    synchronized (this) {
      done += units;
      progress.accept(Math.min(1, (double) done / total));
    }
  }
}
