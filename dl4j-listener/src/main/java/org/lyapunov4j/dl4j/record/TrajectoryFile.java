// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.step.SgdStep;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tangent vector carried along a trajectory, in a file beside the record. The file is replaced
 * as a whole: whoever reads it finds the old state or the new one.
 */
public final class TrajectoryFile {
  private static final Logger log = LoggerFactory.getLogger(TrajectoryFile.class);

  private final Path record;
  private final StateFile file;

  /**
   * The file that belongs to a record.
   *
   * @param record the record's file
   */
  public TrajectoryFile(Path record) {
    this.record = record;
    file = new StateFile(record, ".tangent");
  }

  /**
   * A trajectory at a checkpoint, with all that its next window begins at. The arrays are not to be
   * modified.
   *
   * @param iteration of the checkpoint
   * @param trajectory what is carried; empty before the first window
   * @param curvature what steps take for the second derivative of the loss
   * @param step in force at the checkpoint
   * @param parameters at the checkpoint
   * @param weights of the parameters at the checkpoint; null for ones
   * @param taken the examples of the mini-batches that training took since, by iteration
   * @param progress of the window under way, where the vector steps with training; else null
   */
  @SuppressWarnings("ArrayRecordComponent") // as large as the model, and compared by content
  public record State(
      int iteration,
      Optional<TrajectoryExponent.State> trajectory,
      TrajectoryExponent.Curvature curvature,
      SgdStep step,
      double[] parameters,
      double[] weights,
      SortedMap<Integer, int[]> taken,
      Progress progress) {

    /**
     * This state with other mini-batches.
     *
     * @param taken the examples of the mini-batches that training took since, by iteration
     * @return the changed state
     */
    public State withTaken(SortedMap<Integer, int[]> taken) {
      return new State(
          iteration, trajectory, curvature, step, parameters, weights, taken, progress);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof State that
          && iteration == that.iteration
          && trajectory.equals(that.trajectory)
          && curvature == that.curvature
          && step.equals(that.step)
          && Objects.equals(progress, that.progress)
          && Arrays.equals(parameters, that.parameters)
          && Arrays.equals(weights, that.weights)
          && taken.keySet().equals(that.taken.keySet())
          && taken.entrySet().stream()
              .allMatch(entry -> Arrays.equals(entry.getValue(), that.taken.get(entry.getKey())));
    }

    @Override
    public int hashCode() {
      return Objects.hash(iteration, trajectory, Arrays.hashCode(parameters));
    }

    @Override
    public String toString() {
      return "iteration " + iteration + ", " + trajectory + ", " + curvature + ", " + step;
    }
  }

  /**
   * How far a vector that steps with training has come in the window under way.
   *
   * @param steps taken before it
   * @param drawn how many of its steps took the mini-batch that training took
   * @param logNorm log growth before it, nats
   * @param annihilated whether a step in it annihilated a vector
   * @param products with the Hessian so far
   * @param largest curvature met in them
   * @param error the largest measured, relative to the product
   */
  public record Progress(
      long steps,
      long drawn,
      double logNorm,
      boolean annihilated,
      long products,
      double largest,
      double error) {
    /** {@inheritDoc} */
    public Progress {
      boolean counts = steps >= 0 && drawn >= 0 && products >= 0;
      boolean measures = largest >= 0 && error >= 0 && Double.isFinite(largest + error);
      if (!counts || !measures || !Double.isFinite(logNorm)) {
        throw new IllegalArgumentException(
            "progress must be of counts and finite numbers, got "
                + List.of(steps, drawn, logNorm, products, largest, error));
      }
    }
  }

  /** The shape in the file, arrays in base 64, little-endian; the tangent is of files of old. */
  private record Stored(
      int iteration,
      String curvature,
      int windows,
      Long cumulativeSteps,
      Double logNorm,
      Boolean annihilated,
      String position,
      String velocity,
      String parameters,
      String weights,
      StoredStep step,
      Map<Integer, int[]> taken,
      Progress progress,
      List<Double> tangent) {}

  /**
   * Writes a state.
   *
   * @param state to be there afterwards
   * @throws IOException if it could not be written; then the old state is still there
   */
  public void write(State state) throws IOException {
    Optional<TrajectoryExponent.State> carried = state.trajectory();
    Stored stored =
        new Stored(
            state.iteration(),
            state.curvature().name(),
            carried.map(TrajectoryExponent.State::windows).orElse(0),
            carried.map(TrajectoryExponent.State::steps).orElse(null),
            carried.map(TrajectoryExponent.State::logNorm).orElse(null),
            carried.map(TrajectoryExponent.State::annihilated).orElse(null),
            StateFile.encoded(carried.map(TrajectoryExponent.State::position).orElse(null)),
            StateFile.encoded(carried.map(TrajectoryExponent.State::velocity).orElse(null)),
            StateFile.encoded(state.parameters()),
            StateFile.encoded(state.weights()),
            StoredStep.of(state.step()),
            state.taken(),
            state.progress(),
            null);
    file.replace(stored);
  }

  /**
   * Reads the state.
   *
   * @return empty if there is none, or one of an earlier version, which does not tell what the next
   *     window begins at; the log says so
   * @throws IOException if there is one but it cannot be read
   */
  public Optional<State> read() throws IOException {
    Optional<Stored> read = file.read(Stored.class);
    if (read.isEmpty()) {
      return Optional.empty();
    }
    Stored stored = read.get();
    if (stored.parameters() == null && (stored.position() != null || stored.tangent() != null)) {
      log.warn(
          "The tangent vector beside {} is of an earlier version, which kept no parameters; a new one starts",
          record);
      return Optional.empty();
    }
    if (stored.parameters() == null || stored.step() == null || stored.curvature() == null) {
      throw new IOException("it holds no tangent vector");
    }
    try {
      return Optional.of(state(stored));
    } catch (IllegalArgumentException | ArithmeticException | NullPointerException damaged) {
      throw new IOException("it is damaged: " + damaged.getMessage(), damaged);
    }
  }

  private static State state(Stored stored) throws IOException {
    if (stored.iteration() < 0 || stored.windows() < 0) {
      throw new IOException(
          "it has " + stored.windows() + " windows at iteration " + stored.iteration());
    }
    return new State(
        stored.iteration(),
        stored.position() == null ? Optional.empty() : Optional.of(carried(stored)),
        TrajectoryExponent.Curvature.valueOf(stored.curvature()),
        stored.step().step(),
        StateFile.numbers(stored.parameters()),
        StateFile.numbers(stored.weights()),
        stored.taken() == null ? new TreeMap<>() : new TreeMap<>(stored.taken()),
        stored.progress());
  }

  private static TrajectoryExponent.State carried(Stored stored) throws IOException {
    if (stored.logNorm() == null || stored.cumulativeSteps() == null) {
      throw new IOException("it holds no tangent vector");
    }
    if (stored.cumulativeSteps() < 0) {
      throw new IOException("it must have a number of steps, got " + stored.cumulativeSteps());
    }
    return TrajectoryExponent.State.of(
        stored.windows(),
        stored.cumulativeSteps(),
        stored.logNorm(),
        Boolean.TRUE.equals(stored.annihilated()),
        StateFile.numbers(stored.position()),
        StateFile.numbers(stored.velocity()));
  }
}
