// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Arrays;

/**
 * Notices jumps of the mini-batch loss, by median and quartiles of the latest losses, which a few
 * outliers do not move. A loss that is not finite is no spike: there is nothing left to analyse.
 * Observing allocates nothing. Not thread-safe.
 */
final class LossSpikes {
  static final int WINDOW = 64;
  private static final double DEVIATIONS = 6;
  private static final double NORMAL_INTERQUARTILE_RANGE = 1.349;
  private static final double LEAST_RELATIVE_JUMP = 0.1;

  private final double[] ring = new double[WINDOW];
  private final double[] sorted = new double[WINDOW];
  private long seen;
  private long quietUntil;

  /** Takes a loss in and tells whether it is a spike. */
  boolean observe(double loss) {
    if (!Double.isFinite(loss)) {
      return false;
    }
    boolean spike = seen >= WINDOW && seen >= quietUntil && loss > threshold();
    if (spike) {
      quietUntil = seen + WINDOW;
    }
    replaceOldest(loss);
    return spike;
  }

  private double threshold() {
    double median = (sorted[WINDOW / 2 - 1] + sorted[WINDOW / 2]) / 2;
    double deviation =
        (sorted[3 * WINDOW / 4] - sorted[WINDOW / 4 - 1]) / NORMAL_INTERQUARTILE_RANGE;
    return median + Math.max(DEVIATIONS * deviation, LEAST_RELATIVE_JUMP * Math.abs(median));
  }

  private void replaceOldest(double loss) {
    int size = (int) Math.min(seen, WINDOW);
    int slot = (int) (seen % WINDOW);
    if (size == WINDOW) {
      int oldest = Arrays.binarySearch(sorted, ring[slot]);
      System.arraycopy(sorted, oldest + 1, sorted, oldest, WINDOW - 1 - oldest);
      size--;
    }
    int place = Arrays.binarySearch(sorted, 0, size, loss);
    place = place < 0 ? -place - 1 : place;
    System.arraycopy(sorted, place, sorted, place + 1, size - place);
    sorted[place] = loss;
    ring[slot] = loss;
    seen++;
  }
}
