// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.step.Level;

/**
 * What it costs that the Gram matrix is of the network in inference mode: without noise, with the
 * running statistics of batch normalisation, through which nothing is differentiated. All factors
 * are those of critical learning rates of small networks, full-batch and not, against products of
 * Deeplearning4j's own training mode.
 */
final class InferenceMode {
  /** Without the noise of half the units η_c was up to 3.7 times too large. */
  private static final double NOISE = 4;

  /** Values behind a statistic from which on η_c was 0.48 to 1.11 times that of training. */
  private static final int MANY = 32;

  private static final double SETTLED = 3;

  /**
   * From here on 0.2 to 1.1 times; in a copy in another language up to 2, with 4 values up to 13.
   */
  private static final int FEW = 8;

  private static final double UNSETTLED = 6;

  private InferenceMode() {}

  /**
   * The level that is left of a step with mini-batches of a size.
   *
   * @param noise what was taken out, as {@link NtkGram#simplifications()}
   * @param statistics as {@link NtkGram#statisticsPerExample()}
   */
  static Level level(List<String> noise, OptionalLong statistics, int batchSize) {
    return noise(noise).and(statistics(statistics, batchSize));
  }

  private static Level noise(List<String> noise) {
    return noise.isEmpty()
        ? Level.exact()
        : new Level.Approximate(
            String.join(", ", noise),
            "with a tenth of units or weights dropped η_c was 0.8 to 1.3 times that of training,"
                + " with half of them 0.4 to 3.7 times",
            NOISE);
  }

  private static Level statistics(OptionalLong perExample, int batchSize) {
    if (perExample.isEmpty()) {
      return Level.exact();
    }
    long values = batchSize * perExample.getAsLong();
    if (values < FEW) {
      return new Level.Observed(
          String.format(
              Locale.ROOT,
              "batch normalisation with fewer than 8 values behind a statistic, here %d, is far from"
                  + " what it is with running statistics",
              values),
          "use mini-batches that give it " + MANY);
    }
    String approximation = "batch normalisation uses its running statistics, which stand still";
    return values >= MANY
        ? new Level.Approximate(
            approximation,
            "with 32 values or more behind a statistic η_c was 0.5 to 1.1 times that of training",
            SETTLED)
        : new Level.Approximate(
            approximation,
            String.format(
                Locale.ROOT,
                "with 8 to 31 values behind a statistic, here %d, η_c was 0.2 to 1.1 times that of"
                    + " training",
                values),
            UNSETTLED);
  }
}
