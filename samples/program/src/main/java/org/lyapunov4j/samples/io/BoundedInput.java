// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A file, or an entry of a zip archive, read piece by piece, each piece of a size known in advance,
 * so that neither a lying header nor a compressed bomb costs more memory than the piece asked for.
 * Gzip is recognised by its first bytes, not by the name.
 */
final class BoundedInput implements Closeable {
  private static final int GZIP_MAGIC = 0x1f8b;

  /** Numbers rarely shrink ten times; masks and one-hot labels may a hundred times. */
  private static final long LARGEST_EXPANSION = 100;

  /** What a compressed input may become in memory, however small it is. */
  private static final long FREE_EXPANSION = 1 << 26;

  private final String place;
  private final InputStream stream;
  private final long stored;
  private final boolean compressed;
  private long taken;

  private BoundedInput(String place, InputStream stream, long stored, boolean compressed) {
    this.place = place;
    this.stream = stream;
    this.stored = stored;
    this.compressed = compressed;
  }

  static BoundedInput open(Path file) throws IOException {
    requireFile(file);
    InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      raw.mark(2);
      boolean compressed = (raw.read() << 8 | raw.read()) == GZIP_MAGIC;
      raw.reset();
      return new BoundedInput(
          file.toString(),
          compressed ? new GZIPInputStream(raw, 1 << 16) : raw,
          Files.size(file),
          compressed);
    } catch (IOException e) {
      raw.close();
      throw broken(file.toString(), e);
    }
  }

  /** An entry; what the archive's directory says about its size is not relied on. */
  static BoundedInput open(Path file, ZipFile zip, ZipEntry entry) throws IOException {
    String place = file + ":" + NpyHeader.printable(entry.getName());
    try {
      InputStream stream = zip.getInputStream(entry);
      if (stream == null) {
        throw new BadFileException(place, "the entry cannot be read; save the archive again");
      }
      return new BoundedInput(
          place, stream, Math.min(entry.getCompressedSize(), Files.size(file)), true);
    } catch (ZipException e) {
      throw broken(place, e);
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

  BadFileException complaint(String complaint) {
    return new BadFileException(place, complaint);
  }

  /**
   * Refuses, before memory is taken, what this input cannot hold, what the heap cannot hold, and
   * what looks like a bomb.
   *
   * @param what names the entries
   * @param length bytes in the file
   * @param memory bytes in memory
   */
  void requireRoom(String what, long length, long memory) throws BadFileException {
    if (!compressed && length > stored - taken) {
      throw complaint(
          String.format(
              Locale.ROOT,
              "%s need %d bytes, got %d; the file is truncated, save it again",
              what,
              length,
              stored - taken));
    }
    long most = Math.max(FREE_EXPANSION, LARGEST_EXPANSION * stored);
    if (compressed && memory > most) {
      throw complaint(
          String.format(
              Locale.ROOT,
              "%d compressed bytes may become at most %d, got %d for %s; save the array uncompressed",
              stored,
              most,
              memory,
              what));
    }
    long heap = Runtime.getRuntime().maxMemory();
    if (memory > heap - heap / 10) {
      throw complaint(
          String.format(
              Locale.ROOT,
              "%s need %d MB of memory, got a limit of %d MB; start java with a larger -Xmx",
              what,
              memory >> 20,
              heap >> 20));
    }
  }

  /** The next {@code length} bytes; {@code what} names them in the complaint. */
  byte[] exactly(int length, String what) throws IOException {
    byte[] bytes = upTo(length);
    if (bytes.length < length) {
      throw complaint(
          String.format(
              Locale.ROOT,
              "%s must have %d bytes, got %d before the end; the file is truncated, fetch it again",
              what,
              length,
              bytes.length));
    }
    return bytes;
  }

  /** The next bytes, fewer than {@code length} only at the end of the file. */
  byte[] upTo(int length) throws IOException {
    try {
      byte[] bytes = stream.readNBytes(length);
      taken += bytes.length;
      return bytes;
    } catch (ZipException | EOFException e) {
      throw broken(place, e);
    }
  }

  void requireEnd() throws IOException {
    long announced = taken;
    if (upTo(1).length != 0) {
      throw complaint(
          "must end after the "
              + announced
              + " bytes that its header announces, got more; it is of another kind or damaged");
    }
  }

  private static IOException broken(String place, IOException cause) {
    if (cause instanceof ZipException || cause instanceof EOFException) {
      return new BadFileException(
          place, "broken compressed data (" + cause.getMessage() + "); fetch the file again");
    }
    return cause;
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
