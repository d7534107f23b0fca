// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.StopReason;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.SgdStep;

/** Checkpoints with given numbers. */
final class Checkpoints {
  static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

  private Checkpoints() {}

  static Checkpoint of(String run, int iteration, double exponent, double sharpness) {
    return of(run, iteration, exponent, sharpness, 1.0 / (1 + iteration));
  }

  /** λ between 0 and a bound below it, μ as well. */
  static Checkpoint bounded(String run, int iteration, double low, double sharpness) {
    ExponentBound bound = new ExponentBound(low, 0, Sign.NEGATIVE, "lost in rounding");
    return of(run, iteration, bound, bound, sharpness, 1, Verdict.Kind.STABLE);
  }

  static Checkpoint of(String run, int iteration, double exponent, double sharpness, double loss) {
    Verdict.Kind kind = exponent > 0 ? Verdict.Kind.UNSTABLE : Verdict.Kind.STABLE;
    return of(
        run,
        iteration,
        exponent == Double.NEGATIVE_INFINITY ? new ExactExponent(exponent) : estimate(exponent),
        new ExactExponent(exponent / 2),
        sharpness,
        loss,
        kind);
  }

  private static Checkpoint of(
      String run,
      int iteration,
      LyapunovExponent exponent,
      LyapunovExponent gdExponent,
      double sharpness,
      double loss,
      Verdict.Kind kind) {
    SgdStep step = SgdStep.of(0.5, 4);
    StabilityReport report =
        new StabilityReport(
            16,
            2,
            step,
            exponent,
            gdExponent,
            sharpness,
            FullBatchExponent.edgeRatio(sharpness, step),
            Optional.empty(),
            Optional.empty(),
            Optional.of(critical(kind)),
            OptionalInt.of(8),
            Optional.empty(),
            Optional.empty(),
            new Verdict(kind, "λ = " + exponent, OptionalLong.empty()),
            List.of());
    return new Checkpoint(
        run,
        iteration,
        iteration / 10,
        START.plusSeconds(iteration),
        loss,
        loss,
        Tier.STANDARD,
        new TrainingStep(step, List.of("the iterator was not asked")),
        List.of("dropout was off"),
        report,
        iteration > 0 && report.edgeRatio().orElse(1) < 1
            ? Optional.of(new EdgeForecast(iteration + 20, iteration + 12, iteration + 31))
            : Optional.empty(),
        List.of(),
        Optional.of(new BatchSharpness(Estimate.exact(sharpness), Estimate.exact(sharpness), 1)),
        Optional.empty(),
        Optional.empty(),
        8 * 32 * 32,
        Duration.ofMillis(20),
        Duration.ofMillis(30));
  }

  /** That goes with η = 0.5. */
  private static CriticalLearningRate critical(Verdict.Kind kind) {
    return kind == Verdict.Kind.STABLE
        ? new CriticalLearningRate(0.8, 0.7, 0.9, false, List.of())
        : new CriticalLearningRate(0.4, 0.35, 0.45, false, List.of());
  }

  private static LyapunovEstimate estimate(double value) {
    double error = Math.abs(value) / 10;
    return new LyapunovEstimate(
        value,
        error,
        value - 2 * error,
        value + 2 * error,
        value > 0 ? Sign.POSITIVE : Sign.NEGATIVE,
        value > 0 ? LyapunovEstimate.Branch.UNSTABLE : LyapunovEstimate.Branch.SLOW,
        1000,
        2,
        0.01,
        StopReason.PRECISION_REACHED,
        List.of());
  }
}
