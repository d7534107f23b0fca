// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.exponent.TrajectoryExponent;

/**
 * The tangent vector carried along a trajectory, in a file beside the record. The file is replaced
 * as a whole: whoever reads it finds the old state or the new one.
 */
public final class TrajectoryFile {
  private final Path file;

  /**
   * The file that belongs to a record.
   *
   * @param record the record's file
   */
  public TrajectoryFile(Path record) {
    file = record.resolveSibling(record.getFileName() + ".tangent");
  }

  /**
   * A trajectory at a checkpoint.
   *
   * @param iteration of the checkpoint
   * @param window the latest finished one
   */
  public record State(int iteration, TrajectoryExponent.Window window) {}

  /** The shape in the file. */
  private record Stored(
      int iteration,
      int index,
      long steps,
      double growth,
      long cumulativeSteps,
      double cumulativeGrowth,
      List<Double> tangent) {}

  /**
   * Writes a state.
   *
   * @param state to be there afterwards
   * @throws IOException if it could not be written; then the old state is still there
   */
  public void write(State state) throws IOException {
    TrajectoryExponent.Window window = state.window();
    Stored stored =
        new Stored(
            state.iteration(),
            window.index(),
            window.steps(),
            window.growth(),
            window.cumulativeSteps(),
            window.cumulativeGrowth(),
            DoubleStream.of(window.tangent().toArray()).boxed().toList());
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(Json.line(stored).getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * Reads the state.
   *
   * @return empty if there is none
   * @throws IOException if there is one but it cannot be read
   */
  public Optional<State> read() throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Stored stored = Json.read(Files.readAllBytes(file), Stored.class);
    return Optional.of(
        new State(
            stored.iteration(),
            new TrajectoryExponent.Window(
                stored.index(),
                stored.steps(),
                stored.growth(),
                stored.cumulativeSteps(),
                stored.cumulativeGrowth(),
                Tangent.of(stored.tangent().stream().mapToDouble(Double::doubleValue).toArray()))));
  }
}
