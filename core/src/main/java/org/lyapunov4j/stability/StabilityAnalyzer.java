// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.SpectrumEstimator;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.gram.GramDiagnosis;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.SgdStep;

/**
 * Turns a Gram matrix and a step into a {@link StabilityReport}. Immutable and safe for use by
 * several threads.
 *
 * <p>The seed fixes the report bit for bit, whatever the number of threads; a time budget or
 * cancellation, if it strikes, does not.
 */
public final class StabilityAnalyzer {
  private static final int EPOCHS_IF_CERTIFIED = 64;

  private final LyapunovEstimator estimator;
  private final LyapunovEstimator certified;
  private final EdgeFinder edges;
  private final SpectrumEstimator sums;
  private final Tier tier;
  private final int spectrumLimit;
  private final int meanSquareLimit;

  private StabilityAnalyzer(Builder builder) {
    estimator = builder.estimator.build();
    certified = estimator.limitedTo(EPOCHS_IF_CERTIFIED);
    edges = builder.edges.build();
    sums = builder.sums.build();
    tier = builder.tier;
    spectrumLimit = builder.spectrumLimit;
    meanSquareLimit = builder.meanSquareLimit;
  }

  /**
   * Starts a configuration.
   *
   * @return a builder with the defaults
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Analyses from random starts.
   *
   * @param gram G
   * @param step the step; its batch size at most N
   * @return the report
   */
  public StabilityReport analyze(GramMatrix gram, SgdStep step) {
    return analyze(gram, step, Optional.empty());
  }

  /**
   * Analyses.
   *
   * @param gram G
   * @param step the step; its batch size at most N
   * @param start a direction to start from, usually from the report of the checkpoint before
   * @return the report
   */
  public StabilityReport analyze(GramMatrix gram, SgdStep step, Optional<Tangent> start) {
    requireBatch(gram, step);
    return new Analysis(new Decomposition(gram), step, start).report();
  }

  /**
   * An analysis of many steps of one Gram matrix, which is decomposed once; η_c is found once for
   * all steps that differ in their learning rate alone. Steps of one batch size draw the same
   * mini-batches, so that differences along the learning rate are far more certain than values.
   *
   * @param gram G
   * @return from a step to its report: that of {@link #analyze(GramMatrix, SgdStep)} but that η_c,
   *     within its interval, may differ; safe for several threads, and the order of the questions
   *     changes no answer
   */
  public Function<SgdStep, StabilityReport> on(GramMatrix gram) {
    Decomposition known = new Decomposition(gram);
    Map<SgdStep, CriticalLearningRate> rates = new ConcurrentHashMap<>();
    return step -> {
      requireBatch(gram, step);
      return new Analysis(known, step, rates).report();
    };
  }

