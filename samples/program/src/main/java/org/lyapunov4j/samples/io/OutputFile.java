// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.lyapunov4j.dl4j.record.RecordSink;

/**
 * Files that commands write: new ones, or regular ones that are replaced; never a device, a pipe or
 * a folder. A link is written through. Contents are made before the file is opened.
 */
public final class OutputFile {
  private OutputFile() {}

  /**
   * Refuses, before the work begins, what could not be written at its end.
   *
   * @param option that names the file
   * @param file asked for by the user, or null
   * @param endings one of which the name must have, such as {@code .png}; none for any
   * @throws BadFileException if it cannot be made or replaced
   */
  public static void require(String option, Path file, String... endings) throws BadFileException {
    if (file == null) {
      return;
    }
    String name = file.toString().toLowerCase(Locale.ROOT);
    if (endings.length > 0 && List.of(endings).stream().noneMatch(name::endsWith)) {
      throw new BadFileException(
          file, option + " must end in " + String.join(" or ", endings) + "; change the name");
    }
    if (Files.exists(file)) {
      requireRegular(option, file);
    } else {
      requireNew(option, file);
    }
  }

  private static void requireRegular(String option, Path file) throws BadFileException {
    if (!Files.isRegularFile(file) || !Files.isWritable(file)) {
      throw new BadFileException(
          file, option + " must be a regular file that can be written, or new; name another");
    }
  }

  /**
   * Refuses, before the work begins, what could not be written at its end or is of others.
   *
   * @param option that names the file
   * @param file asked for by the user, or null
   * @param opening how the files begin that may be replaced, besides empty ones
   * @throws IOException if it must not be replaced or cannot be made
   */
  public static void requireOwn(String option, Path file, String opening) throws IOException {
    require(option, file);
    if (file == null || !Files.exists(file)) {
      return;
    }
    byte[] expected = opening.getBytes(StandardCharsets.UTF_8);
    byte[] found;
    try (InputStream in = Files.newInputStream(file)) {
      found = in.readNBytes(expected.length);
    }
    if (found.length > 0 && !Arrays.equals(found, expected)) {
      throw new BadFileException(
          file,
          option + " must be new or written by an earlier run, got another file; name another");
    }
  }

  /** The only way to know is to try. */
  private static void requireNew(String option, Path file) throws BadFileException {
    try {
      Files.createFile(file);
      Files.delete(file);
    } catch (IOException | UnsupportedOperationException e) {
      throw new BadFileException(
          file,
          option
              + " must be a file in a folder that exists and can be written to; create the folder");
    }
  }

  /**
   * Refuses a folder that is something else.
   *
   * @param option that names the folder
   * @param folder asked for by the user, or null; made if it is not there
   * @throws BadFileException if it is no folder and cannot be made
   */
  public static void requireFolder(String option, Path folder) throws BadFileException {
    try {
      if (folder != null) {
        Files.createDirectories(folder);
      }
    } catch (IOException e) {
      throw new BadFileException(
          folder, option + " must be a folder, or new in a folder that can be written to");
    }
  }

  /**
   * Refuses what is no new file for a record, or makes room for one.
   *
   * @param option that names the file
   * @param file asked for by the user, or null
   * @param overwrite whether a record that is there, and that nobody writes, may go
   * @throws IOException if it must not or cannot go
   * @throws IllegalArgumentException if it is no record, or in use
   */
  public static void requireNewRecord(String option, Path file, boolean overwrite)
      throws IOException {
    require(option, file);
    if (file == null || !Files.exists(file)) {
      return;
    }
    boolean holdsRun;
    try (RecordSink record = RecordSink.at(file)) {
      holdsRun = record.before().length() > 0;
    }
    if (holdsRun && !overwrite) {
      throw new BadFileException(
          file, option + " must be new, got the record of a run; name another or add --overwrite");
    }
    Files.delete(file.toRealPath());
  }

  /**
   * Writes text.
   *
   * @param file new or replaced
   * @param text becomes UTF-8
   * @throws BadFileException if it cannot be written
   */
  public static void write(Path file, CharSequence text) throws BadFileException {
    write(file, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes a picture.
   *
   * @param file new or replaced
   * @param picture becomes PNG
   * @throws IOException if it cannot be written
   */
  public static void write(Path file, BufferedImage picture) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    // ImageIO's own cache wants a shutdown hook, which there cannot be when Ctrl-C has come
    try (ImageOutputStream stream = new MemoryCacheImageOutputStream(png)) {
      if (!ImageIO.write(picture, "png", stream)) {
        throw new IOException("no PNG encoder in this Java runtime");
      }
    }
    write(file, png.toByteArray());
  }

  private static void write(Path file, byte[] bytes) throws BadFileException {
    try (OutputStream out = open(file)) {
      out.write(bytes);
    } catch (BadFileException e) {
      throw e;
    } catch (IOException e) {
      throw new BadFileException(
          file, "must be a file that can be written, got " + e.getMessage() + "; make room");
    }
  }

  /**
   * Opens a file to be written piece by piece.
   *
   * @param file new or replaced
   * @return not buffered
   * @throws IOException if it is no regular file or cannot be opened
   */
  static OutputStream open(Path file) throws IOException {
    if (Files.exists(file)) {
      requireRegular("the output", file);
    }
    return Files.newOutputStream(file);
  }
}
