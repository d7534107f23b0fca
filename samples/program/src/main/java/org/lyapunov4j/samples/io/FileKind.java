// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What a file is, by its first bytes; a table of text has none, there the name decides. */
enum FileKind {
  NPY("\u0093NUMPY"),
  ZIP("PK\u0003\u0004"),
  GZIP("\u001f\u008b"),
  PICKLE("\u0080"),
  JAVA_SERIALISATION("\u00ac\u00ed"),
  CSV(""),
  OTHER("");

  private static final int LONGEST = 6;

  private final String start;

  FileKind(String start) {
    this.start = start;
  }

  boolean startsWith(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1).startsWith(start);
  }

  /**
   * The kind of a file.
   *
   * @throws BadFileException if it does not exist, or is of a kind that runs code when it is read
   */
  static FileKind of(Path file) throws IOException {
    BoundedInput.requireFile(file);
    byte[] bytes;
    try (InputStream stream = Files.newInputStream(file)) {
      bytes = stream.readNBytes(LONGEST);
    }
    for (FileKind kind : values()) {
      if (!kind.start.isEmpty() && kind.startsWith(bytes)) {
        kind.requireHarmless(file);
        return kind;
      }
    }
    String name = file.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".csv") || name.endsWith(".tsv") ? CSV : OTHER;
  }

  private void requireHarmless(Path file) throws BadFileException {
    if (this == PICKLE) {
      throw new BadFileException(
          file,
          "must hold plain numbers, got what looks like a Python pickle, which is never read because"
              + " reading it runs its code; use numpy.save");
    }
    if (this == JAVA_SERIALISATION) {
      throw new BadFileException(
          file,
          "must hold plain numbers, got serialised Java objects, which are never read because reading"
              + " them runs their code; save arrays with numpy.save or DataSet.save");
    }
  }
}
