// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.lyapunov4j.step.SgdStep;

/**
 * One training step of a Deeplearning4j model, as read from the model.
 *
 * @param updater the class of the updater the learning rate is taken from, for example {@code Adam}
 * @param sgd the step in the library's terms, with every factor that Deeplearning4j applies to all
 *     parameters multiplied out; what differs between parameters is in the weights of {@link
 *     StepReader#metric}, with which the Gram matrix is made
 * @param remarks what a reader of the exponent must know about how the step was read, one sentence
 *     each; often empty
 */
public record TrainingStep(String updater, SgdStep sgd, List<String> remarks) {
  /** {@inheritDoc} */
  public TrainingStep {
    Objects.requireNonNull(updater, "updater");
    Objects.requireNonNull(sgd, "sgd");
    remarks = List.copyOf(remarks);
  }

  /**
   * A step of Deeplearning4j's updater {@code Sgd}.
   *
   * @param sgd the step
   * @param remarks one sentence each
   */
  public TrainingStep(SgdStep sgd, List<String> remarks) {
    this("Sgd", sgd, remarks);
  }

  /**
   * The same step with one more remark.
   *
   * @param remark a sentence
   * @return the changed step
   */
  public TrainingStep withRemark(String remark) {
    List<String> more = new ArrayList<>(remarks);
    more.add(remark);
    return new TrainingStep(updater, sgd, more);
  }

  /**
   * The step in one sentence, remarks in parentheses.
   *
   * @return for people
   */
  @Override
  public String toString() {
    String step = updater.equals("Sgd") ? sgd.toString() : updater + " as " + sgd;
    return remarks.isEmpty() ? step : step + " (" + String.join("; ", remarks) + ")";
  }
}
