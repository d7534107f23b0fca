// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tangent vector carried along a trajectory, in a file beside the record. The file is replaced
 * as a whole: whoever reads it finds the old state or the new one.
 */
final class TrajectoryFile {
  private static final Logger log = LoggerFactory.getLogger(TrajectoryFile.class);

  private final Path record;
  private final StateFile file;

  /**
   * The file that belongs to a record.
   *
   * @param record the record's file
   */
  TrajectoryFile(Path record) {
    this.record = record;
    file = new StateFile(record, ".tangent");
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
      TangentState.Progress progress,
      List<Double> tangent) {}

  /**
   * Writes a state.
   *
   * @param state to be there afterwards
   * @throws IOException if it could not be written; then the old state is still there
   */
  void write(TangentState state) throws IOException {
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
  Optional<TangentState> read() throws IOException {
    Optional<Stored> read = file.read(Stored.class);
    if (read.isEmpty()) {
      return Optional.empty();
    }
    Stored stored = read.get();
    if (stored.parameters() == null && (stored.position() != null || stored.tangent() != null)) {
      log.warn(
          "The tangent vector beside {} is of an earlier version, which kept no parameters; a new"
              + " one starts",
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

  private static TangentState state(Stored stored) throws IOException {
    if (stored.iteration() < 0 || stored.windows() < 0) {
      throw new IOException(
          "it has " + stored.windows() + " windows at iteration " + stored.iteration());
    }
    return new TangentState(
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
