// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;

/**
 * What is computed at a checkpoint, and for which training step: by a {@link LyapunovListener}
 * during training and by a {@link StabilityAnalysis} without one. Equal settings, models, probes
 * and steps give equal checkpoints, bit for bit. Nonsense is refused at once with an {@link
 * IllegalArgumentException} that names the rule, the value and the remedy.
 *
 * <pre>{@code
 * AnalysisSettings settings = AnalysisSettings.of(Tier.STANDARD).withSeed(7).withBatchSize(32);
 * }</pre>
 *
 * @param tier how much to compute at a checkpoint
 * @param seed of every draw of the estimates
 * @param batchSize the mini-batch size B of the analysed step, at least 1; empty for what training
 *     is seen to use, which a {@link StabilityAnalysis} cannot see
 * @param sampling how training draws its mini-batches; empty for what training is seen to do, and
 *     independent uniform B-subsets where nothing was seen
 * @param comparison how much to analyse of a quarter and of half of the probe
 * @param horizon over how many steps the residual is followed, 0 for none; empty for 100 of the
 *     tier {@link Tier#FULL} and none of others
 * @param analyzer changes further settings of the analysis: budgets, levels, limits, threads.
 *     Called several times when a listener or an analysis starts, after the seed is set; tier and
 *     cancellation cannot be changed. Two records are equal only if they hold the same object here
 */
