// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.run;

import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.stability.StabilityReport;

/**
 * The stability of one Gram matrix under one step, as JSON. Fields that were not computed are
 * absent.
 *
 * @param examples N
 * @param outputs K
 * @param batchSize B
 * @param learningRate η
 * @param sampling short name of the scheme
 * @param exponent λ, nats per step
 * @param gdExponent μ, nats per step
 * @param sharpness largest eigenvalue of G/N
 * @param classicEdgeRatio η·sharpness/2
 * @param verdict STABLE, MEAN_SQUARE_UNSTABLE, UNSTABLE or INCONCLUSIVE
 * @param evidence what decided it
 */
public record StabilityRecord(
    int examples,
    int outputs,
    int batchSize,
    double learningRate,
    String sampling,
    Exponent exponent,
    double gdExponent,
    double sharpness,
    double classicEdgeRatio,
    String verdict,
    String evidence) {

  /**
   * An estimate of λ with its uncertainty.
   *
   * @param value estimate; −∞ if the product is 0
   * @param standardError of the value
   * @param low lower end of the interval
   * @param high upper end of the interval
   * @param steps random steps it took
   */
  public record Exponent(double value, double standardError, double low, double high, long steps) {
    static Exponent of(LyapunovEstimate estimate) {
      return new Exponent(
          estimate.value(),
          estimate.standardError(),
          estimate.low(),
          estimate.high(),
          estimate.steps());
    }
  }

  /**
   * The record of a report.
   *
   * @param report what was computed
   * @return the same numbers
   */
  public static StabilityRecord of(StabilityReport report) {
    return new StabilityRecord(
        report.examples(),
        report.outputs(),
        report.step().batchSize(),
        report.step().learningRate(),
        report.step().sampling().id(),
        Exponent.of(report.exponent()),
        report.gdExponent(),
        report.sharpness(),
        report.classicEdgeRatio(),
        report.verdict().kind().name(),
        report.verdict().evidence());
  }
}
