// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.GroupedFullBatch;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.gram.GramDiagnosis;
import org.lyapunov4j.step.SgdStep;

/**
 * Everything measured about one Gram matrix under one step. What the {@link Tier} does not include,
 * what has no closed form for the step, or what is too large, is absent.
 *
 * <p>Its parts agree, or the constructor throws an {@link IllegalStateException} that names the
 * contradiction, which is a bug and not the caller's: a certificate against Λ(2) or an exact λ; an
 * index below 1 against Λ(2) &gt; 0 or a learning rate above η_ms, and the reverse; η_ms above η_c;
 * λ ≠ μ at the full batch; λ ≠ 0 at learning rate 0; a verdict that does not follow from the rest.
 *
 * @param examples N
 * @param outputs K
 * @param step the step
 * @param exponent λ, nats per step; bounds without a value if G = 0, where there is no direction to
 *     have one, and 0 if the learning rate is 0
 * @param gdExponent μ, the exponent of the same step on the full batch, nats per step; bounds alone
 *     where the slowest direction is not resolved
 * @param sharpness κ_max/N
 * @param classicEdgeRatio the classic gauge of the edge of stability, 1 at the edge of the
 *     full-batch step: η·sharpness/2 for plain gradient descent, the sharpness over the critical
 *     curvature of the step in general; of groups of parameters {@link GroupedFullBatch#edgeRatio}
 * @param certificate a bound that decides the sign of λ, if one does
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
    LyapunovExponent exponent,
    LyapunovExponent gdExponent,
    double sharpness,
    double classicEdgeRatio,
    Optional<Certificate> certificate,
    Optional<MeanSquareReport> meanSquare,
    Optional<CriticalLearningRate> criticalLearningRate,
    OptionalInt criticalBatchSize,
    Optional<Estimate> sumOfExponents,
    Optional<GramDiagnosis> diagnosis,
    Verdict verdict,
    List<String> remarks)
    implements Findings {
  /** {@inheritDoc} */
  public StabilityReport {
    Objects.requireNonNull(step, "step");
    Objects.requireNonNull(exponent, "exponent");
    Objects.requireNonNull(gdExponent, "gdExponent");
    Objects.requireNonNull(certificate, "certificate");
    Objects.requireNonNull(meanSquare, "meanSquare");
    Objects.requireNonNull(criticalLearningRate, "criticalLearningRate");
    Objects.requireNonNull(criticalBatchSize, "criticalBatchSize");
    Objects.requireNonNull(sumOfExponents, "sumOfExponents");
    Objects.requireNonNull(diagnosis, "diagnosis");
    Objects.requireNonNull(verdict, "verdict");
    new Consistency(
            examples,
            outputs,
            step,
            exponent,
            gdExponent,
            sharpness,
            certificate,
            meanSquare,
            criticalLearningRate,
            criticalBatchSize,
            verdict)
        .require();
    if (!(classicEdgeRatio >= 0)) {
      throw new IllegalStateException("a classic edge ratio of " + classicEdgeRatio);
    }
    remarks = List.copyOf(remarks);
  }

  @Override
  public OptionalDouble measuredSharpness() {
    return OptionalDouble.of(sharpness);
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
   * η/η_ms, an upper bound of the {@linkplain #edgeRatio edge ratio} that is free of sampling
   * noise: what is stable in mean square is stable.
   *
   * @return η over the lower end of η_ms; absent where mean-square stability is not known
   */
  public OptionalDouble meanSquareEdgeRatio() {
    return meanSquare
        .map(known -> OptionalDouble.of(step.learningRate() / known.criticalLearningRate().low()))
        .orElse(OptionalDouble.empty());
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
