// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

/** A ratio as a bar of one line, with a mark at 1. */
final class Gauge {
  private static final String PARTS = " ▏▎▍▌▋▊▉█";
  private static final int EIGHTHS = 8;
  private static final int CELLS_BELOW_EDGE = 16;
  private static final int CELLS_ABOVE_EDGE = 4;

  private Gauge() {}

  /** The bar; from a quarter above the edge on it is full. */
  static String of(double ratio) {
    int most = (CELLS_BELOW_EDGE + CELLS_ABOVE_EDGE) * EIGHTHS;
    long filled = Math.max(0, Math.min(most, Math.round(ratio * CELLS_BELOW_EDGE * EIGHTHS)));
    StringBuilder bar = new StringBuilder("[");
    for (int cell = 0; cell < CELLS_BELOW_EDGE + CELLS_ABOVE_EDGE; cell++) {
      if (cell == CELLS_BELOW_EDGE) {
        bar.append('|');
      }
      long part = Math.max(0, Math.min(EIGHTHS, filled - (long) cell * EIGHTHS));
      bar.append(PARTS.charAt((int) part));
    }
    return bar.append(']').toString();
  }
}
