// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.metrics.LyapunovMetrics;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;
import org.slf4j.Logger;

/**
 * Hands a checkpoint to everyone who wants it: log, history, record, metrics, consumers. The
 * failure of one does not keep it from the others. Called for one checkpoint at a time, in order.
 */
final class Reporter {
  /**
   * Relative change of sharpness or η_c, when the probe doubles, above which it counts as too
   * small.
   */
  private static final double PROBE_TOLERANCE = 0.1;

  private final Logger log;
  private final String run;
  private final int historySize;
  private final RecordKeeper record;
  private final TrajectoryTracker trajectory;
  private final EdgeTracker edge;
  private final LyapunovMetrics metrics;
  private final List<Consumer<Checkpoint>> consumers;
  private final CheckpointCounts tally;
  private final Consumer<Stage> stages;
  private final Deque<Checkpoint> history = new ArrayDeque<>();
  private final VerdictWatch verdicts = new VerdictWatch();
  private boolean probeWarned;

  /**
   * A reporter.
   *
   * @param record where checkpoints are kept, or null
   * @param trajectory the tangent vector to save with them, or null
   * @param edge the critical learning rate to save with them
   */
  Reporter(
      Logger log,
      String run,
      int historySize,
      RecordKeeper record,
      TrajectoryTracker trajectory,
      EdgeTracker edge,
      LyapunovMetrics metrics,
      List<Consumer<Checkpoint>> consumers,
      CheckpointCounts tally,
      Consumer<Stage> stages) {
    this.log = log;
    this.run = run;
    this.historySize = historySize;
    this.record = record;
    this.trajectory = trajectory;
    this.edge = edge;
    this.metrics = metrics;
    this.consumers = List.copyOf(consumers);
    this.tally = tally;
    this.stages = stages;
  }

  /** Something that may fail. */
  private interface Action {
    void run() throws Exception;
  }

  void deliver(Checkpoint checkpoint) {
    tally.delivered();
    remember(checkpoint);
    attempt(Stage.LOG, "The log of stability checkpoints", () -> announce(checkpoint));
    if (record != null) {
      attempt(
          Stage.RECORD,
          "The record of the run",
          () -> record.checkpoint(checkpoint, trajectory, edge));
    }
    attempt(Stage.METRICS, "The metrics of the run", () -> metrics.update(checkpoint));
    for (Consumer<Checkpoint> consumer : consumers) {
      attempt(
          Stage.CONSUMERS,
          "A consumer of stability checkpoints",
          () -> consumer.accept(checkpoint));
    }
  }

  List<Checkpoint> history() {
    synchronized (history) {
      return List.copyOf(history);
    }
  }

  private void attempt(Stage stage, String activity, Action action) {
    try {
      stages.accept(stage);
      action.run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      tally.failed(activity, e);
    } catch (Throwable failure) {
      tally.failed(activity, failure);
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

  private void announce(Checkpoint checkpoint) {
    log.info("{}", checkpoint);
    if (checkpoint.findings() instanceof StabilityReport report) {
      warnOfASmallProbe(checkpoint);
      announceVerdict(report, checkpoint.verdict().orElseThrow().kind());
    }
  }

  private void warnOfASmallProbe(Checkpoint checkpoint) {
    if (probeWarned) {
      return;
    }
    List<String> unsettled = unsettled(checkpoint);
    if (!unsettled.isEmpty()) {
      probeWarned = true;
      log.warn(
          "{}: half of the probe's {} examples tell something else than all: {}; a larger probe would tell more",
          run,
          checkpoint.stability().examples(),
          String.join(", ", unsettled));
    }
  }

  /** What still depends on the size of the probe; λ does if its sign does. */
  private static List<String> unsettled(Checkpoint checkpoint) {
    List<String> moved = new ArrayList<>();
    if (checkpoint.probeChange() > PROBE_TOLERANCE) {
      moved.add("the sharpness differs by " + percent(checkpoint.probeChange()));
    }
    if (checkpoint.probeCriticalLearningRateChange() > PROBE_TOLERANCE) {
      moved.add(
          "the critical learning rate differs by "
              + percent(checkpoint.probeCriticalLearningRateChange()));
    }
    Sign whole = checkpoint.stability().exponent().sign();
    Sign half = checkpoint.comparableHalf().map(r -> r.exponent().sign()).orElse(whole);
    if (whole != half && whole != Sign.UNDECIDED && half != Sign.UNDECIDED) {
      moved.add("λ has the other sign");
    }
    return moved;
  }

  private static String percent(double fraction) {
    return Math.round(100 * fraction) + " %";
  }

  private void announceVerdict(StabilityReport report, Verdict.Kind verdict) {
    switch (verdicts.observe(verdict)) {
      case BECAME_UNSTABLE ->
          log.warn(
              "{} has become unstable: {}. To train stably here {}.",
              run,
              report.verdict().evidence(),
              report
                  .advice()
                  .orElse("lower the learning rate, now " + report.step().learningRate()));
      case RECOVERED -> log.info("{} is stable again: {}", run, report.verdict().evidence());
      case NONE -> {}
    }
  }
}
