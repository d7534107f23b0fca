// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.step.SgdStep;

/**
 * What theory demands of the parts of a report, as far as their enclosures allow. They are computed
 * by different means, so that a wrong one among them shows. Signs that were found by sampling err
 * at their level and are no part of it.
 */
record Consistency(
    int examples,
    int outputs,
    SgdStep step,
    LyapunovExponent exponent,
    LyapunovExponent gdExponent,
    double sharpness,
    Optional<Certificate> certificate,
    Optional<MeanSquareReport> meanSquare,
    Optional<CriticalLearningRate> criticalLearningRate,
    OptionalInt criticalBatchSize,
    Verdict verdict) {
  /** Relative, for bounds that hold up to rounding. */
  private static final double ROUNDING = 1e-9;

  /** Of Λ(2), which is 0 at the edge; nats per step. */
  private static final double ROUNDING_OF_EXPONENT = 1e-10;

  /** Below, a factor is so small that its logarithm is rounding. */
  private static final double DEEPEST_EXPONENT = -1;

  /**
   * Checks everything.
   *
   * @throws IllegalStateException naming what contradicts what
   */
  void require() {
    requireCurvature();
    requireExponent();
    requireCertificate();
    if (meanSquare.isPresent()) {
      requireMeanSquare(meanSquare.get());
      requireCriticalValues(meanSquare.get());
    }
    requireVerdict();
  }

  private void requireCurvature() {
    demand(sharpness >= 0 && sharpness < Double.POSITIVE_INFINITY, "a sharpness of %s", sharpness);
    boolean acts = sharpness > 0 && step.learningRate() > 0;
    demand(
        acts || certificate.isEmpty(),
        "a certificate where nothing acts: sharpness %s, %s",
        sharpness,
        step);
  }

  /** All that is asked of λ itself. */
  private void requireExponent() {
    if (sharpness > 0) {
      demand(
          exponent.high() < Double.POSITIVE_INFINITY
              && gdExponent.high() < Double.POSITIVE_INFINITY,
          "λ = %s beside μ = %s at a positive sharpness",
          exponent,
          gdExponent);
    }
    demand(
        !step.isFullBatch(examples) || exponent.equals(gdExponent),
        "λ = %s is not μ = %s at the full batch",
        exponent,
        gdExponent);
    ExactExponent zero = new ExactExponent(0);
    demand(
        sharpness == 0
            || step.learningRate() > 0
            || (exponent.equals(zero) && gdExponent.equals(zero)),
        "λ = %s and μ = %s at learning rate 0",
        exponent,
        gdExponent);
  }

  /** What is known of λ must allow the sign that is proven, in every form it takes. */
  private void requireCertificate() {
    certificate.ifPresent(
        proof ->
            demand(
                proof.sign() == Sign.NEGATIVE ? exponent.low() <= 0 : exponent.high() >= 0,
                "%s, but λ = %s",
                proof,
                exponent));
  }

  private void requireMeanSquare(MeanSquareReport report) {
    double moment = report.exponent();
    Enclosure index = report.index();
    boolean maybeStable = moment <= ROUNDING_OF_EXPONENT && index.low() <= 1 + ROUNDING;
    boolean maybeUnstable = moment >= -ROUNDING_OF_EXPONENT && index.high() >= 1 - ROUNDING;
    demand(maybeStable || maybeUnstable, "Λ(2) = %s, but the index is %s", moment, index);
    certificate.ifPresent(
        proof ->
            demand(
                proof.sign() == Sign.NEGATIVE
                    ? maybeStable || !proof.meanSquareStable()
                    : maybeUnstable,
                "%s, but Λ(2) = %s with the mean-square index %s",
                proof,
                moment,
                index));
    double value = exponent.low();
    demand(
        !(exponent instanceof ExactExponent)
            || value < DEEPEST_EXPONENT
            || !(moment < 2 * value - 1e-6 * (1 + value * value)),
        "Λ(2) = %s is below 2λ = %s",
        moment,
        2 * value);
  }

  private void requireCriticalValues(MeanSquareReport report) {
    Enclosure index = report.index();
    Enclosure critical = report.criticalLearningRate();
    double rate = step.learningRate();
    demand(
        (index.high() >= 1 - ROUNDING || rate <= critical.high() * (1 + ROUNDING))
            && (index.low() <= 1 + ROUNDING || rate >= critical.low() * (1 - ROUNDING)),
        "the mean-square index is %s at the learning rate %s, but η_ms = %s",
        index,
        rate,
        critical);
    criticalLearningRate.ifPresent(
        edge ->
            demand(
                critical.low() <= edge.high() * (1 + ROUNDING),
                "η_ms = %s is above η_c = %s in [%s, %s]",
                critical,
                edge.value(),
                edge.low(),
                edge.high()));
    if (criticalBatchSize.isPresent() && report.criticalBatchSize().isPresent()) {
      demand(
          criticalBatchSize.getAsInt() <= report.criticalBatchSize().getAsInt(),
          "the smallest stable batch size %s is above the mean-square one %s",
          criticalBatchSize.getAsInt(),
          report.criticalBatchSize().getAsInt());
    }
  }

  private void requireVerdict() {
    Verdict.Kind expected =
        VerdictRule.of(sharpness, step, exponent, certificate, criticalLearningRate, meanSquare)
            .kind();
    demand(
        verdict.kind() == expected, "the verdict %s, but what is known says %s", verdict, expected);
  }

  private void demand(boolean rule, String contradiction, Object... values) {
    if (!rule) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "a stability report must not contradict itself, got %s (%d examples × %d outputs, %s);"
                  + " this is a bug of lyapunov4j or of the linear algebra below it: please report it"
                  + " with this line, the versions of lyapunov4j and OpenBLAS, the processor, and the"
                  + " Gram matrix or the model with its probe",
              String.format(Locale.ROOT, contradiction, values),
              examples,
              outputs,
              step));
    }
  }
}
