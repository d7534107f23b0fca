// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
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
            encoded(carried.position()),
            encoded(carried.velocity()),
            null,
            null);
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    byte[] bytes = Json.line(stored).getBytes(StandardCharsets.UTF_8);
    requireRegularOrNew(fresh);
    requireRegularOrNew(file);
    // not through a channel, which an interrupt would close
    try (FileOutputStream stream = new FileOutputStream(fresh.toFile())) {
      stream.write(bytes);
      stream.getFD().sync();
    }
    Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void requireRegularOrNew(Path file) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new IOException(file + " must be a regular file or new, got a folder or a device");
    }
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
    requireRegularOrNew(file);
    if (Files.size(file) > Runtime.getRuntime().maxMemory() / 8) {
      throw new IOException("it is too large for the heap");
    }
    try (InputStream stream = new FileInputStream(file.toFile())) {
      Stored stored = Json.read(stream.readAllBytes(), Stored.class);
      return Optional.of(new State(stored.iteration(), carried(stored)));
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
        numbers(stored.position()),
        numbers(stored.velocity()));
  }

  private static String encoded(double[] numbers) {
    if (numbers == null) {
      return null;
    }
    ByteBuffer buffer =
        ByteBuffer.allocate(Math.multiplyExact(Double.BYTES, numbers.length))
            .order(ByteOrder.LITTLE_ENDIAN);
    buffer.asDoubleBuffer().put(numbers);
    return Base64.getEncoder().encodeToString(buffer.array());
  }

  private static double[] numbers(String encoded) {
    if (encoded == null) {
      return null;
    }
    byte[] bytes = Base64.getDecoder().decode(encoded);
    double[] numbers = new double[bytes.length / Double.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(numbers);
    return numbers;
  }
}