  private static void requireBatch(GramMatrix gram, SgdStep step) {
    if (step.batchSize() > gram.examples()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "batch size must not exceed the number of examples %d, got %d; use a larger probe set"
                  + " or a smaller batch size",
              gram.examples(),
              step.batchSize()));
    }
  }

  /** What is the same for all steps. */
  private final class Decomposition {
    private final GramMatrix gram;
    private final Optional<GramSpectrum> spectrum;
    private final double largest;
    private MeanSquareStability meanSquare;

    Decomposition(GramMatrix gram) {
      this.gram = gram;
      spectrum =
          gram.size() > spectrumLimit
              ? Optional.empty()
              : Optional.of(
                  atLeastStandard() && gram.size() <= meanSquareLimit
                      ? GramSpectrum.of(gram)
                      : GramSpectrum.eigenvaluesOnly(gram));
      largest =
          spectrum.map(GramSpectrum::largest).orElseGet(() -> LargestEigenpair.of(gram).value());
    }

    /** Prepared for the first step that has it. */
    synchronized Optional<MeanSquareStability> meanSquare(SgdStep step) {
      boolean applies =
          spectrum.isPresent()
              && spectrum.get().hasEigenvectors()
              && spectrum.get().isPositiveSemidefinite()
              && MeanSquareStability.obstacle(step, gram.examples()).isEmpty();
      if (applies && meanSquare == null) {
        meanSquare = MeanSquareStability.of(spectrum.get());
      }
      return applies ? Optional.of(meanSquare) : Optional.empty();
    }
  }

  private boolean atLeastStandard() {
    return tier != Tier.ECONOMY;
  }

  /** One analysis; every part is computed once, in the order of its price. */
  private final class Analysis {
    private final GramMatrix gram;
    private final SgdStep step;
    private final Optional<Tangent> start;
    private final Map<SgdStep, CriticalLearningRate> rates;
    private final Optional<GramSpectrum> spectrum;
    private final Optional<MeanSquareStability> secondMoment;
    private final double largest;

    Analysis(Decomposition known, SgdStep step, Optional<Tangent> start) {
      this(known, step, start, null);
    }

    /** One of many, which share their critical learning rates. */
    Analysis(Decomposition known, SgdStep step, Map<SgdStep, CriticalLearningRate> rates) {
      this(known, step, Optional.empty(), rates);
    }

    private Analysis(
        Decomposition known,
        SgdStep step,
        Optional<Tangent> start,
        Map<SgdStep, CriticalLearningRate> rates) {
      this.step = step;
      this.start = start;
      this.rates = rates;
      gram = known.gram;
      spectrum = known.spectrum;
      secondMoment = known.meanSquare(step);
      largest = known.largest;
    }

    StabilityReport report() {
      boolean full = tier == Tier.FULL && largest > 0;
      Optional<MeanSquareReport> meanSquare = meanSquare();
      Optional<Certificate> certificate = certificate(meanSquare);
      double gdExponent = gdExponent();
      LyapunovEstimate exponent = exponent(certificate, gdExponent);
      return new StabilityReport(
          gram.examples(),
          gram.outputs(),
          step,
          exponent,
          gdExponent,
          largest / gram.examples(),
          spectrum.isPresent(),
          certificate,
          meanSquare,
          criticalLearningRate(meanSquare, exponent),
          full ? criticalBatchSize(meanSquare) : OptionalInt.empty(),
          full ? Optional.of(sums.sumOfExponents(gram, step)) : Optional.empty(),
          spectrum
              .filter(known -> atLeastStandard())
              .map(known -> GramDiagnosis.of(gram, known, step)),
          VerdictRule.of(exponent, certificate, meanSquare));
    }

    private Optional<MeanSquareReport> meanSquare() {
      return secondMoment.map(
          known -> tier == Tier.FULL ? known.analyze(step) : known.analyzeAtBatchSize(step));
    }

    private Optional<Certificate> certificate(Optional<MeanSquareReport> meanSquare) {
      boolean isGram = spectrum.map(GramSpectrum::isPositiveSemidefinite).orElse(true);
      return atLeastStandard() && isGram
          ? Certificate.decide(gram, largest, step, meanSquare)
          : Optional.empty();
    }

    private double gdExponent() {
      return spectrum.isPresent()
          ? FullBatchExponent.of(spectrum.get(), step)
          : FullBatchExponent.along(largest / gram.examples(), step);
    }

    private LyapunovEstimate exponent(Optional<Certificate> certificate, double gdExponent) {
      if (spectrum.isPresent() && step.isFullBatch(gram.examples())) {
        return LyapunovEstimate.exact(gdExponent);
      }
      return (certificate.isPresent() ? certified : estimator).estimate(gram, step, start);
    }

    private Optional<CriticalLearningRate> criticalLearningRate(
        Optional<MeanSquareReport> meanSquare, LyapunovEstimate exponent) {
      if (!atLeastStandard() || largest == 0) {
        return Optional.empty();
      }
      if (rates != null) {
        SgdStep anyRate = step.withLearningRate(gram.examples() / largest);
        return Optional.of(rates.computeIfAbsent(anyRate, this::sharedCriticalLearningRate));
      }
      double stable = meanSquare.map(known -> known.criticalLearningRate().low()).orElse(0.0);
      return Optional.of(
          criticalLearningRate(
              step,
              stable,
              exponent.sign() == Sign.POSITIVE ? exponent.tangent() : Optional.empty()));
    }

    /** From nothing that depends on the learning rate of the step that happens to be first. */
    private CriticalLearningRate sharedCriticalLearningRate(SgdStep anyRate) {
      double stable =
          secondMoment.map(known -> known.criticalLearningRate(anyRate).low()).orElse(0.0);
      return criticalLearningRate(anyRate, stable, Optional.empty());
    }

    private CriticalLearningRate criticalLearningRate(
        SgdStep at, double stable, Optional<Tangent> direction) {
      return edges.criticalLearningRate(
          gram, at, stable < Double.POSITIVE_INFINITY ? stable : 0, direction);
    }

    private OptionalInt criticalBatchSize(Optional<MeanSquareReport> meanSquare) {
      OptionalInt stable =
          meanSquare.map(MeanSquareReport::criticalBatchSize).orElse(OptionalInt.empty());
      return edges.criticalBatchSize(gram, step, stable.orElse(gram.examples()));
    }
  }

  /** Settings of a {@link StabilityAnalyzer}. */
  public static final class Builder {
    private final LyapunovEstimator.Builder estimator = LyapunovEstimator.builder();
    private final EdgeFinder.Builder edges = EdgeFinder.builder();
    private final SpectrumEstimator.Builder sums = SpectrumEstimator.builder();
    private Tier tier = Tier.STANDARD;
    private int spectrumLimit = 6144;
    private int meanSquareLimit = 6144;

    private Builder() {}

    /**
     * Fixes every random draw.
     *
     * @param seed any value; default 1
     * @return this
     */
    public Builder seed(long seed) {
      estimator.seed(seed);
      edges.seed(seed);
      sums.seed(seed);
      return this;
    }

    /**
     * Threads for sampling; never changes a result.
     *
     * @param threads at least 1; default all processors
     * @return this
     */
    public Builder threads(int threads) {
      estimator.threads(threads);
      edges.threads(threads);
      sums.threads(threads);
      return this;
    }

    /**
     * The budget of measured epochs of each trajectory.
     *
     * @param epochs at least 2; default 1024
     * @return this
     */
    public Builder maxEpochs(int epochs) {
      estimator.minEpochs(Math.min(16, epochs)).maxEpochs(epochs);
      return this;
    }

    /**
     * The error level of the sign test.
     *
     * @param level in (0, 1); default 0.05
     * @return this
     */
    public Builder level(double level) {
      estimator.level(level);
      return this;
    }

    /**
     * A budget of wall-clock time for sampling λ.
     *
     * @param budget positive; default a year
     * @return this
     */
    public Builder timeBudget(Duration budget) {
      estimator.timeBudget(budget);
      return this;
    }

    /**
     * A cancellation check, asked between epochs from several threads.
     *
     * @param cancelled true to stop
     * @return this
     */
    public Builder cancelled(BooleanSupplier cancelled) {
      estimator.cancelled(cancelled);
      edges.cancelled(cancelled);
      sums.cancelled(cancelled);
      return this;
    }

    /**
     * Progress, called on the calling thread.
     *
     * @param progress receives a fraction of the epoch budget in (0, 1]
     * @return this
     */
    public Builder progress(DoubleConsumer progress) {
      estimator.progress(progress);
      return this;
    }

    /**
     * How much of the panel to compute.
     *
     * @param tier default {@link Tier#STANDARD}
     * @return this
     */
    public Builder tier(Tier tier) {
      this.tier = Objects.requireNonNull(tier, "tier");
      return this;
    }

    /**
     * The largest m for which mean-square stability is computed, if all eigenvalues are (some 12 m³
     * flops and 24 m² bytes).
     *
     * @param size at least 0; default 6144
     * @return this
     */
    public Builder meanSquareLimit(int size) {
      if (size < 0) {
        throw new IllegalArgumentException("mean-square limit must be at least 0, got " + size);
      }
      meanSquareLimit = size;
      return this;
    }

    /**
     * The largest m for which all eigenvalues are computed (about 4m³/3 flops and 8m² bytes).
     *
     * @param size at least 0; default 6144
     * @return this
     */
    public Builder spectrumLimit(int size) {
      if (size < 0) {
        throw new IllegalArgumentException("spectrum limit must be at least 0, got " + size);
      }
      spectrumLimit = size;
      return this;
    }

    /**
     * The analyzer.
     *
     * @return an immutable analyzer
     */
    public StabilityAnalyzer build() {
      return new StabilityAnalyzer(this);
    }
  }
}
