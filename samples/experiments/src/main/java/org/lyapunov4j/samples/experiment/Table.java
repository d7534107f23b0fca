// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A table.
 *
 * @param name of its file
 * @param title for people
 * @param header names of the columns
 * @param rows cells, as many as columns
 */
record Table(String name, String title, List<String> header, List<List<String>> rows) {
  Table {
    header = List.copyOf(header);
    rows = List.copyOf(rows);
    for (List<String> row : rows) {
      if (row.size() != header.size()) {
        throw new IllegalArgumentException(
            "a row must have the " + header.size() + " cells of the header, got " + row);
      }
    }
  }

  /** Four significant digits; a dash for what is not a number. */
  static String cell(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%.4g", value);
  }

  /** A mean with the standard error of it. */
  static String cell(Mean mean) {
    return mean.count() < 2
        ? cell(mean.value())
        : String.format(Locale.ROOT, "%.3g ± %.1g", mean.value(), mean.error());
  }

  String markdown() {
    List<String> lines = new ArrayList<>();
    lines.add("| " + String.join(" | ", header) + " |");
    lines.add("|" + "---|".repeat(header.size()));
    for (List<String> row : rows) {
      lines.add("| " + String.join(" | ", row) + " |");
    }
    return String.join("\n", lines);
  }
}
