// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Arrays in NumPy's {@code .npz} format, a zip archive of {@code .npy} files with or without
 * compression.
 */
final class NpzFile {
  private static final String SUFFIX = ".npy";
  private static final int NAMES_SHOWN = 20;

  private NpzFile() {}

  interface EntryParser<T> {
    T parse(BoundedInput input) throws IOException;
  }

  /**
   * Reads one array.
   *
   * @param name of the array, or null for the only one
   */
  static <T> T read(Path file, String name, EntryParser<T> parser) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      try (BoundedInput input = BoundedInput.open(file, zip, find(file, zip, name))) {
        return parser.parse(input);
      }
    } catch (ZipException | EOFException | IllegalArgumentException e) { // names that are no text
      throw new BadFileException(
          file,
          "broken zip archive ("
              + NpyHeader.printable(String.valueOf(e.getMessage()))
              + "); save it again");
    }
  }

  private static ZipEntry find(Path file, ZipFile zip, String name) throws BadFileException {
    if (name != null) {
      ZipEntry entry = zip.getEntry(name + SUFFIX);
      if (entry == null) {
        throw new BadFileException(
            file, "must hold an array '" + name + "', got " + names(zip) + "; check the name");
      }
      return entry;
    }
    List<? extends ZipEntry> arrays =
        zip.stream().filter(entry -> entry.getName().endsWith(SUFFIX)).limit(2).toList();
    if (arrays.size() == 1) {
      return arrays.get(0);
    }
    throw new BadFileException(
        file,
        arrays.isEmpty()
            ? "must hold NumPy arrays, got a zip archive without (PyTorch's files and saved models are"
                + " such); use numpy.savez"
            : "must hold one array, got " + names(zip) + "; add the name, as in FILE.npz:NAME");
  }

  private static List<String> names(ZipFile zip) {
    return zip.stream()
        .map(ZipEntry::getName)
        .filter(name -> name.endsWith(SUFFIX))
        .limit(NAMES_SHOWN)
        .map(name -> NpyHeader.printable(name.substring(0, name.length() - SUFFIX.length())))
        .toList();
  }
}
