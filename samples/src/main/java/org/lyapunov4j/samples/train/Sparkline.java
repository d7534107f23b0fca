// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.util.List;

/** Numbers as a row of block characters. */
final class Sparkline {
  private static final String BLOCKS = "▁▂▃▄▅▆▇█";

  private Sparkline() {}

  /**
   * The last {@code width} values on a scale from 0 to {@code top}; an undefined value is a space.
   */
  static String of(List<Double> values, double top, int width) {
    StringBuilder line = new StringBuilder();
    for (double value : values.subList(Math.max(0, values.size() - width), values.size())) {
      int level = (int) Math.floor(value / top * BLOCKS.length());
      line.append(
          Double.isNaN(value)
              ? ' '
              : BLOCKS.charAt(Math.max(0, Math.min(BLOCKS.length() - 1, level))));
    }
    return line.toString();
  }
}
