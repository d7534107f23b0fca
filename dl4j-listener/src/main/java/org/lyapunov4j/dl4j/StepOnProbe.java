// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.gram.FixedNorms;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.NormalisedGradient;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.dl4j.step.UnsupportedTrainingException;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The training step of a model, as it would be taken on the examples of a probe. */
final class StepOnProbe {
  private final MiniBatchSampling told;
  private final ObservedOrder.Order observed;
  private final int examples;
  private final MiniBatchSampling sampling;
  private final boolean strict;
  private final StepReader steps;
  private final StepReader drawn = new StepReader(MiniBatchSampling.IID_WITH_REPLACEMENT);

  /**
   * A reader.
   *
   * @param told how training draws its mini-batches, or null
   * @param examples N of the probe
   * @param strict whether a step without a linearisation is refused; else it is observed
   */
  StepOnProbe(MiniBatchSampling told, int examples, boolean strict) {
    this(told, ObservedOrder.Order.UNKNOWN, examples, strict);
  }

  private StepOnProbe(
      MiniBatchSampling told, ObservedOrder.Order observed, int examples, boolean strict) {
    this.strict = strict;
    this.told = told;
    this.observed = observed;
    this.examples = examples;
    sampling = told != null ? told : observed.sampling().orElse(MiniBatchSampling.IID_SUBSETS);
    steps = new StepReader(sampling);
  }

  /** A reader that goes by what was seen of training, unless it was told. */
  StepOnProbe observing(ObservedOrder.Order order) {
    return told != null || order == observed
        ? this
        : new StepOnProbe(null, order, examples, strict);
  }

  /**
   * The step with what is known of its sampling. A batch larger than the probe is drawn from it
   * with replacement, since the probe stands for the training set, and the step says so.
   */
  TrainingStep read(Model model, int iteration, int epoch, int trained) {
    return trained <= examples
        ? read(steps, model, iteration, epoch, trained).withRemark(samplingRemark())
        : read(drawn, model, iteration, epoch, trained)
            .withRemark(
                "batches larger than the probe's "
                    + examples
                    + " examples are drawn from it with replacement, since it stands for the"
                    + " training set");
  }

  /** The step of training that takes all its examples at once: all of the probe at most. */
  TrainingStep readFullBatch(Model model, int iteration, int epoch, int trained) {
    return read(steps, model, iteration, epoch, Math.min(trained, examples))
        .withRemark("sampling as observed: every step takes the full batch");
  }

  private TrainingStep read(
      StepReader reader, Model model, int iteration, int epoch, int batchSize) {
    try {
      return reader.read(model, iteration, epoch, batchSize);
    } catch (UnsupportedTrainingException refusal) {
      if (strict) {
        throw refusal;
      }
      return reader.observe(model, iteration, epoch, batchSize, refusal);
    }
  }

  /** The weights that go with a step; none where there is no linear step. */
  Optional<INDArray> parameterWeights(Model model, int iteration, int epoch, TrainingStep step) {
    return step.level() instanceof Level.Observed
        ? Optional.empty()
        : steps.parameterWeights(model, iteration, epoch);
  }

  /** The weight vectors that a step holds at their largest norm; none without a linear step. */
  Optional<FixedNorms> fixedNorms(Model model, TrainingStep step) {
    return step.level() instanceof Level.Observed ? Optional.empty() : steps.fixedNorms(model);
  }

  /** The decays that go with a step whose l2 is preconditioned. */
  Optional<INDArray> decays(Model model, int iteration, int epoch, TrainingStep step) {
    return step.level() instanceof Level.Observed
        ? Optional.empty()
        : steps.decays(model, iteration, epoch, step.sgd().batchSize());
  }

  /** What is divided by its norm in a step. */
  List<NormalisedGradient> normalisations(Model model) {
    return model instanceof MultiLayerNetwork || model instanceof ComputationGraph
        ? steps.normalisations(model)
        : List.of();
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
