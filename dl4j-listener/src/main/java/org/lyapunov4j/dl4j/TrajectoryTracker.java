// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.gram.Isolation;
import org.lyapunov4j.dl4j.gram.OutputJacobian;
import org.lyapunov4j.dl4j.record.TrajectoryFile;
import org.lyapunov4j.exponent.TangentMap;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries the tangent vector from checkpoint to checkpoint. The window that spans a restart of the
 * program takes the checkpoint of its end for both, since the other is gone. Not thread-safe.
 */
final class TrajectoryTracker {
  private static final Logger log = LoggerFactory.getLogger(TrajectoryTracker.class);

  private final long seed;
  private final ObservedBatches batches;
  private TrajectoryExponent trajectory;
  private TrajectoryFile.State restored;
  private TrajectoryFile.State latest;
  private OutputJacobian jacobian;
  private TrajectoryExponent.Frame frame;
  private int iteration;

  /**
   * A tracker.
   *
   * @param seed of the trajectory
   * @param restored where an earlier run of the program stopped, or null
   * @param batches those training takes
   */
  TrajectoryTracker(long seed, TrajectoryFile.State restored, ObservedBatches batches) {
    this.seed = seed;
    this.restored = restored;
    this.batches = batches;
    trajectory =
        restored == null
            ? new TrajectoryExponent(seed)
            : TrajectoryExponent.resume(seed, restored.trajectory());
  }

  /** Copies the model, of which the derivatives of the outputs are made. */
  void prepare(Model model, MultiDataSet examples) {
    close();
    jacobian = OutputJacobian.of(model, examples);
  }

  /**
   * Takes a checkpoint in.
   *
   * @return the window that ends here; empty at the first checkpoint and for a Gram matrix of zeros
   */
  Optional<TrajectoryExponent.Window> observe(Snapshot snapshot, GramMatrix gram) {
    int now = snapshot.iteration();
    TrajectoryExponent.Frame next =
        new TrajectoryExponent.Frame(gram, snapshot.step().sgd(), map(snapshot));
    if (restored != null) {
      resumeAt(now, next);
    }
    Optional<TrajectoryExponent.Window> window = Optional.empty();
    if (frame != null && now > iteration && frame.gram().trace() > 0 && gram.trace() > 0) {
      int first = iteration + 1;
      window =
          Optional.of(
              trajectory.advance(
                  frame, next, now - iteration, s -> batches.taken((int) (first + s))));
      latest = new TrajectoryFile.State(now, trajectory.state());
    }
    batches.forgetUntil(now);
    frame = next;
    iteration = now;
    return window;
  }

  /** What to save, if anything has happened. */
  Optional<TrajectoryFile.State> state() {
    return Optional.ofNullable(latest);
  }

  void close() {
    if (jacobian != null) {
      jacobian.close();
      jacobian = null;
    }
  }

  @SuppressWarnings("try") // the isolation is only begun and closed
  private TangentMap map(Snapshot snapshot) {
    try (Isolation isolation = Isolation.begin()) {
      INDArray metric = snapshot.metric();
      return new CheckpointMap(
          jacobian, numbers(snapshot.parameters()), metric == null ? null : numbers(metric));
    }
  }

  private static double[] numbers(INDArray array) {
    return array.castTo(DataType.DOUBLE).dup('c').data().asDouble();
  }

  /** A = RᵀJ at the parameters of a checkpoint. */
  private static final class CheckpointMap implements TangentMap {
    private final OutputJacobian jacobian;
    private final double[] parameters;
    private final double[] weights;

    CheckpointMap(OutputJacobian jacobian, double[] parameters, double[] weights) {
      this.jacobian = jacobian;
      this.parameters = parameters;
      this.weights = weights;
    }

    @Override
    public double[] outputs(double[] direction) {
      try (INDArray flat = Nd4j.createFromArray(parameters)) {
        return jacobian.outputs(flat, direction);
      }
    }

    @Override
    public double[] gradient(double[] outputs) {
      try (INDArray flat = Nd4j.createFromArray(parameters)) {
        return jacobian.gradient(flat, outputs);
      }
    }

    @Override
    public double[] weights() {
      return weights;
    }
  }

  /**
   * Deeplearning4j models saved inside {@code iterationDone} repeat the number of the iteration, so
   * an equal number is one step.
   */
  private void resumeAt(int now, TrajectoryExponent.Frame next) {
    if (now >= restored.iteration()) {
      frame = next;
      iteration = Math.min(restored.iteration(), now - 1);
    } else {
      log.warn(
          "The tangent vector was carried to iteration {}, beyond the parameters training resumes from; a new one starts at iteration {}",
          restored.iteration(),
          now);
      trajectory = new TrajectoryExponent(seed);
    }
    restored = null;
  }
}
