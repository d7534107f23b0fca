// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.lyapunov4j.exponent.TrajectoryExponent;

/**
 * The tangent vector carried along a trajectory, in a file beside the record. The file is replaced
 * as a whole: whoever reads it finds the old state or the new one.
 */
public final class TrajectoryFile {
  private final StateFile file;

  /**
   * The file that belongs to a record.
   *
   * @param record the record's file
   */
  public TrajectoryFile(Path record) {
    file = new StateFile(record, ".tangent");
  }

  /**
   * A trajectory at a checkpoint.
   *
   * @param iteration of the checkpoint
   * @param trajectory what is carried
   */
  public record State(int iteration, TrajectoryExponent.State trajectory) {}

  /**
   * The shape in the file, arrays in base 64, little-endian. Files of old have growth, the
   * cumulative ones and the tangent in its place.
   */
  private record Stored(
      int iteration,
      int index,
      Long cumulativeSteps,
      Double logNorm,
      Boolean annihilated,
      String position,
      String velocity,
      Double cumulativeGrowth,
      List<Double> tangent) {}

  /**
   * Writes a state.
   *
   * @param state to be there afterwards
   * @throws IOException if it could not be written; then the old state is still there
   */
  public void write(State state) throws IOException {
    TrajectoryExponent.State carried = state.trajectory();
    Stored stored =
        new Stored(
            state.iteration(),
            carried.windows() - 1,
            carried.steps(),
            carried.logNorm(),
            carried.annihilated(),
            StateFile.encoded(carried.position()),
            StateFile.encoded(carried.velocity()),
            null,
            null);
    file.replace(stored);
  }

  /**
   * Reads the state.
   *
   * @return empty if there is none
   * @throws IOException if there is one but it cannot be read
   */
  public Optional<State> read() throws IOException {
    Optional<Stored> stored = file.read(Stored.class);
    try {
      return stored.isEmpty()
          ? Optional.empty()
          : Optional.of(new State(stored.get().iteration(), carried(stored.get())));
    } catch (IllegalArgumentException | ArithmeticException | NullPointerException damaged) {
      throw new IOException("it is damaged: " + damaged.getMessage(), damaged);
    }
  }

  private static TrajectoryExponent.State carried(Stored stored) throws IOException {
    if (stored.tangent() == null && (stored.position() == null || stored.logNorm() == null)) {
      throw new IOException("it holds no tangent vector");
    }
    int windows = Math.addExact(stored.index(), 1);
    if (windows < 1 || stored.iteration() < 0) {
      throw new IOException("it has " + windows + " windows at iteration " + stored.iteration());
    }
    if (stored.cumulativeSteps() == null || stored.cumulativeSteps() < 0) {
      throw new IOException("it must have a number of steps, got " + stored.cumulativeSteps());
    }
    if (stored.position() == null) {
      double[] coefficients = stored.tangent().stream().mapToDouble(Double::doubleValue).toArray();
      return TrajectoryExponent.State.ofCoefficients(
          windows, stored.cumulativeSteps(), stored.cumulativeGrowth(), coefficients);
    }
    return TrajectoryExponent.State.of(
        windows,
        stored.cumulativeSteps(),
        stored.logNorm(),
        Boolean.TRUE.equals(stored.annihilated()),
        StateFile.numbers(stored.position()),
        StateFile.numbers(stored.velocity()));
  }
}
