// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The training step of a model, as it would be taken on the examples of a probe. */
final class StepOnProbe {
  private final MiniBatchSampling told;
  private final ObservedOrder.Order observed;
  private final int examples;
  private final MiniBatchSampling sampling;
  private final StepReader steps;
  private final StepReader drawn = new StepReader(MiniBatchSampling.IID_WITH_REPLACEMENT);

  /**
   * A reader.
   *
   * @param told how training draws its mini-batches, or null
   * @param examples N of the probe
   */
  StepOnProbe(MiniBatchSampling told, int examples) {
    this(told, ObservedOrder.Order.UNKNOWN, examples);
  }

  private StepOnProbe(MiniBatchSampling told, ObservedOrder.Order observed, int examples) {
    this.told = told;
    this.observed = observed;
    this.examples = examples;
    sampling = told != null ? told : observed.sampling().orElse(MiniBatchSampling.IID_SUBSETS);
    steps = new StepReader(sampling);
  }

  /** A reader that goes by what was seen of training, unless it was told. */
  StepOnProbe observing(ObservedOrder.Order order) {
    return told != null || order == observed ? this : new StepOnProbe(null, order, examples);
  }

  /**
   * The step with what is known of its sampling. A batch larger than the probe is drawn from it
   * with replacement, since the probe stands for the training set, and the step says so.
   */
  TrainingStep read(Model model, int iteration, int epoch, int trained) {
    return trained <= examples
        ? steps.read(model, iteration, epoch, trained).withRemark(samplingRemark())
        : drawn
            .read(model, iteration, epoch, trained)
            .withRemark(
                "batches larger than the probe's "
                    + examples
                    + " examples are drawn from it with replacement, since it stands for the"
                    + " training set");
  }

  /** The step of training that takes all its examples at once: all of the probe at most. */
  TrainingStep readFullBatch(Model model, int iteration, int epoch, int trained) {
    return steps
        .read(model, iteration, epoch, Math.min(trained, examples))
        .withRemark("sampling as observed: every step takes the full batch");
  }

  Optional<INDArray> metric(Model model, int iteration, int epoch) {
    return steps.metric(model, iteration, epoch);
  }

  /** What is known of the sampling scheme, which no model tells. */
  private String samplingRemark() {
    if (told != null) {
      return "sampling as told: " + told;
    }
    return (observed.sampling().isPresent() ? "sampling as observed: " : "sampling assumed: ")
        + sampling
        + "; "
        + observed.reason();
  }

  boolean isToldSampling() {
    return told != null;
  }
}
