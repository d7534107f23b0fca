// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.ExampleBlocks;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * A rigorous bound that decides the sign of λ on range(G) without sampling.
 *
 * @param kind which bound
 * @param sign the sign of λ it proves
 * @param meanSquareStable whether it proves Λ(2) &lt; 0 as well
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
     * η max_i ‖G_ii‖ &lt; 2: every step contracts the energy wᵀGw, for every sampling scheme, since
     * the eigenvalues of η G_SS/|S| are at most η max ‖G_ii‖.
     */
    EVERY_STEP_CONTRACTS("η max‖G_ii‖"),
    /**
     * η κ_max/B &lt; 2 for batches of exactly B distinct examples: every step contracts the energy.
     */
    EVERY_BATCH_CONTRACTS("η κ_max/B"),
    /**
     * η((B − 1) κ_max + (N − B) max ‖G_ii‖) &lt; 2B(N − 1), i.i.d. subsets: the second moment of
     * the energy contracts.
     */
    SECOND_MOMENT_CONTRACTS("η((B−1)κ_max + (N−B)max‖G_ii‖)/(B(N−1))"),
    /** index_ms &lt; 1: the second moment decays, exactly. */
    MEAN_SQUARE_INDEX("mean-square index"),
    /**
     * (1/N) Σ log |1 − ηG_ii| &gt; 0, B = K = 1: the mean of all exponents is positive, so is the
     * largest.
     */
    VOLUME_GROWS("mean log|1 − ηG_ii|");

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
   * @return the certificate; empty if none decides, or G = 0
   */
  public static Optional<Certificate> decide(
      GramMatrix gram, double largest, SgdStep step, Optional<MeanSquareReport> meanSquare) {
    if (!(largest > 0)) {
      return Optional.empty();
    }
    if (step.isFullBatch(gram.examples())) {
      return fullBatch(largest / gram.examples(), step);
    }
    if (!step.isPlain()) {
      return byIndex(meanSquare);
    }
    Bounds bounds = new Bounds(gram, largest, step);
    return bounds
        .everyStep()
        .or(bounds::everyBatch)
        .or(bounds::secondMoment)
        .or(() -> byIndex(meanSquare))
        .or(bounds::volume);
  }

  private static Optional<Certificate> fullBatch(double sharpness, SgdStep step) {
    double critical = FullBatchExponent.criticalCurvature(step);
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

  /** The bounds for plain SGD. */
  private static final class Bounds {
    private final GramMatrix gram;
    private final double largest;
    private final SgdStep step;
    private final double largestBlock;

    Bounds(GramMatrix gram, double largest, SgdStep step) {
      this.gram = gram;
      this.largest = largest;
      this.step = step;
      largestBlock = ExampleBlocks.of(gram).largestEigenvalue();
    }

    Optional<Certificate> everyStep() {
      return below(Kind.EVERY_STEP_CONTRACTS, step.learningRate() * largestBlock, 2);
    }

    Optional<Certificate> everyBatch() {
      boolean exactBatches =
          step.sampling() == MiniBatchSampling.IID_SUBSETS
              || (step.sampling() != MiniBatchSampling.IID_WITH_REPLACEMENT
                  && gram.examples() % step.batchSize() == 0);
      return exactBatches
          ? below(Kind.EVERY_BATCH_CONTRACTS, step.learningRate() * largest / step.batchSize(), 2)
          : Optional.empty();
    }

    Optional<Certificate> secondMoment() {
      int n = gram.examples();
      if (step.sampling() != MiniBatchSampling.IID_SUBSETS || n == 1) {
        return Optional.empty();
      }
      double b = step.batchSize();
      double value =
          step.learningRate() * ((b - 1) * largest + (n - b) * largestBlock) / (b * (n - 1));
      return below(Kind.SECOND_MOMENT_CONTRACTS, value, 2);
    }

    /**
     * The determinant also counts ker G, whose exponents are 0: a positive sum needs a positive one
     * on the range.
     */
    Optional<Certificate> volume() {
      if (step.batchSize() != 1 || gram.outputs() != 1) {
        return Optional.empty();
      }
      double sum = 0;
      for (int i = 0; i < gram.size(); i++) {
        sum += Math.log(Math.abs(1 - step.learningRate() * gram.get(i, i)));
      }
      double mean = sum / gram.size();
      return mean > MARGIN
          ? Optional.of(new Certificate(Kind.VOLUME_GROWS, Sign.POSITIVE, false, mean, 0))
          : Optional.empty();
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
        "certified %s by %s: %s = %.6g %s %.6g",
        sign == Sign.NEGATIVE ? "λ < 0" : "λ > 0",
        kind,
        kind.quantity,
        value,
        value < threshold ? "<" : ">",
        threshold);
  }
}
