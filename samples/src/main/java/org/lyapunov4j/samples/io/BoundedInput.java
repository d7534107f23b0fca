// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * A file read piece by piece, each piece of a size known in advance, so that neither a lying header
 * nor a compressed bomb costs more memory than the piece asked for. Gzip is recognised by its first
 * bytes, not by the name.
 */
final class BoundedInput implements Closeable {
  private static final int GZIP_MAGIC = 0x1f8b;

  private final Path file;
  private final InputStream stream;

  private BoundedInput(Path file, InputStream stream) {
    this.file = file;
    this.stream = stream;
  }

  static BoundedInput open(Path file) throws IOException {
    requireFile(file);
    InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      raw.mark(2);
      boolean compressed = (raw.read() << 8 | raw.read()) == GZIP_MAGIC;
      raw.reset();
      return new BoundedInput(file, compressed ? new GZIPInputStream(raw, 1 << 16) : raw);
    } catch (IOException e) {
      raw.close();
      throw broken(file, e);
    }
  }

  static void requireFile(Path file) throws BadFileException {
    if (!Files.exists(file)) {
      throw new BadFileException(file, "the file must exist; check the path");
    }
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new BadFileException(
          file, "must be a readable regular file; check the path and its permissions");
    }
  }

  /** The next {@code length} bytes; {@code what} names them in the complaint. */
  byte[] exactly(int length, String what) throws IOException {
    byte[] bytes = upTo(length);
    if (bytes.length < length) {
      throw new BadFileException(
          file,
          String.format(
              "%s must have %d bytes, got %d before the end; the file is truncated, fetch it again",
              what, length, bytes.length));
    }
    return bytes;
  }

  /** The next bytes, fewer than {@code length} only at the end of the file. */
  byte[] upTo(int length) throws IOException {
    try {
      return stream.readNBytes(length);
    } catch (ZipException | EOFException e) {
      throw broken(file, e);
    }
  }

  void requireEnd() throws IOException {
    if (upTo(1).length != 0) {
      throw new BadFileException(
          file, "holds more bytes than its header announces; it is of another kind or damaged");
    }
  }

  private static IOException broken(Path file, IOException cause) {
    if (cause instanceof ZipException || cause instanceof EOFException) {
      return new BadFileException(
          file, "broken gzip data (" + cause.getMessage() + "); fetch the file again");
    }
    return cause;
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
