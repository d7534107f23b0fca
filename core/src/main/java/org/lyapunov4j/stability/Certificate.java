// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.GroupedFullBatch;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.ExampleBlocks;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/**
 * A bound that decides the sign of λ on range(G) without sampling, for the positive semidefinite
 * matrix that the stored one rounds. All kinds are rigorous but {@link Kind#MEAN_SQUARE_INDEX},
 * which may rest on an estimate.
 *
 * <p>Below, d = 1 − η(l2 + weightDecay), 1 for plain SGD, and β = max_i ‖G_ii‖. In the energy norm
 * wᵀGw the factor of a batch S is symmetric with eigenvalues d − (η/|S|)·eig(G_SS).
 *
 * @param kind which bound
 * @param sign the sign of λ it decides
 * @param meanSquareStable whether it decides Λ(2) &lt; 0 as well
 * @param value the number of the bound
 * @param threshold what the number was compared with
 */
public record Certificate(
    Kind kind, Sign sign, boolean meanSquareStable, double value, double threshold) {
  /**
   * A bound decides only this far, relatively, from equality: closer, rounding could have decided.
   */
  static final double MARGIN = 1e-9;

  /** {@inheritDoc} */
  public Certificate {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(sign, "sign");
  }

  /** The bounds, cheapest first. */
  public enum Kind {
    /**
     * B = N: the exponent is μ; stable exactly if the sharpness is below the critical curvature of
     * the step.
     */
    FULL_BATCH("sharpness κ_max/N"),
    /**
     * ηβ &lt; 1 + d: every step contracts the energy, for every sampling scheme, since the
     * eigenvalues of (η/|S|) G_SS are at most ηβ.
     */
    EVERY_STEP_CONTRACTS("η max‖G_ii‖"),
    /**
     * ηκ_max/|S| &lt; 1 + d for the smallest batch S of distinct examples (the last one of an epoch
     * where B does not divide N): every step contracts the energy.
     */
    EVERY_BATCH_CONTRACTS("η κ_max/|S|"),
    /**
     * N(c₁κ_max + c₂β)/η &lt; 2d with c₁, c₂ of {@link MeanSquareStability}, i.i.d. batches: the
     * second moment of the energy contracts. For subsets the left-hand side is η((B − 1)κ_max + (N
     * − B)β)/(B(N − 1)).
     */
    SECOND_MOMENT_CONTRACTS("N(c₁κ_max + c₂ max‖G_ii‖)/η"),
    /**
     * index_ms &lt; 1 with its upper bound: the second moment decays. A proof where that bound is
     * one, which {@link Enclosure} tells.
     */
    MEAN_SQUARE_INDEX("mean-square index"),
    /**
     * (1/m) E log |det(dI − ηP_iG)| &gt; 0, B = 1: the mean of all exponents is positive, so is the
     * largest. For K = 1 without decay it is (1/N) Σ log |1 − ηG_ii|.
     */
    VOLUME_GROWS("mean log determinant per dimension");

    private final String quantity;

    Kind(String quantity) {
      this.quantity = quantity;
    }
  }

  /**
   * The first bound, in order of price, that decides.
   *
   * @param gram G
   * @param largest κ_max of G
   * @param step the step; batch size at most N
   * @param meanSquare mean-square stability, if it is known
   * @return the certificate; empty if none decides, G = 0 or η = 0
   */
  public static Optional<Certificate> decide(
      GramMatrix gram, double largest, SgdStep step, Optional<MeanSquareReport> meanSquare) {
    if (!(largest > 0 && step.learningRate() > 0)) {
      return Optional.empty();
    }
    if (step.isFullBatch(gram.examples())) {
      return fullBatch(largest / gram.examples(), FullBatchExponent.criticalCurvature(step));
    }
    if (!(step.momentum() instanceof Momentum.None)) {
      return Optional.empty();
    }
    Bounds bounds = new Bounds(gram, largest, step);
    return bounds
        .everyStep()
        .or(bounds::everyBatch)
        .or(bounds::secondMoment)
        .or(() -> byIndex(meanSquare))
        .or(bounds::volume);
  }

  /**
   * The first bound that decides for groups of parameters. In the norm of the parameters a step
   * without memory is symmetric with eigenvalues between 1 − η max(l2 + weightDecay) −
   * (η/|S|)‖G_SS‖ and 1, so that a bound for the fastest decay holds for all.
   *
   * @param gram G and its parts
   * @param largest κ_max of G
   * @param step the groups; batch size at most N
   * @return the certificate; empty if none decides, G = 0 or η = 0
   */
  public static Optional<Certificate> decide(GroupedGram gram, double largest, GroupedStep step) {
    SgdStep common = step.common();
    if (!(largest > 0 && common.learningRate() > 0)) {
      return Optional.empty();
    }
    if (common.isFullBatch(gram.whole().examples())) {
      double sharpness = largest / gram.whole().examples();
      return fullBatch(sharpness, sharpness / GroupedFullBatch.edgeRatio(gram, step));
    }
    if (step.groups().stream().anyMatch(group -> !(group.momentum() instanceof Momentum.None))) {
      return Optional.empty();
    }
    double fastest =
        step.groups().stream()
            .mapToDouble(group -> group.l2() + group.weightDecay())
            .max()
            .orElse(0);
    SgdStep bounding = common.withMomentum(Momentum.NONE).withL2(0).withWeightDecay(fastest);
    Bounds bounds = new Bounds(gram.whole(), largest, bounding);
    return bounds.everyStep().or(bounds::everyBatch);
  }

  private static Optional<Certificate> fullBatch(double sharpness, double critical) {
    if (Math.abs(sharpness / critical - 1) < MARGIN) {
      return Optional.empty();
    }
    boolean stable = sharpness < critical;
    Sign sign = stable ? Sign.NEGATIVE : Sign.POSITIVE;
    return Optional.of(new Certificate(Kind.FULL_BATCH, sign, stable, sharpness, critical));
  }

  private static Optional<Certificate> byIndex(Optional<MeanSquareReport> meanSquare) {
    return meanSquare
        .filter(report -> report.index().high() < 1 - MARGIN)
        .map(report -> stable(Kind.MEAN_SQUARE_INDEX, report.index().high(), 1));
  }

  private static Certificate stable(Kind kind, double value, double threshold) {
    return new Certificate(kind, Sign.NEGATIVE, true, value, threshold);
  }

  private static Optional<Certificate> below(Kind kind, double value, double threshold) {
    return value < threshold * (1 - MARGIN)
        ? Optional.of(stable(kind, value, threshold))
        : Optional.empty();
  }

  /** The bounds for steps without momentum. */
  private static final class Bounds {
    private final double largest;
    private final SgdStep step;
    private final int examples;
    private final int outputs;
    private final double rate;
    private final double keep;
    private final ExampleBlocks blocks;
    private final double largestBlock;

    Bounds(GramMatrix gram, double largest, SgdStep step) {
      this.largest = largest;
      this.step = step;
      examples = gram.examples();
      outputs = gram.outputs();
      rate = step.learningRate();
      keep = 1 - rate * (step.l2() + step.weightDecay());
      blocks = ExampleBlocks.of(gram);
      largestBlock = blocks.largestEigenvalue();
    }

    Optional<Certificate> everyStep() {
      return below(Kind.EVERY_STEP_CONTRACTS, rate * largestBlock, 1 + keep);
    }

    Optional<Certificate> everyBatch() {
      if (step.sampling() == MiniBatchSampling.IID_WITH_REPLACEMENT) {
        return Optional.empty();
      }
      int last = step.sampling().isIndependent() ? 0 : examples % step.batchSize();
      int smallest = last == 0 ? step.batchSize() : last;
      return below(Kind.EVERY_BATCH_CONTRACTS, rate * largest / smallest, 1 + keep);
    }

    Optional<Certificate> secondMoment() {
      if (!step.sampling().isIndependent()) {
        return Optional.empty();
      }
      StepMoments moments = StepMoments.of(step, examples, step.batchSize());
      double noise = moments.c1() * largest + moments.c2() * largestBlock;
      return below(Kind.SECOND_MOMENT_CONTRACTS, rate * examples * noise, 2 * keep);
    }

    Optional<Certificate> volume() {
      if (step.batchSize() != 1 || Math.abs(keep) > 1) {
        return Optional.empty();
      }
      double mean = meanLogDeterminant();
      return mean > MARGIN
          ? Optional.of(new Certificate(Kind.VOLUME_GROWS, Sign.POSITIVE, false, mean, 0))
          : Optional.empty();
    }

    /**
     * It also counts ker G, whose exponents are log |d| ≤ 0: a positive sum needs a positive one on
     * the range.
     */
    private double meanLogDeterminant() {
      double sum = 0;
      for (int i = 0; i < examples; i++) {
        for (double curvature : blocks.eigenvalues(i)) {
          sum += Math.log(Math.abs(keep - rate * curvature));
        }
      }
      double others = (examples - 1) * outputs * Math.log(Math.abs(keep));
      return (sum / examples + others) / (examples * outputs);
    }
  }

  /**
   * The bound in one sentence.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s%s by %s: %s = %.6g %s %.6g",
        kind == Kind.MEAN_SQUARE_INDEX ? "" : "certified ",
        sign == Sign.NEGATIVE ? "λ < 0" : "λ > 0",
        kind,
        kind.quantity,
        value,
        value < threshold ? "<" : ">",
        threshold);
  }
}
