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
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.StopReason;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.CriticalLearningRate;
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

  static Checkpoint of(String run, int iteration, double exponent, double sharpness, double loss) {
    SgdStep step = SgdStep.of(0.5, 4);
    Verdict.Kind kind = exponent > 0 ? Verdict.Kind.UNSTABLE : Verdict.Kind.STABLE;
    StabilityReport report =
        new StabilityReport(
            16,
            2,
            step,
            estimate(exponent),
            exponent / 2,
            sharpness,
            true,
            Optional.empty(),
            Optional.empty(),
            Optional.of(new CriticalLearningRate(0.4, 0.35, 0.45, false, List.of())),
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
        List.of(),
        new BatchSharpness(Estimate.exact(sharpness), Estimate.exact(sharpness), 1),
        Optional.empty(),
        8 * 32 * 32,
        Duration.ofMillis(20),
        Duration.ofMillis(30));
  }

  private static LyapunovEstimate estimate(double value) {
    double error = Math.abs(value) / 10;
    return new LyapunovEstimate(
        value,
        error,
        value - 2 * error,
        value + 2 * error,
        1000,
        10,
        4,
        1,
        value,
        1,
        value > 0 ? Sign.POSITIVE : Sign.NEGATIVE,
        0.01,
        StopReason.SIGN_DECIDED,
        List.of(),
        Optional.empty());
  }
}
