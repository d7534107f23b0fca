// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.List;
import java.util.Objects;
import org.lyapunov4j.step.SgdStep;

/**
 * One training step of a Deeplearning4j model, as read from its configuration.
 *
 * @param sgd the step in the library's terms, with every factor that Deeplearning4j applies
 *     multiplied out
 * @param remarks what a reader of the exponent must know about how the step was read, one sentence
 *     each; often empty
 */
public record TrainingStep(SgdStep sgd, List<String> remarks) {
  /** {@inheritDoc} */
  public TrainingStep {
    Objects.requireNonNull(sgd, "sgd");
    remarks = List.copyOf(remarks);
  }

  /**
   * The step in one sentence, remarks in parentheses.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return remarks.isEmpty() ? sgd.toString() : sgd + " (" + String.join("; ", remarks) + ")";
  }
}
