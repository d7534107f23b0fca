// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.lyapunov4j.step.SgdStep;

/**
 * One training step of a Deeplearning4j model, as read from the model.
 *
 * @param updater the class of the updater the learning rate is taken from, for example {@code Adam}
 * @param sgd the step in the library's terms, with every factor that Deeplearning4j applies to all
 *     parameters multiplied out; what differs between parameters is in the weights of {@link
 *     StepReader#parameterWeights}, with which the Gram matrix is made. At {@link Level.Observed}
 *     its learning rate, batch size and sampling alone are those of training, with the rate 0 where
 *     the updater has none
 * @param level how near the linearisation of {@code sgd} is to that of training
 * @param warmUp why this step says nothing of the later ones, where an adaptive updater has seen
 *     few gradients yet
 * @param remarks what a reader of the exponent must know about how the step was read, one sentence
 *     each; often empty
 * @param groups the groups of parameters with memory or decay of their own; {@code sgd} then has
 *     the memory of one of them and the fastest decay. Empty if all move alike, or are taken to
 */
public record TrainingStep(
    String updater,
    SgdStep sgd,
    Level level,
    Optional<String> warmUp,
    List<String> remarks,
    Optional<ParameterGroups> groups) {
  /** {@inheritDoc} */
  public TrainingStep {
    Objects.requireNonNull(updater, "updater");
    Objects.requireNonNull(sgd, "sgd");
    Objects.requireNonNull(level, "level");
    Objects.requireNonNull(warmUp, "warmUp");
    remarks = List.copyOf(remarks);
    Objects.requireNonNull(groups, "groups");
  }

  /**
   * A step that moves all parameters alike.
   *
   * @param updater the class of the updater
   * @param sgd the step
   * @param level of its linearisation
   * @param warmUp why it says nothing of the later ones
   * @param remarks one sentence each
   */
  public TrainingStep(
      String updater, SgdStep sgd, Level level, Optional<String> warmUp, List<String> remarks) {
    this(updater, sgd, level, warmUp, remarks, Optional.empty());
  }

  /**
   * A step that is like those to come.
   *
   * @param updater the class of the updater
   * @param sgd the step
   * @param level of its linearisation
   * @param remarks one sentence each
   */
  public TrainingStep(String updater, SgdStep sgd, Level level, List<String> remarks) {
    this(updater, sgd, level, Optional.empty(), remarks);
  }

  /**
   * An exact step of Deeplearning4j's updater {@code Sgd}.
   *
   * @param sgd the step
   * @param remarks one sentence each
   */
  public TrainingStep(SgdStep sgd, List<String> remarks) {
    this("Sgd", sgd, Level.exact(), remarks);
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
    return new TrainingStep(updater, sgd, level, warmUp, more, groups);
  }

  /**
   * The same step where something else is known at another level.
   *
   * @param other for example that of the curvature of the loss
   * @return the step at the lower of the two
   */
  public TrainingStep at(Level other) {
    return new TrainingStep(updater, sgd, level.and(other), warmUp, remarks, groups);
  }

  /**
   * The same step with numbers that the Gram matrix told.
   *
   * @param changed the step in the library's terms
   * @return the changed step
   */
  public TrainingStep withSgd(SgdStep changed) {
    return new TrainingStep(updater, changed, level, warmUp, remarks, groups);
  }

  /**
   * The same step where groups of parameters are not told apart.
   *
   * @return a step at the level that is left
   */
  public TrainingStep withoutGroups() {
    return groups
        .map(known -> new TrainingStep(updater, sgd, level.and(known.without()), warmUp, remarks))
        .orElse(this);
  }

  /**
   * Whether one memory stands for all parameters.
   *
   * @return false if groups of parameters have memories that differ
   */
  public boolean hasOneMemory() {
    return groups.isEmpty() || groups.get().hasOneMemory();
  }

  /**
   * The step in one sentence, the level first, remarks in parentheses.
   *
   * @return for people
   */
  @Override
  public String toString() {
    String text = level + ": " + step();
    if (warmUp.isPresent()) {
      text += ", " + warmUp.get();
    }
    return remarks.isEmpty() ? text : text + " (" + String.join("; ", remarks) + ")";
  }

  private String step() {
    if (level instanceof Level.Observed) {
      return String.format(
          Locale.ROOT,
          "%s%s, batch size %d (%s)",
          updater,
          sgd.learningRate() > 0 ? ", learning rate " + sgd.learningRate() : "",
          sgd.batchSize(),
          sgd.sampling());
    }
    return updater.equals("Sgd") ? sgd.toString() : updater + " as " + sgd;
  }
}
