// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.util.Objects;
import org.lyapunov4j.dl4j.step.TrainingStep;

/**
 * What is watched, known when its first checkpoint is due.
 *
 * @param type class of the model
 * @param parameters P
 * @param precision data type of the parameters
 * @param outputs K
 * @param iteration the first that was seen
 * @param step the training step at that iteration
 */
public record ModelInfo(
    String type, long parameters, String precision, int outputs, int iteration, TrainingStep step) {
  /** {@inheritDoc} */
  public ModelInfo {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(precision, "precision");
    Objects.requireNonNull(step, "step");
  }
}
