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
    byte[] bytes = Json.line(state).getBytes(StandardCharsets.UTF_8);
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
  <T> Optional<T> read(Class<T> type) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    requireRegularOrNew(file);
    if (Files.size(file) > Runtime.getRuntime().maxMemory() / 8) {
      throw new IOException("it is too large for the heap");
    }
    try (InputStream stream = new FileInputStream(file.toFile())) {
      return Optional.of(Json.read(stream.readAllBytes(), type));
    }
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
