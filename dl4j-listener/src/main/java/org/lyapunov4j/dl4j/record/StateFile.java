// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.Optional;

/**
 * What a resumed run goes on from, in a file beside the record. The file is replaced as a whole:
 * whoever reads it finds the old state or the new one.
 */
final class StateFile {
  private final Path file;

  /**
   * The file that belongs to a record.
   *
   * @param record the record's file
   * @param suffix of the name
   */
  StateFile(Path record, String suffix) {
    file = record.resolveSibling(record.getFileName() + suffix);
  }

  /**
   * Writes a state.
   *
   * @throws IOException if it could not be written; then the old state is still there
   */
  void replace(Object state) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(Json.line(state).getBytes(StandardCharsets.UTF_8));
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
  <T> Optional<T> read(Class<T> type) throws IOException {
    return Files.exists(file)
        ? Optional.of(Json.read(Files.readAllBytes(file), type))
        : Optional.empty();
  }

  /** Numbers in base 64, little-endian. */
  static String encoded(double[] numbers) {
    if (numbers == null) {
      return null;
    }
    ByteBuffer buffer =
        ByteBuffer.allocate(Math.multiplyExact(Double.BYTES, numbers.length))
            .order(ByteOrder.LITTLE_ENDIAN);
    buffer.asDoubleBuffer().put(numbers);
    return Base64.getEncoder().encodeToString(buffer.array());
  }

  /**
   * What {@link #encoded} wrote.
   *
   * @throws IllegalArgumentException if it is not in base 64
   */
  static double[] numbers(String encoded) {
    if (encoded == null) {
      return null;
    }
    byte[] bytes = Base64.getDecoder().decode(encoded);
    double[] numbers = new double[bytes.length / Double.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(numbers);
    return numbers;
  }
}
