// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.step.SgdStep;

/**
 * How the verdict follows from what is known: where nothing acts there is nothing to say, then
 * certificates, then the sign test, then the second moment.
 */
final class VerdictRule {
  private VerdictRule() {}

  static Verdict of(
      double sharpness,
      SgdStep step,
      LyapunovEstimate exponent,
      Optional<Certificate> certificate,
      Optional<MeanSquareReport> meanSquare) {
    if (sharpness == 0) {
      return nothingActs("no curvature on this probe: G = 0, so there is nothing to contract");
    }
    if (step.learningRate() == 0) {
      return nothingActs("the learning rate is 0: the step is the identity, λ = μ = 0");
    }
    Sign sign = certificate.map(Certificate::sign).orElse(exponent.sign());
    String evidence = certificate.map(Certificate::toString).orElseGet(() -> numbers(exponent));
    return switch (sign) {
      case POSITIVE -> new Verdict(Verdict.Kind.UNSTABLE, evidence, OptionalLong.empty());
      case NEGATIVE -> negative(evidence, meanSquare);
      case UNDECIDED -> inconclusive(exponent, evidence, meanSquare);
    };
  }

  private static Verdict nothingActs(String evidence) {
    return new Verdict(Verdict.Kind.INCONCLUSIVE, evidence, OptionalLong.empty());
  }

  private static Verdict negative(String evidence, Optional<MeanSquareReport> meanSquare) {
    if (meanSquare.isPresent() && meanSquare.get().isUnstable()) {
      return new Verdict(
          Verdict.Kind.MEAN_SQUARE_UNSTABLE,
          evidence + "; " + meanSquareNumbers(meanSquare.get()),
          OptionalLong.empty());
    }
    return new Verdict(Verdict.Kind.STABLE, evidence, OptionalLong.empty());
  }

  private static Verdict inconclusive(
      LyapunovEstimate exponent, String evidence, Optional<MeanSquareReport> meanSquare) {
    double steps = exponent.stepsToDecide();
    return new Verdict(
        Verdict.Kind.INCONCLUSIVE,
        meanSquare.map(report -> evidence + "; " + meanSquareNumbers(report)).orElse(evidence),
        steps < Long.MAX_VALUE ? OptionalLong.of((long) Math.ceil(steps)) : OptionalLong.empty());
  }

  private static String numbers(LyapunovEstimate exponent) {
    return String.format(
        Locale.ROOT,
        "λ = %.4g ± %.2g nats/step (%s)",
        exponent.value(),
        exponent.standardError(),
        exponent.stopReason());
  }

  private static String meanSquareNumbers(MeanSquareReport report) {
    return String.format(
        Locale.ROOT,
        "Λ(2) = %.4g nats/step, mean-square index %.4g",
        report.exponent(),
        report.index().value());
  }
}
