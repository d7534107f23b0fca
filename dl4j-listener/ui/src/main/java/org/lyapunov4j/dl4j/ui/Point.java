// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.StabilityReport;

/** A checkpoint as the page draws it; its fields are those of the JSON, null where not computed. */
record Point(
    String run,
    int iteration,
    int epoch,
    Instant time,
    double loss,
    String step,
    double learningRate,
    int batchSize,
    int examples,
    int outputs,
    Double exponent,
    Double exponentError,
    double exponentLow,
    double exponentHigh,
    String exponentText,
    Double gdExponent,
    double gdExponentLow,
    double gdExponentHigh,
    String gdExponentText,
    double sharpness,
    double sharpnessLimit,
    double classicEdgeRatio,
    String classicGauge,
    Double edgeRatio,
    Double edgeRatioLow,
    Double edgeRatioHigh,
    String edgeForecast,
    Double criticalLearningRate,
    Double criticalLearningRateLow,
    Double criticalLearningRateHigh,
    Double meanSquareIndex,
    String verdict,
    String evidence,
    String advice,
    List<String> assumptions,
    long millis) {

  static Point of(Checkpoint checkpoint) {
    StabilityReport report = checkpoint.stability();
    double learningRate = report.step().learningRate();
    return new Point(
        checkpoint.run(),
        checkpoint.iteration(),
        checkpoint.epoch(),
        checkpoint.time(),
        checkpoint.loss(),
        checkpoint.step().toString(),
        learningRate,
        report.step().batchSize(),
        report.examples(),
        report.outputs(),
        orNull(report.exponent().point()),
        orNull(report.exponent().error()),
        report.exponent().low(),
        report.exponent().high(),
        report.exponent().toString(),
        orNull(report.gdExponent().point()),
        report.gdExponent().low(),
        report.gdExponent().high(),
        report.gdExponent().toString(),
        report.sharpness(),
        FullBatchExponent.criticalCurvature(report.step()),
        report.classicEdgeRatio(),
        checkpoint.classicGauge(),
        orNull(report.edgeRatio()),
        report.criticalLearningRate().map(rate -> rate.edgeRatioLow(learningRate)).orElse(null),
        report.criticalLearningRate().map(rate -> rate.edgeRatioHigh(learningRate)).orElse(null),
        checkpoint.forecast().map(EdgeForecast::toString).orElse(null),
        report.criticalLearningRate().map(CriticalLearningRate::value).orElse(null),
        report.criticalLearningRate().map(CriticalLearningRate::low).orElse(null),
        report.criticalLearningRate().map(CriticalLearningRate::high).orElse(null),
        report.meanSquare().map(meanSquare -> meanSquare.index().high()).orElse(null),
        report.verdict().kind().name(),
        report.verdict().evidence(),
        report.advice().orElse(null),
        checkpoint.assumptions(),
        checkpoint.computeTime().toMillis());
  }

  private static Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
