// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.model;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.lyapunov4j.samples.io.BadFileException;

/**
 * The zip archive of a model, from an unknown source. It is trusted in nothing: of its entries only
 * three are looked at, the size of each follows from its checked head and not from what the archive
 * says, and what Deeplearning4j gets is a copy that holds nothing else. In particular {@code
 * preprocessor.bin}, which Deeplearning4j would deserialise with any class it names, never reaches
 * it.
 */
final class ModelArchive implements Closeable {
  private static final String CONFIGURATION = "configuration.json";
  private static final String PARAMETERS = "coefficients.bin";
  private static final String UPDATER = "updaterState.bin";
  private static final int LONGEST_CONFIGURATION = 1 << 24;
  private static final String REMEDY = "save it with ModelSerializer.writeModel";

  private final Path file;
  private final ZipFile zip;
  private final long most;
  private final byte[] configuration;
  private final long parameterBytes;
  private final long updaterBytes;

  private ModelArchive(Path file, ZipFile zip) throws IOException {
    this.file = file;
    this.zip = zip;
    // Deeplearning4j reads an entry into one array of bytes in the heap.
    most = Math.min(Integer.MAX_VALUE - 8, Runtime.getRuntime().maxMemory() / 2);
    configuration = readConfiguration();
    parameterBytes = check(require(PARAMETERS));
    ZipEntry updater = zip.getEntry(UPDATER);
    updaterBytes = updater == null ? 0 : check(updater);
  }

  /**
   * Opens and checks an archive.
   *
   * @throws BadFileException if it is no archive of a model
   */
  static ModelArchive open(Path file) throws IOException {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new BadFileException(file, "the model must be a readable file; check the path");
    }
    ZipFile zip = null;
    try {
      zip = new ZipFile(file.toFile());
      return new ModelArchive(file, zip);
    } catch (IOException | RuntimeException e) {
      if (zip != null) {
        zip.close();
      }
      if (zip == null && e instanceof ZipException) {
        throw new BadFileException(
            file, "a model must be a zip archive, got another kind of file; " + REMEDY);
      }
      throw broken(file, e);
    }
  }

  /** The text of the configuration, of a bounded length. */
  byte[] configuration() {
    return configuration;
  }

  long parameterBytes() {
    return parameterBytes;
  }

  /** Size of the updater's state; 0 if there is none. */
  long updaterBytes() {
    return updaterBytes;
  }

  /** Writes an archive of what was checked and nothing else. */
  void copyTo(Path copy, boolean withUpdater) throws IOException {
    try (OutputStream out = Files.newOutputStream(copy);
        ZipOutputStream archive = new ZipOutputStream(out)) {
      archive.setLevel(Deflater.NO_COMPRESSION);
      archive.putNextEntry(new ZipEntry(CONFIGURATION));
      archive.write(configuration);
      copy(archive, PARAMETERS, parameterBytes);
      if (withUpdater && updaterBytes > 0) {
        copy(archive, UPDATER, updaterBytes);
      }
    }
  }

  private void copy(ZipOutputStream archive, String name, long bytes) throws IOException {
    archive.putNextEntry(new ZipEntry(name));
    byte[] piece = new byte[1 << 16];
    try (InputStream stream = zip.getInputStream(require(name))) {
      for (long left = bytes; left > 0; ) {
        int read = stream.readNBytes(piece, 0, (int) Math.min(left, piece.length));
        if (read == 0) {
          throw new EOFException("the file changed");
        }
        archive.write(piece, 0, read);
        left -= read;
      }
    }
  }

  private byte[] readConfiguration() throws IOException {
    try (InputStream stream = zip.getInputStream(require(CONFIGURATION))) {
      byte[] text = stream.readNBytes(LONGEST_CONFIGURATION + 1);
      if (text.length > LONGEST_CONFIGURATION) {
        throw new BadFileException(
            file,
            "the configuration must have at most "
                + LONGEST_CONFIGURATION
                + " bytes, got more; "
                + REMEDY);
      }
      return text;
    }
  }

  private ZipEntry require(String name) throws BadFileException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new BadFileException(
          file, "a model must hold " + name + ", got a zip archive without; " + REMEDY);
    }
    return entry;
  }

  /** The size of an array's entry, which must be the one that its head tells. */
  private long check(ZipEntry entry) throws IOException {
    try (DataInputStream stream =
        new DataInputStream(new BufferedInputStream(zip.getInputStream(entry)))) {
      ArrayHead head = ArrayHead.read(stream);
      if (head.bytes() > most) {
        throw new BadFileException(
            file,
            String.format(
                Locale.ROOT,
                "%s must have at most %,d bytes here, got %,d; give the JVM more memory with -Xmx",
                entry.getName(),
                most,
                head.bytes()));
      }
      long found = skip(stream, head.dataBytes());
      if (found != head.dataBytes() || stream.read() >= 0) {
        throw new BadFileException(
            file,
            String.format(
                Locale.ROOT,
                "%s must hold %d bytes of numbers, got %s; %s",
                entry.getName(),
                head.dataBytes(),
                found < head.dataBytes() ? found : "more",
                REMEDY));
      }
      return head.bytes();
    } catch (BadFileException e) {
      throw e;
    } catch (RuntimeException | IOException e) {
      throw new BadFileException(
          file,
          entry.getName()
              + " must be an array of Deeplearning4j, got "
              + (e instanceof EOFException ? "its beginning only" : reason(e))
              + "; "
              + REMEDY);
    }
  }

  private static long skip(InputStream stream, long most) throws IOException {
    byte[] piece = new byte[1 << 16];
    long found = 0;
    while (found < most) {
      int read = stream.readNBytes(piece, 0, (int) Math.min(most - found, piece.length));
      if (read == 0) {
        break;
      }
      found += read;
    }
    return found;
  }

  private static IOException broken(Path file, Exception cause) {
    if (cause instanceof BadFileException bad) {
      return bad;
    }
    return new BadFileException(file, "broken zip archive (" + reason(cause) + "); " + REMEDY);
  }

  static String reason(Throwable cause) {
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
