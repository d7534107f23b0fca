// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
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
    try (Reader reader = Files.newBufferedReader(file);
        CSVParser records = CSVParser.builder().setReader(reader).setFormat(format(file)).get()) {
      for (CSVRecord row : records) {
        if (row.getRecordNumber() > 1 || !isHeader(row)) {
          table.add(row);
        }
      }
    } catch (UncheckedIOException | IllegalStateException e) {
      throw new BadFileException(
          file,
          "must be a table of numbers in UTF-8, got broken text ("
              + NpyHeader.printable(String.valueOf(e.getMessage()))
              + "); save it again");
    }
    return table.array();
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
