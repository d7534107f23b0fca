// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.gram.GramDiagnosis;
import org.lyapunov4j.step.SgdStep;

/**
 * Everything measured about one Gram matrix under one step. What the {@link Tier} does not include,
 * what has no closed form for the step, or what is too large, is absent.
 *
 * @param examples N
 * @param outputs K
 * @param step the step
 * @param exponent λ, nats per step
 * @param gdExponent μ, the exponent of the same step on the full batch, nats per step
 * @param sharpness κ_max/N
 * @param spectrumComplete whether all eigenvalues were computed; if not, the Gram matrix was too
 *     large or, as {@code remarks} says, no routine found them right, and {@code gdExponent} is
 *     that of the sharpest direction alone: its sign is right, its size below zero is not
 * @param certificate a rigorous bound that decides the sign of λ, if one does
 * @param meanSquare mean-square stability, for i.i.d. batches without momentum
 * @param criticalLearningRate η_c at this batch size
 * @param criticalBatchSize the smallest stable batch size at this learning rate; absent also if
 *     there is none
 * @param sumOfExponents E log|det| of a step, nats per step
 * @param diagnosis rank, condition and how far G is from the hypotheses of the theory
 * @param verdict the verdict with its evidence
 * @param remarks what the reader must know of how this was computed, a sentence each: results of
 *     native code that were wrong, what took their place and what is absent for it
 */
public record StabilityReport(
    int examples,
    int outputs,
    SgdStep step,
    LyapunovEstimate exponent,
    double gdExponent,
    double sharpness,
    boolean spectrumComplete,
    Optional<Certificate> certificate,
    Optional<MeanSquareReport> meanSquare,
    Optional<CriticalLearningRate> criticalLearningRate,
    OptionalInt criticalBatchSize,
    Optional<Estimate> sumOfExponents,
    Optional<GramDiagnosis> diagnosis,
    Verdict verdict,
    List<String> remarks) {
  /** {@inheritDoc} */
  public StabilityReport {
    Objects.requireNonNull(step, "step");
    Objects.requireNonNull(exponent, "exponent");
    Objects.requireNonNull(certificate, "certificate");
    Objects.requireNonNull(meanSquare, "meanSquare");
    Objects.requireNonNull(criticalLearningRate, "criticalLearningRate");
    Objects.requireNonNull(criticalBatchSize, "criticalBatchSize");
    Objects.requireNonNull(sumOfExponents, "sumOfExponents");
    Objects.requireNonNull(diagnosis, "diagnosis");
    Objects.requireNonNull(verdict, "verdict");
    remarks = List.copyOf(remarks);
  }

  /**
   * The classic gauge of the edge of stability, 1 at the edge of the full-batch step: η·sharpness/2
   * for plain gradient descent, the sharpness over the critical curvature of the step in general.
   *
   * @return a nonnegative number
   */
  public double classicEdgeRatio() {
    return sharpness / FullBatchExponent.criticalCurvature(step);
  }

  /**
   * The edge ratio η/η_c(B): below 1 stable, above 1 unstable, for this batch size.
   *
   * @return the ratio; absent without a critical learning rate, 0 where none was found up to any
   *     rate tried
   */
  public OptionalDouble edgeRatio() {
    return criticalLearningRate.isPresent()
        ? OptionalDouble.of(criticalLearningRate.get().edgeRatio(step.learningRate()))
        : OptionalDouble.empty();
  }

  /**
   * What would make an unstable step stable.
   *
   * @return one sentence for people; absent unless the verdict is {@link Verdict.Kind#UNSTABLE} and
   *     a critical value is known
   */
  public Optional<String> advice() {
    if (verdict.kind() != Verdict.Kind.UNSTABLE || criticalLearningRate.isEmpty()) {
      return Optional.empty();
    }
    String rate =
        String.format(
            Locale.ROOT, "lower the learning rate below %.3g", criticalLearningRate.get().low());
    return Optional.of(
        criticalBatchSize.isPresent()
            ? rate + ", or raise the batch size to " + criticalBatchSize.getAsInt()
            : rate);
  }
}
