// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;

/**
 * Passes the latest checkpoint on to the interventions, in the training thread. A checkpoint of
 * parameters from before the previous intervention is out of date and not acted on.
 */
final class Interventions {
  private final List<Intervention> interventions;
  private final Consumer<Stage> stages;
  private final AtomicReference<Checkpoint> fresh = new AtomicReference<>();
  private int actedAt = -1;

  Interventions(List<Intervention> interventions, Consumer<Stage> stages) {
    this.interventions = List.copyOf(interventions);
    this.stages = stages;
  }

  /** From any thread. */
  void offer(Checkpoint checkpoint) {
    if (!interventions.isEmpty()) {
      fresh.set(checkpoint);
    }
  }

  /** In the training thread, after the step of an iteration. */
  void act(Model model, int iteration) {
    if (interventions.isEmpty() || fresh.get() == null) {
      return;
    }
    Checkpoint checkpoint = fresh.getAndSet(null);
    if (checkpoint.iteration() > actedAt) {
      actedAt = iteration;
      stages.accept(Stage.INTERVENTION);
      interventions.forEach(intervention -> intervention.apply(model, checkpoint));
    }
  }
}
