// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.lyapunov4j.dl4j.record.TrajectoryFile;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries the tangent vector from checkpoint to checkpoint. A window takes the Gram matrix and the
 * step of its start; the one that spans a restart of the program those of its end, since the others
 * are gone. Not thread-safe.
 */
final class TrajectoryTracker {
  private static final Logger log = LoggerFactory.getLogger(TrajectoryTracker.class);

  private final long seed;
  private TrajectoryExponent trajectory;
  private TrajectoryFile.State restored;
  private TrajectoryFile.State latest;
  private GramMatrix gram;
  private SgdStep step;
  private int iteration;

  /**
   * A tracker.
   *
   * @param seed of the trajectory
   * @param restored where an earlier run of the program stopped, or null
   */
  TrajectoryTracker(long seed, TrajectoryFile.State restored) {
    this.seed = seed;
    this.restored = restored;
    trajectory =
        restored == null
            ? new TrajectoryExponent(seed)
            : TrajectoryExponent.resume(seed, restored.window());
  }

  /**
   * Takes a checkpoint in.
   *
   * @return the window that ends here; empty at the first checkpoint and for a Gram matrix of zeros
   */
  Optional<TrajectoryExponent.Window> observe(int now, GramMatrix gramNow, SgdStep stepNow) {
    if (restored != null) {
      resumeAt(now, gramNow, stepNow);
    }
    boolean moves = gram != null && now > iteration && gram.trace() > 0;
    Optional<TrajectoryExponent.Window> window =
        moves ? Optional.of(trajectory.advance(gram, step, now - iteration)) : Optional.empty();
    window.ifPresent(finished -> latest = new TrajectoryFile.State(now, finished));
    gram = gramNow;
    step = stepNow;
    iteration = now;
    return window;
  }

  /** What to save, if anything has happened. */
  Optional<TrajectoryFile.State> state() {
    return Optional.ofNullable(latest);
  }

  /**
   * Deeplearning4j models saved inside {@code iterationDone} repeat the number of the iteration, so
   * an equal number is one step.
   */
  private void resumeAt(int now, GramMatrix gramNow, SgdStep stepNow) {
    if (now >= restored.iteration()) {
      gram = gramNow;
      step = stepNow;
      iteration = Math.min(restored.iteration(), now - 1);
    } else {
      log.warn(
          "The tangent vector was carried to iteration {}, beyond the parameters training resumes from; a new one starts at iteration {}",
          restored.iteration(),
          now);
      trajectory = new TrajectoryExponent(seed);
    }
    restored = null;
  }
}
