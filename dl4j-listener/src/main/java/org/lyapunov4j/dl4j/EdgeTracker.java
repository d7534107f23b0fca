// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.lyapunov4j.dl4j.record.EdgeState;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.EdgeTrend;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.SgdStep;

/**
 * Hands the critical learning rate of a checkpoint on to the next one, which looks for its own near
 * it, and follows its trend. Not thread-safe; checkpoints are analysed one at a time, in order.
 */
final class EdgeTracker {
  private Optional<EdgeTrack> track = Optional.empty();
  private EdgeTrend trend = EdgeTrend.NONE;

  /**
   * A tracker.
   *
   * @param restored where an earlier run of the program stopped; empty if there is none
   */
  EdgeTracker(Optional<EdgeState> restored) {
    restored.ifPresent(
        state -> {
          track = Optional.of(state.track());
          trend = state.trend();
        });
  }

  /** The report of the checkpoint at an iteration. */
  StabilityReport analyze(
      StabilityAnalyzer analyzer, GramMatrix gram, SgdStep step, int iteration) {
    return follow(analyzer.track(gram, step, track), step, iteration);
  }

  /** The same of groups of parameters. */
  StabilityReport analyze(
      StabilityAnalyzer analyzer, GroupedGram gram, GroupedStep step, int iteration) {
    return follow(analyzer.track(gram, step, track), step.common(), iteration);
  }

  /** The same where the edge alone is wanted, right within a factor. */
  EdgeReport gauge(
      StabilityAnalyzer analyzer, GramMatrix gram, SgdStep step, int iteration, double factor) {
    return follow(analyzer.trackEdge(gram, step, track, factor), step, iteration);
  }

  /** The same of groups of parameters. */
  EdgeReport gauge(
      StabilityAnalyzer analyzer,
      GroupedGram gram,
      GroupedStep step,
      int iteration,
      double factor) {
    return follow(analyzer.trackEdge(gram, step, track, factor), step.common(), iteration);
  }

  private <R extends Findings> R follow(
      StabilityAnalyzer.Tracked<R> next, SgdStep step, int iteration) {
    track = next.track();
    next.report()
        .criticalLearningRate()
        .ifPresent(edge -> trend = trend.with(iteration, step, edge));
    return next.report();
  }

  /** When the edge comes, if the latest checkpoints have a trend. */
  Optional<EdgeForecast> forecast(SgdStep step) {
    return trend.forecast(step.learningRate());
  }

  /** What to save, if anything was found yet. */
  Optional<EdgeState> state() {
    return track.map(found -> new EdgeState(found, trend));
  }
}
