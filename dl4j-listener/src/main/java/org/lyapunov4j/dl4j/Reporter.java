// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.record.RecordSink;
import org.lyapunov4j.dl4j.record.SavedState;

/**
 * Hands a checkpoint to the history and to all sinks. Called for one checkpoint at a time, in
 * order.
 */
final class Reporter {
  private final int historySize;
  private final Sinks sinks;
  private final RecordSink record;
  private final TrajectoryTracker trajectory;
  private final EdgeTracker edge;
  private final CheckpointCounts counts;
  private final Deque<Checkpoint> history = new ArrayDeque<>();

  /**
   * A reporter.
   *
   * @param record the sink that also keeps what the run needs to go on, or null
   * @param trajectory the tangent vector to save there, or null
   * @param edge the critical learning rate to save there
   */
  Reporter(
      int historySize,
      Sinks sinks,
      RecordSink record,
      TrajectoryTracker trajectory,
      EdgeTracker edge,
      CheckpointCounts counts) {
    this.historySize = historySize;
    this.sinks = sinks;
    this.record = record;
    this.trajectory = trajectory;
    this.edge = edge;
    this.counts = counts;
  }

  /**
   * Shows the model to all sinks.
   *
   * @throws IllegalArgumentException if one cannot take it
   */
  void watch(ModelInfo model) {
    sinks.watch(model, counts::failed);
  }

  void deliver(Checkpoint checkpoint) {
    counts.delivered();
    remember(checkpoint);
    save();
    sinks.accept(checkpoint, counts::failed);
  }

  /** Tells all sinks that no checkpoint follows, and lets them go. */
  void end() {
    save();
    sinks.end(counts.status(), counts::failed);
  }

  private void save() {
    if (record != null) {
      record.carry(
          new SavedState(
              Optional.empty(),
              trajectory == null ? Optional.empty() : trajectory.state(),
              edge.state()));
    }
  }

  List<Checkpoint> history() {
    synchronized (history) {
      return List.copyOf(history);
    }
  }

  private void remember(Checkpoint checkpoint) {
    synchronized (history) {
      if (history.size() == historySize) {
        history.removeFirst();
      }
      history.addLast(checkpoint);
    }
  }
}
