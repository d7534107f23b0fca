// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.SgdStep;

/**
 * Hands the critical learning rate of a checkpoint on to the next one, which looks for its own near
 * it. Not thread-safe; checkpoints are analysed one at a time, in order.
 */
final class EdgeTracker {
  private Optional<EdgeTrack> track;

  /**
   * A tracker.
   *
   * @param restored where an earlier run of the program stopped; empty if there is none
   */
  EdgeTracker(Optional<EdgeTrack> restored) {
    track = restored;
  }

  StabilityReport analyze(StabilityAnalyzer analyzer, GramMatrix gram, SgdStep step) {
    StabilityAnalyzer.Tracked next = analyzer.track(gram, step, track);
    track = next.track();
    return next.report();
  }

  /** What to save, if anything was found yet. */
  Optional<EdgeTrack> state() {
    return track;
  }
}
