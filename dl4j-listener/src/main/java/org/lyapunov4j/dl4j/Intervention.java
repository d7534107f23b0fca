// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;

/**
 * Acts on the model that is trained, upon what a checkpoint found. With an intervention the
 * listener no longer merely observes: training goes another way than without it.
 *
 * @see LearningRateControl
 */
@FunctionalInterface
public interface Intervention {
  /**
   * Called in the training thread after the step of an iteration: that of the checkpoint, or with a
   * background thread a later one. Only the latest checkpoint is acted on.
   *
   * @param model the model that is trained
   * @param checkpoint the latest
   */
  void apply(Model model, Checkpoint checkpoint);
}
