// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Arrays;
import java.util.Optional;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.gram.Isolation;
import org.lyapunov4j.dl4j.gram.LossHessian;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.OutputJacobian;
import org.lyapunov4j.dl4j.record.TangentState;
import org.lyapunov4j.exponent.HessianTrajectory;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.exponent.TrajectoryExponent.Curvature;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Steps a tangent vector with training, in its thread, and measures it at checkpoints there too:
 * only the window between two checkpoints that were delivered is made where checkpoints are
 * computed. Thread-safe.
 */
final class HessianTracker {
  private static final Logger log = LoggerFactory.getLogger(HessianTracker.class);

  private final long seed;
  private final ObservedBatches batches;
  private TangentState restored;
  private MultiDataSet examples;
  private OutputJacobian jacobian;
  private LossHessian losses;

  /** Of the products so far, when they are closed. */
  private LossHessian.Experience learnt;

  private HessianTrajectory trajectory;

  /** The last that was delivered, or the start. */
  private HessianTrajectory.Mark latest;

  private int windows;
  private int iteration;
  private SgdStep step;

  /** What training computes its gradient at. */
  private double[] before;

  /** After the latest iteration. */
  private double[] after;

  /**
   * A tracker.
   *
   * @param seed of the trajectory
   * @param restored where an earlier run of the program stopped, or null
   * @param batches those training takes
   */
  HessianTracker(long seed, TangentState restored, ObservedBatches batches) {
    this.seed = seed;
    this.batches = batches;
    this.restored = usable(restored);
  }

  private static TangentState usable(TangentState restored) {
    if (restored != null && restored.curvature() != Curvature.HESSIAN) {
      log.warn(
          "The tangent vector was carried with {}, not {}; a new one starts",
          restored.curvature(),
          Curvature.HESSIAN);
      return null;
    }
    if (restored != null && restored.trajectory().isPresent() && restored.progress() == null) {
      log.warn(
          "The tangent vector was carried by an earlier version, between checkpoints on a straight"
              + " line; a new one starts");
      return null;
    }
    return restored == null || restored.trajectory().isEmpty() ? null : restored;
  }

  /**
   * A vector as a checkpoint found it.
   *
   * @param of which trajectory
   * @param at how far it had come
   */
  record Mark(HessianTrajectory of, HessianTrajectory.Mark at) {}

  /** Copies the model, of which the derivatives of outputs and losses are made. */
  synchronized void prepare(Model model, MultiDataSet data) {
    if (jacobian == null) {
      jacobian = OutputJacobian.of(model, data);
    }
    if (losses == null) {
      losses = LossHessian.of(model, data);
    }
    examples = data;
  }

  /** Whether there is a vector that goes on with the next step. */
  synchronized boolean isCarrying() {
    return losses != null && trajectory != null && trajectory.hasStarted();
  }

  /** Whether one of an earlier run of the program waits for its next step. */
  synchronized boolean isRestoring() {
    return restored != null;
  }

  /** Notes the parameters that training computes its gradient at. */
  @SuppressWarnings("try") // the isolation is only begun and closed
  synchronized void begin(Model model) {
    if (restored != null || isCarrying()) {
      try (Isolation isolation = Isolation.begin()) {
        before = TrajectoryTracker.numbers(model.params());
      }
    }
  }

  /** Goes on from where an earlier run of the program stopped, if training does. */
  synchronized void resume(Model model, MultiDataSet data) {
    TangentState saved = restored;
    restored = null;
    if (before == null || !Arrays.equals(before, saved.parameters())) {
      log.warn(
          "The tangent vector was carried to iteration {}, where the parameters were others than"
              + " those training resumes from; a new one starts",
          saved.iteration());
      return;
    }
    prepare(model, data);
    TrajectoryExponent.State vector = saved.trajectory().get();
    TangentState.Progress progress = saved.progress();
    trajectory = HessianTrajectory.resume(seed, count(), vector);
    losses.resume(
        new LossHessian.Experience(progress.products(), progress.largest(), progress.error()));
    latest =
        new HessianTrajectory.Mark(
            progress.steps(),
            -progress.drawn(),
            progress.logNorm(),
            vector.annihilated() && !progress.annihilated() ? 1 : 0,
            progress.error());
    windows = vector.windows();
    after = saved.parameters();
    iteration = saved.iteration();
    step = saved.step();
  }

