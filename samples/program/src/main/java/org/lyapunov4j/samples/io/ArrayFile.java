// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Arrays of numbers from the files that a user names: {@code FILE.npy}, {@code FILE.npz} with one
 * array in it, {@code FILE.npz:NAME}, {@code FILE.csv} or {@code FILE.tsv}; a {@code .npy} may be
 * compressed by gzip. What a file is, is told by its first bytes; only tables of text go by the
 * name. Pickles and serialised Java objects are refused.
 */
public final class ArrayFile {
  /** What a place looks like, for the help of a command. */
  public static final String SYNTAX = "FILE.npy, FILE.npz[:NAME] or FILE.csv";

  private static final String ENTRY_MARK = ".npz:";

  private final Path file;
  private final String entry;

  private ArrayFile(Path file, String entry) {
    this.file = file;
    this.entry = entry;
  }

  /**
   * Reads an array of two to five dimensions; one of a single dimension becomes a column.
   *
   * @param place as in {@link #SYNTAX}
   * @return the array in the precision and order of the file; entries are not checked for NaN
   * @throws IOException if the file is missing, damaged, too short or too long, or holds something
   *     else
   */
  public static NumericArray read(String place) throws IOException {
    ArrayFile array = parse(place);
    return switch (FileKind.of(array.file)) {
      case NPY, GZIP -> array.readFile(NpyFile::readArray);
      case ZIP -> NpzFile.read(array.file, array.entry, NpyFile::readArray);
      case CSV -> CsvFile.read(array.file);
      default -> throw array.unknown();
    };
  }

  /**
   * Reads a matrix.
   *
   * @param place as in {@link #SYNTAX}
   * @return the matrix in the precision of the file; entries are not checked for NaN
   * @throws IOException if the file is missing, damaged, too short or too long, or holds something
   *     else
   */
  public static NumericMatrix readMatrix(String place) throws IOException {
    ArrayFile array = parse(place);
    return switch (FileKind.of(array.file)) {
      case NPY, GZIP -> array.readFile(NpyFile::readMatrix);
      case ZIP -> NpzFile.read(array.file, array.entry, NpyFile::readMatrix);
      case CSV -> CsvFile.read(array.file).matrix();
      default -> throw array.unknown();
    };
  }

  private static ArrayFile parse(String place) {
    int mark = place.lastIndexOf(ENTRY_MARK);
    return mark < 0
        ? new ArrayFile(Path.of(place), null)
        : new ArrayFile(
            Path.of(place.substring(0, mark + ENTRY_MARK.length() - 1)),
            place.substring(mark + ENTRY_MARK.length()));
  }

  private <T> T readFile(NpzFile.EntryParser<T> parser) throws IOException {
    try (BoundedInput input = BoundedInput.open(file)) {
      return parser.parse(input);
    }
  }

  private BadFileException unknown() {
    return new BadFileException(
        file, "must be " + SYNTAX + ", got another kind of file; write it with numpy.save");
  }
}
