// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.Tangent;
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
  private final LyapunovEstimator estimator;
  private final int spectrumLimit;

  private StabilityAnalyzer(Builder builder) {
    estimator = builder.estimator.build();
    spectrumLimit = builder.spectrumLimit;
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
    int examples = gram.examples();
    if (step.batchSize() > examples) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "batch size must not exceed the number of examples %d, got %d; use a larger probe set or a smaller batch size",
              examples,
              step.batchSize()));
    }
    boolean complete = gram.size() <= spectrumLimit;
    double largest;
    double gdExponent;
    if (complete) {
      GramSpectrum spectrum = GramSpectrum.eigenvaluesOnly(gram);
      largest = spectrum.largest();
      gdExponent = FullBatchExponent.of(spectrum, step);
    } else {
      largest = LargestEigenpair.of(gram).value();
      gdExponent = FullBatchExponent.along(largest / examples, step);
    }
    LyapunovEstimate exponent =
        complete && step.isFullBatch(examples)
            ? LyapunovEstimate.exact(gdExponent)
            : estimator.estimate(gram, step, start);
    return new StabilityReport(
        examples,
        gram.outputs(),
        step,
        exponent,
        gdExponent,
        largest / examples,
        complete,
        verdict(exponent));
  }

  private static Verdict verdict(LyapunovEstimate exponent) {
    String numbers =
        String.format(
            Locale.ROOT,
            "λ = %.4g ± %.2g nats/step (%s)",
            exponent.value(),
            exponent.standardError(),
            exponent.stopReason());
    return switch (exponent.sign()) {
      case NEGATIVE -> new Verdict(Verdict.Kind.STABLE, numbers, OptionalLong.empty());
      case POSITIVE -> new Verdict(Verdict.Kind.UNSTABLE, numbers, OptionalLong.empty());
      case UNDECIDED -> new Verdict(Verdict.Kind.INCONCLUSIVE, numbers, steps(exponent));
    };
  }

  private static OptionalLong steps(LyapunovEstimate exponent) {
    double steps = exponent.stepsToDecide();
    return steps < Long.MAX_VALUE ? OptionalLong.of((long) Math.ceil(steps)) : OptionalLong.empty();
  }

  /** Settings of a {@link StabilityAnalyzer}. */
  public static final class Builder {
    private final LyapunovEstimator.Builder estimator = LyapunovEstimator.builder();
    private int spectrumLimit = 4096;

    private Builder() {}

    /**
     * Fixes every random draw.
     *
     * @param seed any value; default 1
     * @return this
     */
    public Builder seed(long seed) {
      estimator.seed(seed);
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
     * The largest m for which all eigenvalues are computed (about 4m³/3 flops and 8m² bytes).
     *
     * @param size at least 0; default 4096
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
