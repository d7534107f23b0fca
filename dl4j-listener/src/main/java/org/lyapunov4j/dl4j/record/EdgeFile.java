// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.EdgeTrend;
import org.lyapunov4j.step.SgdStep;

/**
 * The critical learning rate that the search at the next checkpoint starts from, in a file beside
 * the record. The file is replaced as a whole: whoever reads it finds the old state or the new one.
 */
final class EdgeFile {
  private final StateFile file;

  /**
   * The file that belongs to a record.
   *
   * @param record the record's file
   */
  EdgeFile(Path record) {
    file = new StateFile(record, ".edge");
  }

  /** The shape in the file, the direction in base 64, little-endian. */
  private record Stored(
      double value,
      double low,
      double high,
      boolean exact,
      double scale,
      boolean certified,
      StoredStep step,
      String direction,
      List<EdgeTrend.Point> trend) {}

  /**
   * Writes a state.
   *
   * @param state to be there afterwards
   * @throws IOException if it could not be written; then the old one is still there
   */
  void write(EdgeState state) throws IOException {
    EdgeTrack track = state.track();
    SgdStep step = track.step();
    file.replace(
        new Stored(
            track.edge().value(),
            track.edge().low(),
            track.edge().high(),
            track.edge().isExact(),
            track.scale(),
            track.isCertified(),
            StoredStep.of(step),
            track.direction().map(Tangent::toArray).map(StateFile::encoded).orElse(null),
            step.equals(state.trend().step()) ? state.trend().points() : List.of()));
  }

  /**
   * Reads the state.
   *
   * @return empty if there is none
   * @throws IOException if there is one but it cannot be read
   */
  Optional<EdgeState> read() throws IOException {
    Optional<Stored> stored = file.read(Stored.class);
    if (stored.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(state(stored.get()));
    } catch (IllegalArgumentException | NullPointerException e) {
      throw new IOException("it holds no critical learning rate: " + e.getMessage(), e);
    }
  }

  private static EdgeState state(Stored stored) throws IOException {
    SgdStep step = stored.step().step();
    EdgeTrack track =
        new EdgeTrack(
            new CriticalLearningRate(
                stored.value(), stored.low(), stored.high(), stored.exact(), List.of()),
            step,
            stored.scale(),
            stored.certified(),
            Optional.ofNullable(StateFile.numbers(stored.direction())).map(Tangent::of));
    return new EdgeState(
        track, stored.trend().isEmpty() ? EdgeTrend.NONE : new EdgeTrend(step, stored.trend()));
  }
}
