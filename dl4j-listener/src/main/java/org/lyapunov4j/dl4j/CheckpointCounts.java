// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.concurrent.atomic.AtomicLong;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus.State;

/** Counts what became of the checkpoints, and tells all sinks when that changes. */
final class CheckpointCounts {
  private final String run;
  private final Sinks sinks;
  private final Troubles troubles;
  private final AtomicLong delivered = new AtomicLong();
  private final AtomicLong skipped = new AtomicLong();
  private final AtomicLong cancelled = new AtomicLong();
  private final AtomicLong elsewhere = new AtomicLong();
  private volatile Latest latest = new Latest(State.WAITING, "no checkpoint was due yet");

  /** What became of the checkpoint that was due last, and why it is not there. */
  private record Latest(State state, String reason) {}

  /**
   * A new one.
   *
   * @param sinks told of everything new
   */
  CheckpointCounts(String run, Sinks sinks, Troubles troubles) {
    this.run = run;
    this.sinks = sinks;
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
    latest = new Latest(state, reason);
    publish();
  }

  /** Tells the sinks. The failure of one is counted, but not told in turn. */
  void publish() {
    sinks.status(status(), troubles::report);
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
    latest = new Latest(State.FAILED, failure.toString());
    failed(activity, failure);
  }

  void delivered() {
    delivered.incrementAndGet();
    note(State.WATCHING, "");
  }

  void skipped(String reason) {
    skipped.incrementAndGet();
    note(State.SKIPPED, reason);
  }

  void cancelled() {
    cancelled.incrementAndGet();
    note(State.CANCELLED, "it took longer than its limit, or its thread was interrupted");
  }

  /** Counts a failure and reports it; throws if strict. */
  void failed(String activity, Throwable failure) {
    try {
      troubles.report(activity, failure);
    } finally {
      publish();
    }
  }
}
