// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.gram.Isolation;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.OutputJacobian;
import org.lyapunov4j.dl4j.record.TangentState;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.exponent.TrajectoryExponent.Curvature;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries the tangent vector from checkpoint to checkpoint, across restarts of the program too:
 * what the next window begins at is saved, parameters and step of the last checkpoint and the
 * mini-batches since. With the full Hessian {@link HessianTracker} does, step by step. Not
 * thread-safe but for {@link #state}.
 */
final class TrajectoryTracker {
  private static final Logger log = LoggerFactory.getLogger(TrajectoryTracker.class);

  private final long seed;
  private final Curvature curvature;
  private final ObservedBatches batches;
  private TrajectoryExponent trajectory;
  private boolean begun;
  private TangentState restored;
  private volatile TangentState latest;
  private OutputJacobian jacobian;
  private final HessianTracker hessian;
  private TrajectoryExponent.Frame frame;
  private int iteration;

  /**
   * A tracker.
   *
   * @param seed of the trajectory
   * @param curvature what steps take
   * @param restored where an earlier run of the program stopped, or null
   * @param batches those training takes
   */
  TrajectoryTracker(
      long seed, Curvature curvature, TangentState restored, ObservedBatches batches) {
    this.seed = seed;
    this.curvature = curvature;
    this.restored = restored;
    this.batches = batches;
    hessian = curvature == Curvature.HESSIAN ? new HessianTracker(seed, restored, batches) : null;
    trajectory = new TrajectoryExponent(seed);
    if (restored != null) {
      batches.restore(restored.taken());
    }
  }

  /** Copies the model, of which the derivatives of the outputs are made. */
  void prepare(Model model, MultiDataSet examples) {
    if (hessian != null) {
      hessian.prepare(model, examples);
      return;
    }
    close();
    jacobian = OutputJacobian.of(model, examples);
  }

  /** What steps with training; null with the Gauss–Newton matrix. */
  HessianTracker hessian() {
    return hessian;
  }

  /**
   * Takes a checkpoint in.
   *
   * @param ntk for the Gram matrix at the parameters an earlier run of the program stopped at
   * @return the window that ends here; empty at the first checkpoint, for a Gram matrix of zeros
   *     and where weights are held at a largest norm, since steps here do not project the vector
   */
  Optional<TrajectoryExponent.Window> observe(Snapshot snapshot, GramMatrix gram, NtkGram ntk) {
    if (hessian != null) {
      return hessian.window(snapshot.tangent());
    }
    if (snapshot.fixedNorms() != null) {
      lose(snapshot.iteration());
      return Optional.empty();
    }
    int now = snapshot.iteration();
    CheckpointMap map = map(snapshot);
    TrajectoryExponent.Frame next = frame(gram, snapshot.step().sgd(), map);
    if (restored != null) {
      resumeAt(now, ntk);
    }
    Optional<TrajectoryExponent.Window> window = Optional.empty();
    if (frame != null && now > iteration && frame.gram().trace() > 0 && gram.trace() > 0) {
      window = Optional.of(advance(next, now));
    }
    batches.forgetUntil(now);
    frame = next;
    iteration = now;
    latest =
        new TangentState(
            now,
            begun ? Optional.of(trajectory.state()) : Optional.empty(),
            curvature,
            next.step(),
            map.parameters(),
            map.weights(),
            new TreeMap<>(),
            null);
    return window;
  }

  /** Forgets the vector; the next checkpoint starts another one. */
  private void lose(int now) {
    trajectory = new TrajectoryExponent(seed);
    begun = false;
    restored = null;
    frame = null;
    latest = null;
    batches.forgetUntil(now);
  }

  /** A window that is cut short is taken whole with the next one. */
  private TrajectoryExponent.Window advance(TrajectoryExponent.Frame next, int now) {
    TrajectoryExponent.State before = begun ? trajectory.state() : null;
    int first = iteration + 1;
    boolean whole = false;
    try {
      TrajectoryExponent.Window window =
          trajectory.advance(frame, next, now - iteration, s -> batches.taken((int) (first + s)));
      whole = true;
      begun = true;
      return window;
    } finally {
      if (!whole) {
        trajectory =
            before == null ? new TrajectoryExponent(seed) : TrajectoryExponent.resume(seed, before);
      }
    }
  }

  /** What the steps of the vector take. */
  String remark() {
    return curvature == Curvature.HESSIAN
        ? "the trajectory takes the full Hessian of each mini-batch: central differences of"
            + " Deeplearning4j's gradients, 1e-7·max(1, ‖θ‖) to both sides, at the parameters of"
            + " every step"
        : "the trajectory takes the Gauss-Newton matrix";
  }

  /** What to save, with the mini-batches of steps after the last checkpoint. */
  Optional<TangentState> state() {
    if (hessian != null) {
      return hessian.state();
    }
    TangentState last = latest;
    return last == null
        ? Optional.empty()
        : Optional.of(last.withTaken(batches.after(last.iteration())));
  }

  void close() {
    if (jacobian != null) {
      jacobian.close();
      jacobian = null;
    }
    if (hessian != null) {
      hessian.close();
    }
  }

  private TrajectoryExponent.Frame frame(GramMatrix gram, SgdStep step, CheckpointMap map) {
    return new TrajectoryExponent.Frame(gram, step, map);
  }

  @SuppressWarnings("try") // the isolation is only begun and closed
  private CheckpointMap map(Snapshot snapshot) {
    try (Isolation isolation = Isolation.begin()) {
      INDArray parameterWeights = snapshot.parameterWeights();
      return new CheckpointMap(
          jacobian,
          numbers(snapshot.parameters()),
          parameterWeights == null ? null : numbers(parameterWeights));
    }
  }

  static double[] numbers(INDArray array) {
    return array.castTo(DataType.DOUBLE).dup('c').data().asDouble();
  }

  /**
   * Deeplearning4j models saved inside {@code iterationDone} repeat the number of the iteration, so
   * an equal number is one step.
   */
  private void resumeAt(int now, NtkGram ntk) {
    if (restored.curvature() != curvature) {
      log.warn(
          "The tangent vector was carried with {}, not {}; a new one starts at iteration {}",
          restored.curvature(),
          curvature,
          now);
    } else if (now >= restored.iteration()) {
      frame = frameOf(restored, ntk);
      iteration = Math.min(restored.iteration(), now - 1);
      begun = restored.trajectory().isPresent();
      restored.trajectory().ifPresent(state -> trajectory = TrajectoryExponent.resume(seed, state));
    } else {
      log.warn(
          "The tangent vector was carried to iteration {}, beyond the parameters training resumes"
              + " from; a new one starts at iteration {}",
          restored.iteration(),
          now);
    }
    restored = null;
  }

  @SuppressWarnings("try") // the isolation is only begun and closed
  private TrajectoryExponent.Frame frameOf(TangentState saved, NtkGram ntk) {
    double[] weights = saved.weights();
    try (Isolation isolation = Isolation.begin();
        INDArray parameters = Nd4j.createFromArray(saved.parameters());
        INDArray parameterWeights = weights == null ? null : Nd4j.createFromArray(weights)) {
      return frame(
          ntk.compute(parameters, parameterWeights).gram(),
          saved.step(),
          new CheckpointMap(jacobian, saved.parameters(), weights));
    }
  }
}
