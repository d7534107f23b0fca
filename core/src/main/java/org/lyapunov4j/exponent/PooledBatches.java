// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.hipparchus.stat.descriptive.StreamingStatistics;

/**
 * The mean of a stationary sequence with a standard error from batch means: each of several
 * independent sequences is cut into {@value #COUNT} batches of equal length. Batches shorter than
 * the correlation time give too small an error, which shows as a larger one when neighbours are
 * merged; the larger of the two is taken.
 */
final class PooledBatches {
  /** Batches of one sequence. */
  static final int COUNT = 16;

  private PooledBatches() {}

  /** The number rounded down to a multiple of {@link #COUNT}. */
  static int multiple(int epochs) {
    return epochs - epochs % COUNT;
  }

  /**
   * The estimate.
   *
   * @param sequences the {@value #COUNT} batch means of each sequence
   */
  static Estimate estimate(double[][] sequences) {
    double mean = Arrays.stream(sequences).flatMapToDouble(Arrays::stream).average().orElseThrow();
    if (Double.isInfinite(mean)) {
      return Estimate.exact(mean);
    }
    return new Estimate(mean, Math.max(standardError(sequences, 1), standardError(sequences, 2)));
  }

  private static double standardError(double[][] sequences, int merged) {
    StreamingStatistics statistics = new StreamingStatistics();
    for (double[] sequence : sequences) {
      for (int from = 0; from < sequence.length; from += merged) {
        double sum = 0;
        for (int k = from; k < from + merged; k++) {
          sum += sequence[k];
        }
        statistics.addValue(sum / merged);
      }
    }
    return Math.sqrt(statistics.getVariance() / ((double) statistics.getN()));
  }
}
