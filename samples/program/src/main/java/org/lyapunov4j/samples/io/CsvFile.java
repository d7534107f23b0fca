// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * A table of numbers as text: UTF-8, one row a line, fields separated by commas, or by tabs in a
 * file {@code *.tsv}. Lines that start with {@code #} are comments, a first line without any number
 * is a header. Missing values, NaN and infinities are refused.
 */
final class CsvFile {
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d++(\\.\\d*+)?|\\.\\d++)([eE][+-]?\\d++)?");
  private static final int MOST_ENTRIES = 1 << 30;

  private final Path file;
  private double[] entries = new double[16];
  private int filled;
  private int rows;
  private int columns;

  private CsvFile(Path file) {
    this.file = file;
  }

  static NumericArray read(Path file) throws IOException {
    CsvFile table = new CsvFile(file);
    BoundedLines reader = new BoundedLines(file, Files.newBufferedReader(file));
    try (reader;
        CSVParser records = CSVParser.builder().setReader(reader).setFormat(format(file)).get()) {
      for (CSVRecord row : records) {
        reader.startLine();
        if (row.getRecordNumber() > 1 || !isHeader(row)) {
          table.add(row);
        }
      }
    } catch (IOException | UncheckedIOException | IllegalStateException e) {
      Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
      if (cause instanceof BadFileException bad) {
        throw bad;
      }
      if (cause instanceof CharacterCodingException) {
        throw new BadFileException(
            file, "must be text in UTF-8, got bytes that are not; save it again as UTF-8");
      }
      throw new BadFileException(
          file,
          "must be a table of numbers in UTF-8, got broken text ("
              + NpyHeader.printable(String.valueOf(e.getMessage()))
              + "); save it again");
    }
    return table.array();
  }

  /**
   * Refuses a line, with the line ends that are quoted, that is longer than any that is meant: the
   * parser keeps all of its fields.
   */
  private static final class BoundedLines extends FilterReader {
    private static final int LONGEST = 1 << 22;

    private final Path file;
    private int length;

    BoundedLines(Path file, Reader reader) {
      super(reader);
      this.file = file;
    }

    void startLine() {
      length = 0;
    }

    @Override
    public int read(char[] buffer, int offset, int most) throws IOException {
      int read = super.read(buffer, offset, most);
      count(read);
      return read;
    }

    @Override
    public int read() throws IOException {
      int read = super.read();
      count(1);
      return read;
    }

    private void count(int read) throws BadFileException {
      length += Math.max(0, read);
      if (length > LONGEST) {
        throw new BadFileException(
            file,
            "a line must have at most "
                + LONGEST
                + " characters, got more; check its line ends and quotes, or use numpy.save");
      }
    }
  }

  private static CSVFormat format(Path file) {
    boolean tabs = file.toString().toLowerCase(Locale.ROOT).endsWith(".tsv");
    return CSVFormat.DEFAULT
        .builder()
        .setDelimiter(tabs ? '\t' : ',')
        .setCommentMarker('#')
        .setIgnoreSurroundingSpaces(true)
        .get();
  }

  private static boolean isHeader(CSVRecord row) {
    return row.stream().noneMatch(field -> NUMBER.matcher(field).matches());
  }

  private void add(CSVRecord row) throws BadFileException {
    if (columns == 0) {
      columns = row.size();
    }
    if (row.size() != columns) {
      throw new BadFileException(
          file,
          String.format(
              Locale.ROOT,
              "every row must have %d fields as the first, got %d in row %d; check the delimiter",
              columns,
              row.size(),
              row.getRecordNumber()));
    }
    if (filled > MOST_ENTRIES - columns) {
      throw new BadFileException(
          file, "must have at most " + MOST_ENTRIES + " entries, got more; use numpy.save");
    }
    if (filled + columns > entries.length) {
      long needed = 3L * Double.BYTES * (filled + columns);
      if (needed > Runtime.getRuntime().maxMemory()) {
        throw new BadFileException(
            file, "must fit into the heap, got too many entries; start java with a larger -Xmx");
      }
      entries = Arrays.copyOf(entries, Math.max(filled + columns, filled + filled / 2));
    }
    for (int j = 0; j < columns; j++) {
      entries[filled++] = number(row, j);
    }
    rows++;
  }

  private double number(CSVRecord row, int column) throws BadFileException {
    String field = row.get(column);
    double value = NUMBER.matcher(field).matches() ? Double.parseDouble(field) : Double.NaN;
    if (!Double.isFinite(value)) {
      throw new BadFileException(
          file,
          String.format(
              Locale.ROOT,
              "fields must be finite numbers, got '%s' in row %d, column %d; fill or drop it",
              NpyHeader.printable(field),
              row.getRecordNumber(),
              column + 1));
    }
    return value;
  }

  private NumericArray array() throws BadFileException {
    if (rows == 0) {
      throw new BadFileException(file, "must have at least one row of numbers, got none; check it");
    }
    return new NumericArray(
        new long[] {rows, columns}, false, Arrays.copyOf(entries, filled), null);
  }
}
