// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.concurrent.CancellationException;
import org.lyapunov4j.dl4j.step.UnsupportedTrainingException;
import org.slf4j.Logger;

/**
 * What becomes of a listener when something fails: it goes on, or switches itself off because the
 * model or its training cannot be treated.
 */
final class Faults {
  private static final String CHECKPOINT = "A stability checkpoint";

  private final Logger log;
  private final String listener;
  private final boolean strict;
  private final CheckpointCounts counts;
  private volatile boolean off;
  private volatile RuntimeException pending;

  /**
   * A new one.
   *
   * @param listener how the log names it
   * @param strict whether refusals and failures are thrown
   */
  Faults(Logger log, String listener, boolean strict, CheckpointCounts counts) {
    this.log = log;
    this.listener = listener;
    this.strict = strict;
    this.counts = counts;
  }

  boolean isStrict() {
    return strict;
  }

  /** Whether no further checkpoint will come. */
  boolean isOff() {
    return off;
  }

  /** No further checkpoint is to come. */
  void close() {
    off = true;
  }

  /** Throws in the training thread what a background thread had nobody to throw to. */
  void throwPending() {
    if (pending != null) {
      throw pending;
    }
  }

  /** Counts and logs what was thrown; throws it on if strict. */
  void handle(Throwable failure) {
    if (failure instanceof UnsupportedTrainingException refusal) {
      switchOff(refusal);
    } else if (failure instanceof CancellationException) {
      counts.cancelled();
    } else {
      counts.checkpointFailed(CHECKPOINT, failure);
    }
  }

  /** The same in a background thread. */
  void handleInBackground(Throwable failure) {
    try {
      handle(failure);
    } catch (RuntimeException strictly) {
      pending = strictly;
    }
  }

  void switchOff(RuntimeException refusal) {
    off = true;
    counts.refused(String.valueOf(refusal.getMessage()));
    if (strict) {
      throw refusal;
    }
    log.warn("{} switches itself off: {}", listener, refusal.getMessage());
  }
}
