// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.util.Locale;
import java.util.Optional;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.stability.StabilityReport;

/**
 * The edge ratio η/η_c with the 95 % interval that η_c has: 1 is the edge of SGD.
 *
 * @param value η/η_c; 0 where no rate that was tried is critical
 * @param low η over the upper end of the interval of η_c; 0 if it has none
 * @param high η over the lower end; +∞ if no rate is known to be stable
 */
public record EdgeRatio(double value, double low, double high) {
  /**
   * The edge ratio of a report.
   *
   * @param report of any tier
   * @return absent if the tier has no critical learning rate
   */
  public static Optional<EdgeRatio> of(StabilityReport report) {
    double rate = report.step().learningRate();
    return report
        .criticalLearningRate()
        .map(
            critical ->
                new EdgeRatio(
                    critical.edgeRatio(rate),
                    critical.edgeRatioLow(rate),
                    critical.edgeRatioHigh(rate)));
  }

  /**
   * The edge ratio of a document.
   *
   * @param document of any tier, of a record of old too, which has no ratio but η_c
   * @return absent if the tier had no critical learning rate
   */
  public static Optional<EdgeRatio> of(CheckpointDocument document) {
    if (!document.has("criticalLearningRate.value")) {
      return Optional.empty();
    }
    double rate = document.number("learningRate");
    return Optional.of(
        rate == 0
            ? new EdgeRatio(0, 0, 0)
            : new EdgeRatio(
                rate / document.number("criticalLearningRate.value"),
                rate / document.number("criticalLearningRate.high"),
                rate / document.number("criticalLearningRate.low")));
  }

  /**
   * The ratio as a number with its interval.
   *
   * @return such as {@code 0.981 [0.970, 0.992]}; without an interval where η_c is exact
   */
  @Override
  public String toString() {
    return low == high
        ? digits(value)
        : digits(value) + " [" + digits(low) + ", " + digits(high) + "]";
  }

  private static String digits(double ratio) {
    return Double.isInfinite(ratio) ? "∞" : String.format(Locale.ROOT, "%.3f", ratio);
  }
}
