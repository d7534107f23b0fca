// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.concurrent.atomic.AtomicLong;
import org.lyapunov4j.dl4j.metrics.LyapunovMetrics;

/** Counts what became of the checkpoints, for the listener itself and for the metrics. */
final class Tally {
  private final LyapunovMetrics metrics;
  private final Troubles troubles;
  private final AtomicLong delivered = new AtomicLong();
  private final AtomicLong skipped = new AtomicLong();
  private final AtomicLong cancelled = new AtomicLong();

  Tally(LyapunovMetrics metrics, Troubles troubles) {
    this.metrics = metrics;
    this.troubles = troubles;
  }

  void delivered() {
    delivered.incrementAndGet();
  }

  void skipped() {
    skipped.incrementAndGet();
    count(metrics::skipped);
  }

  void cancelled() {
    cancelled.incrementAndGet();
    count(metrics::cancelled);
  }

  /** Counts a failure and reports it; throws if strict. */
  void failed(String activity, Throwable failure) {
    count(metrics::failed);
    troubles.report(activity, failure);
  }

  /** A registry may be what fails. */
  private void count(Runnable meter) {
    try {
      meter.run();
    } catch (Throwable failure) {
      troubles.report("The metrics of the run", failure);
    }
  }

  long deliveredCount() {
    return delivered.get();
  }

  long skippedCount() {
    return skipped.get();
  }

  long cancelledCount() {
    return cancelled.get();
  }

  long failedCount() {
    return troubles.count();
  }
}
