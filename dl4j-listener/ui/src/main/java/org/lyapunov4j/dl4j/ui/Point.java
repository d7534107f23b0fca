// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.SgdStep;

/** A checkpoint as the page draws it; its fields are those of the JSON, null where not computed. */
record Point(
    String run,
    int iteration,
    int epoch,
    Instant time,
    double loss,
    String step,
    String level,
    String levelText,
    Double learningRate,
    int batchSize,
    int examples,
    int outputs,
    Double exponent,
    Double exponentError,
    Double exponentLow,
    Double exponentHigh,
    String exponentText,
    Double gdExponent,
    Double gdExponentLow,
    Double gdExponentHigh,
    String gdExponentText,
    Double sharpness,
    Double sharpnessLimit,
    Double classicEdgeRatio,
    String classicGauge,
    Double edgeRatio,
    Double edgeRatioLow,
    Double edgeRatioHigh,
    Double meanSquareEdgeRatio,
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
    Findings findings = checkpoint.findings();
    SgdStep step = checkpoint.step().sgd();
    Optional<StabilityReport> report =
        findings instanceof StabilityReport full ? Optional.of(full) : Optional.empty();
    Optional<LyapunovExponent> exponent = report.map(StabilityReport::exponent);
    Optional<LyapunovExponent> gdExponent = report.map(StabilityReport::gdExponent);
    boolean hasEdge = !(findings instanceof ObservedReport);
    Optional<CriticalLearningRate> critical = findings.criticalLearningRate();
    double learningRate = step.learningRate();
    return new Point(
        checkpoint.run(),
        checkpoint.iteration(),
        checkpoint.epoch(),
        checkpoint.time(),
        checkpoint.loss(),
        checkpoint.step().toString(),
        checkpoint.level().kind().name(),
        checkpoint.level().toString(),
        hasEdge || learningRate > 0 ? learningRate : null,
        step.batchSize(),
        findings.examples(),
        findings.outputs(),
        exponent.map(found -> orNull(found.point())).orElse(null),
        exponent.map(found -> orNull(found.error())).orElse(null),
        exponent.map(LyapunovExponent::low).orElse(null),
        exponent.map(LyapunovExponent::high).orElse(null),
        exponent.map(LyapunovExponent::toString).orElse(null),
        gdExponent.map(found -> orNull(found.point())).orElse(null),
        gdExponent.map(LyapunovExponent::low).orElse(null),
        gdExponent.map(LyapunovExponent::high).orElse(null),
        gdExponent.map(LyapunovExponent::toString).orElse(null),
        orNull(findings.measuredSharpness()),
        hasEdge ? FullBatchExponent.criticalCurvature(step) : null,
        classicEdgeRatio(findings),
        hasEdge ? checkpoint.classicGauge() : null,
        critical.map(rate -> rate.edgeRatio(learningRate)).orElse(null),
        critical.map(rate -> rate.edgeRatioLow(learningRate)).orElse(null),
        critical.map(rate -> rate.edgeRatioHigh(learningRate)).orElse(null),
        report.map(found -> orNull(found.meanSquareEdgeRatio())).orElse(null),
        checkpoint.forecast().map(EdgeForecast::toString).orElse(null),
        critical.map(CriticalLearningRate::value).orElse(null),
        critical.map(CriticalLearningRate::low).orElse(null),
        critical.map(CriticalLearningRate::high).orElse(null),
        report
            .flatMap(StabilityReport::meanSquare)
            .map(meanSquare -> meanSquare.index().high())
            .orElse(null),
        checkpoint.verdict().map(verdict -> verdict.kind().name()).orElse(null),
        checkpoint.verdict().map(Verdict::evidence).orElse(checkpoint.level().toString()),
        report.flatMap(StabilityReport::advice).orElse(null),
        checkpoint.assumptions(),
        checkpoint.computeTime().toMillis());
  }

  private static Double classicEdgeRatio(Findings findings) {
    if (findings instanceof EdgeReport gauge) {
      return gauge.classicEdgeRatio();
    }
    return findings instanceof StabilityReport report ? report.classicEdgeRatio() : null;
  }

  private static Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
