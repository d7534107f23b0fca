// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.step.SgdStep;

/**
 * How the verdict follows from what is known: where nothing acts there is nothing to say, then
 * certificates, then the interval of η_c, then λ itself, then the second moment.
 */
final class VerdictRule {
  /** An interval of η_c as narrow as this tells where the step is, though not on which side. */
  private static final double AT_EDGE = 0.05;

  private VerdictRule() {}

  /** The sign of λ that is known without measuring λ: from a certificate, or from η_c. */
  static Sign knownSign(
      SgdStep step, Optional<Certificate> certificate, Optional<CriticalLearningRate> critical) {
    if (certificate.isPresent()) {
      return certificate.get().sign();
    }
    if (critical.isEmpty()) {
      return Sign.UNDECIDED;
    }
    if (step.learningRate() < critical.get().low()) {
      return Sign.NEGATIVE;
    }
    return step.learningRate() > critical.get().high() ? Sign.POSITIVE : Sign.UNDECIDED;
  }

  static Verdict of(
      double sharpness,
      SgdStep step,
      LyapunovExponent exponent,
      Optional<Certificate> certificate,
      Optional<CriticalLearningRate> critical,
      Optional<MeanSquareReport> meanSquare) {
    if (sharpness == 0) {
      return nothingActs("no curvature on this probe: G = 0, so there is nothing to contract");
    }
    if (step.learningRate() == 0) {
      return nothingActs("the learning rate is 0: the step is the identity, λ = μ = 0");
    }
    Sign known = knownSign(step, certificate, critical);
    Sign sign = known == Sign.UNDECIDED ? exponent.sign() : known;
    String evidence =
        certificate
            .map(Certificate::toString)
            .or(
                () ->
                    critical
                        .filter(rate -> known != Sign.UNDECIDED)
                        .map(rate -> beside(step, rate)))
            .map(decided -> decided + "; " + numbers(exponent))
            .orElseGet(() -> numbers(exponent));
    return switch (sign) {
      case POSITIVE -> new Verdict(Verdict.Kind.UNSTABLE, evidence, OptionalLong.empty());
      case NEGATIVE -> negative(evidence, meanSquare);
      case UNDECIDED -> undecided(step, exponent, evidence, critical, meanSquare);
    };
  }

  private static Verdict nothingActs(String evidence) {
    return new Verdict(Verdict.Kind.INCONCLUSIVE, evidence, OptionalLong.empty());
  }

  private static String beside(SgdStep step, CriticalLearningRate critical) {
    return String.format(
        Locale.ROOT,
        "learning rate %.4g %s η_c = %.4g in [%.4g, %.4g]",
        step.learningRate(),
        step.learningRate() < critical.low() ? "<" : ">",
        critical.value(),
        critical.low(),
        critical.high());
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

  private static Verdict undecided(
      SgdStep step,
      LyapunovExponent exponent,
      String evidence,
      Optional<CriticalLearningRate> critical,
      Optional<MeanSquareReport> meanSquare) {
    Optional<CriticalLearningRate> edge =
        critical.filter(rate -> rate.high() - rate.low() <= AT_EDGE * rate.value());
    String known = edge.map(rate -> at(step, rate) + "; " + evidence).orElse(evidence);
    return new Verdict(
        edge.isPresent() ? Verdict.Kind.AT_EDGE : Verdict.Kind.INCONCLUSIVE,
        meanSquare.map(report -> known + "; " + meanSquareNumbers(report)).orElse(known),
        stepsToDecide(exponent));
  }

  private static String at(SgdStep step, CriticalLearningRate critical) {
    return String.format(
        Locale.ROOT,
        "learning rate %.4g is η_c = %.4g to within [%.4g, %.4g]",
        step.learningRate(),
        critical.value(),
        critical.low(),
        critical.high());
  }

  private static OptionalLong stepsToDecide(LyapunovExponent exponent) {
    if (!(exponent instanceof LyapunovEstimate estimate)) {
      return OptionalLong.empty();
    }
    double steps = estimate.stepsToDecide();
    return steps < Long.MAX_VALUE ? OptionalLong.of((long) Math.ceil(steps)) : OptionalLong.empty();
  }

  private static String numbers(LyapunovExponent exponent) {
    String why = exponent instanceof ExponentBound bound ? " (" + bound.reason() + ")" : "";
    return "λ " + (exponent.point().isPresent() ? "= " : "is ") + exponent + " nats/step" + why;
  }

  private static String meanSquareNumbers(MeanSquareReport report) {
    return String.format(
        Locale.ROOT,
        "Λ(2) = %.4g nats/step, mean-square index %.4g",
        report.exponent(),
        report.index().value());
  }
}