public record AnalysisSettings(
    Tier tier,
    long seed,
    OptionalInt batchSize,
    Optional<MiniBatchSampling> sampling,
    SizeComparison comparison,
    OptionalInt horizon,
    Consumer<StabilityAnalyzer.Builder> analyzer) {
  private static final int SMALLEST_COMPARED = 8;

  /** The default of core's estimators. */
  private static final long DEFAULT_SEED = 1;

  /**
   * How much to analyse of a quarter and of half of the probe, to see how the results move with the
   * number of examples. Half of the examples are drawn, the quarter from the half, by the seed. A
   * listener warns once if, from half of the probe to all of it, the sharpness or the critical
   * learning rate moves by more than a tenth or λ changes its sign.
   */
  public enum SizeComparison {
    /** Nothing. */
    NONE,
    /**
     * Sharpness and λ, the latter from at most 64 epochs unless {@link AnalysisSettings#analyzer}
     * sets them; nothing of a probe of fewer than 8 examples.
     */
    ECONOMY,
    /** As much as of the whole probe, which needs at least 8 examples. */
    SAME_TIER
  }

  /** {@inheritDoc} */
  public AnalysisSettings {
    Objects.requireNonNull(tier, "tier");
    Objects.requireNonNull(batchSize, "batchSize");
    Objects.requireNonNull(sampling, "sampling");
    Objects.requireNonNull(comparison, "comparison");
    Objects.requireNonNull(horizon, "horizon");
    Objects.requireNonNull(analyzer, "analyzer");
    if (batchSize.isPresent() && batchSize.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "batch size must be at least 1, got "
              + batchSize.getAsInt()
              + "; leave it out for what training is seen to use, or give the number of examples"
              + " for gradient descent");
    }
    if (horizon.isPresent() && horizon.getAsInt() < 0) {
      throw new IllegalArgumentException(
          "the horizon must be at least 1 step, or 0 for none, got "
              + horizon.getAsInt()
              + "; leave it out for the default of the tier");
    }
  }

  /**
   * The default settings: {@link Tier#STANDARD}, seed 1, batch size and sampling as seen, {@link
   * SizeComparison#ECONOMY}.
   *
   * @return settings
   */
  public static AnalysisSettings standard() {
    return of(Tier.STANDARD);
  }

  /**
   * The default settings with another tier.
   *
   * @param tier for large probes {@link Tier#ECONOMY} costs far less, without the critical learning
   *     rate and the mean-square index
   * @return settings
   */
  public static AnalysisSettings of(Tier tier) {
    return new AnalysisSettings(
        tier,
        DEFAULT_SEED,
        OptionalInt.empty(),
        Optional.empty(),
        SizeComparison.ECONOMY,
        OptionalInt.empty(),
        builder -> {});
  }

  /**
   * With another amount to compute.
   *
   * @param tier of checkpoints
   * @return new settings
   */
  public AnalysisSettings withTier(Tier tier) {
    return new AnalysisSettings(tier, seed, batchSize, sampling, comparison, horizon, analyzer);
  }

  /**
   * With another seed of the estimates.
   *
   * @param seed equal seeds give equal checkpoints, bit for bit; default 1
   * @return new settings
   */
  public AnalysisSettings withSeed(long seed) {
    return new AnalysisSettings(tier, seed, batchSize, sampling, comparison, horizon, analyzer);
  }

  /**
   * With a fixed mini-batch size B of the analysed step. No model tells it; a listener sees it.
   *
   * @param batchSize at least 1; N is gradient descent. In a {@link StabilityAnalysis}, batches
   *     larger than N are drawn from the examples with replacement, since these stand for a larger
   *     training set
   * @return new settings
   */
  public AnalysisSettings withBatchSize(int batchSize) {
    return new AnalysisSettings(
        tier, seed, OptionalInt.of(batchSize), sampling, comparison, horizon, analyzer);
  }

  /**
   * With the way in which training draws its mini-batches, which no model tells. Where training is
   * told a number of epochs, or epochs of an iterator, a listener compares the first two by reading
   * a few entries of every example, and from then on takes a fixed order or reshuffling as it saw
   * it; in a fixed order, that of the probe. The step's remarks tell whether the scheme was told,
   * observed or assumed. Mean-square stability has a closed form for independent mini-batches only.
   *
   * @param sampling default what training is seen to do, and independent uniform B-subsets, the
   *     setting of the theory, where and as long as nothing was seen
   * @return new settings
   */
  public AnalysisSettings withSampling(MiniBatchSampling sampling) {
    return new AnalysisSettings(
        tier, seed, batchSize, Optional.of(sampling), comparison, horizon, analyzer);
  }

  /**
   * With another comparison of probe sizes.
   *
   * @param comparison default {@link SizeComparison#ECONOMY}
   * @return new settings
   */
  public AnalysisSettings withComparison(SizeComparison comparison) {
    return new AnalysisSettings(tier, seed, batchSize, sampling, comparison, horizon, analyzer);
  }

  /**
   * With the number of steps over which the residual that training has now is followed, for the
   * {@linkplain org.lyapunov4j.dl4j.checkpoint.Checkpoint#finiteTime finite-time exponents}: by how
   * much it shrinks or grows in so many steps from here if the Gram matrix stood still, over 32 to
   * 256 draws of the mini-batches. While faster directions are alive in it, that is more than λ
   * tells. Takes an eigendecomposition of the Gram matrix and steps × draws × 4·B·K·m flops.
   *
   * @param steps n, at every checkpoint of every tier; 0 for none; by default 100 of the tier
   *     {@link Tier#FULL}, none of others
   * @return new settings
   */
  public AnalysisSettings withHorizon(int steps) {
    return new AnalysisSettings(
        tier, seed, batchSize, sampling, comparison, OptionalInt.of(steps), analyzer);
  }

  /**
   * With further settings of the analysis: budgets, levels, limits, threads. Replaces what was
   * given before. Tier and cancellation are set by the listener or the analysis.
   *
   * @param analyzer changes the builder it is given
   * @return new settings
   */
  public AnalysisSettings withAnalyzer(Consumer<StabilityAnalyzer.Builder> analyzer) {
    return new AnalysisSettings(tier, seed, batchSize, sampling, comparison, horizon, analyzer);
  }

  /** These settings, if they can be had of so many examples. */
  AnalysisSettings requireFit(int examples) {
    if (comparison == SizeComparison.SAME_TIER && examples < SMALLEST_COMPARED) {
      throw new IllegalArgumentException(
          "comparing probe sizes needs at least "
              + SMALLEST_COMPARED
              + " examples, got "
              + examples
              + "; give more, or the comparison ECONOMY or NONE");
    }
    return this;
  }

  /** Whether parts of a probe of so many examples are analysed too. */
  boolean compares(int examples) {
    return comparison != SizeComparison.NONE && examples >= SMALLEST_COMPARED;
  }
}
