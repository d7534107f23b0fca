// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus.State;
import org.lyapunov4j.dl4j.metrics.LyapunovMetrics;

/** Counts what became of the checkpoints, for the listener itself and for the metrics. */
final class CheckpointCounts {
  private final String run;
  private final List<Consumer<ListenerStatus>> observers;
  private final LyapunovMetrics metrics;
  private final Troubles troubles;
  private final AtomicLong delivered = new AtomicLong();
  private final AtomicLong skipped = new AtomicLong();
  private final AtomicLong cancelled = new AtomicLong();
  private final AtomicLong elsewhere = new AtomicLong();
  private volatile Latest latest = new Latest(State.WAITING, "no checkpoint was due yet");

  /** What became of the checkpoint that was due last, and why it is not there. */
  private record Latest(State state, String reason) {}

  /**
   * A tally.
   *
   * @param observers told of every new state and every new reason
   */
  CheckpointCounts(
      String run,
      LyapunovMetrics metrics,
      Troubles troubles,
      List<Consumer<ListenerStatus>> observers) {
    this.run = run;
    this.observers = List.copyOf(observers);
    this.metrics = metrics;
    this.troubles = troubles;
  }

  ListenerStatus status() {
    Latest now = latest;
    return new ListenerStatus(
        run,
        now.state(),
        now.reason(),
        delivered.get(),
        skipped.get(),
        cancelled.get(),
        troubles.count(),
        elsewhere.get());
  }

  private void note(State state, String reason) {
    Latest before = latest;
    latest = new Latest(state, reason);
    metrics.state(state);
    if (!latest.equals(before)) {
      publish();
    }
  }

  /** Tells the observers; the failure of one does not keep it from the others. */
  void publish() {
    ListenerStatus now = status();
    for (Consumer<ListenerStatus> observer : observers) {
      try {
        observer.accept(now);
      } catch (Throwable failure) {
        failed("A consumer of the listener's status", failure);
      }
    }
  }

  /** Counts a call of another network; true for the first. */
  boolean elsewhere() {
    return elsewhere.incrementAndGet() == 1;
  }

  void refused(String reason) {
    note(State.REFUSED, reason);
  }

  /** A layer trains by itself, before the network does. */
  void pretraining() {
    if (latest.state() == State.WAITING) {
      note(
          State.WAITING,
          "a layer is trained by itself, which has no loss on an output: its steps are not watched,"
              + " those of the whole network will be");
    }
  }

  void closed() {
    if (latest.state() != State.REFUSED) {
      note(State.CLOSED, "the listener was closed");
    }
  }

  /** Counts a checkpoint that failed, and reports it; throws if strict. */
  void checkpointFailed(String activity, Throwable failure) {
    note(State.FAILED, failure.toString());
    failed(activity, failure);
  }

  void delivered() {
    delivered.incrementAndGet();
    note(State.WATCHING, "");
  }

  void skipped(String reason) {
    skipped.incrementAndGet();
    note(State.SKIPPED, reason);
    count(metrics::skipped);
  }

  void cancelled() {
    cancelled.incrementAndGet();
    note(State.CANCELLED, "it took longer than its limit, or its thread was interrupted");
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