  private int count() {
    return (int) examples.getFeatures(0).size(0);
  }

  /**
   * Takes the step that training has just taken.
   *
   * @param now the iteration it led to
   * @param sgd in force in it
   * @param parameterWeights the weights of the parameters in it; null for ones
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  synchronized void step(Model model, int now, SgdStep sgd, INDArray parameterWeights) {
    if (!isCarrying()) {
      return; // closed meanwhile
    }
    try (Isolation isolation = Isolation.begin()) {
      double[] place = before == null ? after : before;
      before = null;
      if (now > iteration + 1 && !Arrays.equals(place, after)) {
        log.warn(
            "Training went on from iteration {} to {} unseen; a new tangent vector starts",
            iteration,
            now);
        lose();
        return;
      }
      trajectory.step(
          sgd,
          parameterWeights == null ? null : TrajectoryTracker.numbers(parameterWeights),
          losses.at(place),
          batches.taken(now));
      after = TrajectoryTracker.numbers(model.params());
      iteration = now;
      step = sgd;
    }
  }

  /** Forgets a vector that missed a step; the next checkpoint starts another one. */
  synchronized void lose() {
    trajectory = null;
    latest = null;
    windows = 0;
    before = null;
    after = null;
  }

  /**
   * Measures the vector at a checkpoint of the live model; starts one if there is none.
   *
   * @return empty for a Gram matrix of zeros
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  synchronized Optional<Mark> mark(Model model, int now, SgdStep sgd, INDArray parameterWeights) {
    if (losses == null) {
      return Optional.empty();
    }
    try (Isolation isolation = Isolation.begin()) {
      double[] place = TrajectoryTracker.numbers(model.params());
      double[] weights =
          parameterWeights == null ? null : TrajectoryTracker.numbers(parameterWeights);
      HessianTrajectory marked =
          trajectory == null ? new HessianTrajectory(seed, count(), place.length) : trajectory;
      Optional<HessianTrajectory.Mark> mark =
          marked.mark(
              sgd,
              new CheckpointMap(jacobian, place, weights),
              () -> gram(model, place, parameterWeights));
      if (mark.isPresent() && trajectory == null) {
        trajectory = marked;
        latest = mark.get();
        iteration = now;
        step = sgd;
        after = place;
      }
      return mark.map(at -> new Mark(marked, at));
    }
  }

  /** Needed so rarely that nothing is kept for it. */
  private GramMatrix gram(Model model, double[] place, INDArray parameterWeights) {
    try (NtkGram ntk = NtkGram.builder(model).probe(examples).spotChecks(0).build();
        INDArray parameters = Nd4j.createFromArray(place)) {
      return ntk.compute(parameters, parameterWeights).gram();
    }
  }

  /** The window that ends at a checkpoint that is delivered. */
  synchronized Optional<TrajectoryExponent.Window> window(Mark mark) {
    if (mark == null || mark.of() != trajectory || mark.at().steps() <= latest.steps()) {
      return Optional.empty();
    }
    TrajectoryExponent.Window window = mark.at().since(latest, windows);
    windows++;
    latest = mark.at();
    return Optional.of(window);
  }

  /** What to save. */
  synchronized Optional<TangentState> state() {
    if (restored != null) {
      return Optional.of(restored);
    }
    if (trajectory == null) {
      return Optional.empty();
    }
    LossHessian.Experience experience = losses == null ? learnt : losses.experience();
    return Optional.of(
        new TangentState(
            iteration,
            trajectory.state(windows),
            Curvature.HESSIAN,
            step,
            after,
            null,
            new TreeMap<>(),
            new TangentState.Progress(
                latest.steps(),
                trajectory.drawn() - latest.drawn(),
                latest.logNorm(),
                trajectory.annihilations() > latest.annihilations(),
                experience.products(),
                experience.largest(),
                experience.error())));
  }

  synchronized void close() {
    if (jacobian != null) {
      jacobian.close();
      jacobian = null;
    }
    if (losses != null) {
      learnt = losses.experience();
      losses.close();
      losses = null;
    }
  }
}
