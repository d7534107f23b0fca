// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What runs that differ in their seeds have in common.
 *
 * @param rate η
 * @param batchSize B
 */
record RateAndBatch(double rate, int batchSize) {
  static final Comparator<RateAndBatch> ORDER =
      Comparator.comparingDouble(RateAndBatch::rate).thenComparingInt(RateAndBatch::batchSize);

  static RateAndBatch of(RunResult run) {
    return new RateAndBatch(
        Double.parseDouble(run.setting("learning rate")),
        Integer.parseInt(run.setting("batch size")));
  }

  /** The name of the run with a seed. */
  String id(long seed) {
    return String.format(Locale.ROOT, "B%d-eta%s-seed%d", batchSize, rate, seed);
  }

  /** The settings of the run with a seed, to be added to. */
  Map<String, String> settings(long seed) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("learning rate", String.valueOf(rate));
    settings.put("batch size", String.valueOf(batchSize));
    settings.put("seed", String.valueOf(seed));
    return settings;
  }
}
