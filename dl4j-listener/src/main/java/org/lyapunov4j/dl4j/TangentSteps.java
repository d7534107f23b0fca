// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Takes every step of training with the tangent vector, in the training thread. A failure loses the
 * vector and nothing else.
 */
final class TangentSteps {
  private static final String TANGENT = "A step of the tangent vector";

  private final HessianTracker tangent;
  private final ProbeSet probe;
  private final ObservedSteps steps;
  private final CheckpointCounts counts;
  private final boolean strict;
  private final Consumer<Stage> stages;

  /**
   * A new one.
   *
   * @param tangent what steps with training, or null if nothing does
   */
  TangentSteps(
      HessianTracker tangent,
      ProbeSet probe,
      ObservedSteps steps,
      CheckpointCounts counts,
      boolean strict,
      Consumer<Stage> stages) {
    this.tangent = tangent;
    this.probe = probe;
    this.steps = steps;
    this.counts = counts;
    this.strict = strict;
    this.stages = stages;
  }

  /** Before the step of an iteration. */
  void begin(Model model) {
    if (tangent == null) {
      return;
    }
    try {
      stages.accept(Stage.TANGENT_BEGIN);
      tangent.begin(model);
    } catch (Throwable failure) {
      tangent.lose();
      counts.failed(TANGENT, failure);
    }
  }

  /** After the step of an iteration. */
  void carry(Model model, int iteration, int epoch) {
    if (tangent == null) {
      return;
    }
    try {
      stages.accept(Stage.TANGENT_STEP);
      if (tangent.isRestoring()) {
        tangent.resume(model, probe.data());
      }
      if (tangent.isCarrying()) {
        step(model, iteration, epoch);
      }
    } catch (Throwable failure) {
      tangent.lose();
      if (strict) {
        throw failure;
      }
      counts.failed(TANGENT, failure);
    } finally {
      steps.forgetUntil(iteration);
    }
  }

  private void step(Model model, int iteration, int epoch) {
    TrainingStep step = steps.read(model, iteration, epoch);
    if (!isLinear(model, step)) {
      tangent.lose();
      return;
    }
    try (INDArray parameterWeights =
        steps.reader().parameterWeights(model, iteration, epoch, step).orElse(null)) {
      tangent.step(model, iteration, step.sgd(), parameterWeights);
    }
  }

  /** Whether it is a linear step of one memory that does not project the parameters. */
  private boolean isLinear(Model model, TrainingStep step) {
    return step.hasOneMemory()
        && !(step.level() instanceof Level.Observed)
        && !(step.level() instanceof Level.Approximate approximate && approximate.isGauge())
        && steps.reader().fixedNorms(model, step).isEmpty();
  }

  /** How far the tangent vector has come; a failure leaves it as it is, without a window. */
  HessianTracker.Mark mark(
      Model model, int iteration, TrainingStep step, INDArray parameterWeights) {
    if (tangent == null || !isLinear(model, step)) {
      return null;
    }
    try {
      stages.accept(Stage.TANGENT_MARK);
      return tangent.mark(model, iteration, step.sgd(), parameterWeights).orElse(null);
    } catch (CancellationException interrupted) {
      return null; // as the checkpoint will be
    } catch (Throwable failure) {
      if (strict) {
        throw failure;
      }
      counts.failed(TANGENT, failure);
      return null;
    }
  }
}
