// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * The table of handwritten digits in this program's resources: 64 pixel counts 0 … 16, row by row,
 * and the digit.
 *
 * <p>Source: E. Alpaydin and C. Kaynak, <i>Optical Recognition of Handwritten Digits</i>, UCI
 * Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0.
 */
final class DigitsTable {
  static final int PIXELS = 64;
  private static final String RESOURCE = "optdigits-1797.csv.gz";

  private final int[][] rows;

  private DigitsTable(int[][] rows) {
    this.rows = rows;
  }

  static DigitsTable read() throws IOException {
    try (InputStream resource = DigitsTable.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new FileNotFoundException("resource " + RESOURCE + " is missing from this jar");
      }
      List<String> lines =
          new BufferedReader(
                  new InputStreamReader(new GZIPInputStream(resource), StandardCharsets.US_ASCII))
              .lines()
              .toList();
      return new DigitsTable(lines.stream().map(DigitsTable::parse).toArray(int[][]::new));
    }
  }

  private static int[] parse(String line) {
    String[] fields = line.split(",", -1);
    int[] row = new int[fields.length];
    for (int i = 0; i < row.length; i++) {
      row[i] = Integer.parseInt(fields[i]);
    }
    return row;
  }

  int[] labels() {
    int[] labels = new int[rows.length];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = rows[i][PIXELS];
    }
    return labels;
  }

  float[] image(int index) {
    float[] pixels = new float[PIXELS];
    for (int i = 0; i < PIXELS; i++) {
      pixels[i] = rows[index][i] / 16f;
    }
    return pixels;
  }
}
