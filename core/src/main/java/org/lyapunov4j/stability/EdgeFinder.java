// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.GrowthEstimate;
import org.lyapunov4j.exponent.GrowthEstimator;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/**
 * Finds where λ changes sign: over the learning rate at a given batch size, and over the batch size
 * at a given learning rate.
 *
 * <p>Below the edge λ is the rate of the slowest mode, a tiny negative number that says nothing of
 * the distance to the edge; above, it grows about linearly. So the search comes from above: it
 * starts at a certified lower bound, climbs until λ is clearly positive, then narrows the gap
 * between the largest rate known to be stable and the smallest known to be unstable. All
 * evaluations draw the same mini-batches and start from the direction that was unstable at the last
 * positive one, so their differences are far more certain than their values.
 *
 * <p>A single crossing is assumed; the paper proves none, and none other was ever seen. Immutable
 * and safe for several threads.
 */
public final class EdgeFinder {
  private static final int MOST_EVALUATIONS = 16;
  private static final double CLIMB = 1.2;
  private static final int MOST_CLIMBS = 40;
  private static final int SMALLEST_STEPS = 512;

  /** In flops. */
  private static final double WORK_PER_EVALUATION = 1.5e8;

  private static final double OVERHEAD_PER_STEP = 3000;
  private static final double FEWEST_EPOCHS = 128;
  private static final double MOST_EPOCHS = 8192;

  private final Builder settings;

  private EdgeFinder(Builder settings) {
    this.settings = settings;
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
   * The critical learning rate, from the bounds that need no eigenvectors.
   *
   * @param gram G ≠ 0
   * @param step the step; its learning rate does not matter
   * @return η_c
   */
  public CriticalLearningRate criticalLearningRate(GramMatrix gram, SgdStep step) {
    return criticalLearningRate(gram, step, 0, Optional.empty());
  }

  /**
   * The critical learning rate.
   *
   * @param gram G ≠ 0
   * @param step the step; its learning rate does not matter
   * @param certified a learning rate known to be stable, such as the mean-square critical one; 0 if
   *     none is known
   * @param start a direction to start from
   * @return η_c
   */
  public CriticalLearningRate criticalLearningRate(
      GramMatrix gram, SgdStep step, double certified, Optional<Tangent> start) {
    if (certified > 0 && !step.isFullBatch(gram.examples())) {
      return new Search(gram, step, start).run(certified, certified * 1.05);
    }
    double largest = LargestEigenpair.of(gram).value();
    if (!(largest > 0)) {
      throw new IllegalArgumentException(
          "a critical learning rate needs a nonzero Gram matrix, got the largest eigenvalue "
              + largest);
    }
    double fullBatch = FullBatchExponent.criticalLearningRate(largest / gram.examples(), step);
    if (step.isFullBatch(gram.examples())) {
      return CriticalLearningRate.exactly(fullBatch);
    }
    Search search = new Search(gram, step, start);
    return search.run(0, search.smallBatchGuess(fullBatch));
  }

  /**
   * The smallest batch size at which the step is stable.
   *
   * <p>The sign of λ is not monotone in B by theorem; bisection finds a crossing. Batch sizes whose
   * sign stays undecided count as unstable.
   *
   * @param gram G
   * @param step the step; its batch size does not matter
   * @param certified a batch size known to be stable; N if none is known
   * @return B, or empty if not even the full batch is stable
   */
  public OptionalInt criticalBatchSize(GramMatrix gram, SgdStep step, int certified) {
    int stable = certified;
    if (certified == gram.examples() && !isStable(gram, step.withBatchSize(certified))) {
      return OptionalInt.empty();
    }
    int unstable = 0;
    while (stable - unstable > 1) {
      int middle = (stable + unstable) >>> 1;
      if (isStable(gram, step.withBatchSize(middle))) {
        stable = middle;
      } else {
        unstable = middle;
      }
    }
    return OptionalInt.of(stable);
  }

  private boolean isStable(GramMatrix gram, SgdStep step) {
    if (step.isFullBatch(gram.examples())) {
      double curvature = LargestEigenpair.of(gram).value() / gram.examples();
      return curvature < FullBatchExponent.criticalCurvature(step);
    }
    return estimator(gram, step).estimate(gram, step).sign() == Sign.NEGATIVE;
  }

  /** As many as a fixed amount of work allows: small matrices can afford narrow intervals. */
  private static int affordableEpochs(int size, int stepsPerEpoch) {
    double work = 2.0 * size * size + stepsPerEpoch * (4.0 * size + OVERHEAD_PER_STEP);
    return (int) Math.max(FEWEST_EPOCHS, Math.min(MOST_EPOCHS, WORK_PER_EVALUATION / work));
  }

  private GrowthEstimator estimator(GramMatrix gram, SgdStep step) {
    int stepsPerEpoch = MiniBatchSampler.stepsPerEpoch(gram.examples(), step.batchSize());
    int epochs =
        settings.maxEpochs > 0
            ? settings.maxEpochs
            : Math.max(
                affordableEpochs(gram.size(), stepsPerEpoch), SMALLEST_STEPS / stepsPerEpoch);
    return GrowthEstimator.builder()
        .seed(settings.seed)
        .threads(settings.threads)
        .cancelled(settings.cancelled)
        .burnInEpochs(Math.max(10, 64 / stepsPerEpoch))
        .maxEpochs(epochs)
        .level(0.01)
        .build();
  }

  /** One search over learning rates. */
  private final class Search {
    private final GramMatrix gram;
    private final SgdStep step;
    private final GrowthEstimator estimator;
    private final List<CriticalLearningRate.Evaluation> evaluations = new ArrayList<>();
    private Optional<Tangent> direction;
    private double stable;
    private double unstable = Double.POSITIVE_INFINITY;

    Search(GramMatrix gram, SgdStep step, Optional<Tangent> start) {
      this.gram = gram;
      this.step = step;
      estimator = estimator(gram, step);
      direction = start;
    }

    CriticalLearningRate run(double certified, double guess) {
      stable = certified;
      climb(guess);
      descend(guess);
      narrow();
      double value = Math.min(unstable, Math.max(stable, crossing()));
      return new CriticalLearningRate(value, stable, unstable, false, evaluations);
    }

    /**
     * ηβ ≤ 2 is stable for plain SGD; momentum moves that bound about as it moves the full-batch
     * one.
     */
    double smallBatchGuess(double fullBatch) {
      double plain =
          FullBatchExponent.criticalLearningRate(
              1, step.withMomentum(Momentum.NONE).withL2(0).withWeightDecay(0));
      double same = FullBatchExponent.criticalLearningRate(1, step.withL2(0).withWeightDecay(0));
      double bound = 0;
      for (int i = 0; i < gram.size(); i++) {
        bound = Math.max(bound, gram.get(i, i));
      }
      return Math.min(fullBatch, 2 / bound * same / plain);
    }

    private void climb(double guess) {
      double rate = guess;
      for (int i = 0; i < MOST_CLIMBS && unstable == Double.POSITIVE_INFINITY; i++) {
        evaluate(rate);
        rate *= CLIMB;
      }
    }

    private void descend(double guess) {
      double rate = guess;
      for (int i = 0; i < MOST_CLIMBS && stable == 0; i++) {
        rate /= CLIMB;
        evaluate(rate);
      }
    }

    private void narrow() {
      while (evaluations.size() < MOST_EVALUATIONS + MOST_CLIMBS
          && unstable < Double.POSITIVE_INFINITY
          && stable > 0
          && unstable / stable > 1 + settings.tolerance) {
        double next = next();
        if (Double.isNaN(next)) {
          return;
        }
        evaluate(next);
      }
    }

    /**
     * The middle of the wider gap beside what is undecided; the predicted crossing while nothing
     * is.
     */
    private double next() {
      List<Double> undecided = undecided();
      if (undecided.isEmpty()) {
        double predicted = crossing();
        double margin = Math.pow(unstable / stable, 0.15);
        boolean inside = predicted > stable * margin && predicted < unstable / margin;
        return inside ? predicted : Math.sqrt(stable * unstable);
      }
      double below = undecided.get(0) / stable;
      double above = unstable / undecided.get(undecided.size() - 1);
      if (Math.max(below, above) <= 1 + settings.tolerance) {
        return Double.NaN;
      }
      return above >= below ? unstable / Math.sqrt(above) : stable * Math.sqrt(below);
    }

    private List<Double> undecided() {
      return evaluations.stream()
          .filter(e -> !e.isPositive() && !e.isNegative())
          .map(CriticalLearningRate.Evaluation::learningRate)
          .filter(rate -> rate > stable && rate < unstable)
          .sorted()
          .toList();
    }

    /**
     * Where the estimates, joined by straight lines, come up through zero for the last time; the
     * common random numbers make them a smooth function. Without an estimate below zero, where the
     * two lowest extrapolate to zero.
     */
    private double crossing() {
      List<CriticalLearningRate.Evaluation> sorted =
          evaluations.stream()
              .sorted(Comparator.comparingDouble(CriticalLearningRate.Evaluation::learningRate))
              .toList();
      int last = sorted.size() - 1;
      while (last > 0 && sorted.get(last - 1).exponent() > 0) {
        last--;
      }
      int other = last > 0 ? last - 1 : Math.min(last + 1, sorted.size() - 1);
      double slope =
          (sorted.get(other).exponent() - sorted.get(last).exponent())
              / (sorted.get(other).learningRate() - sorted.get(last).learningRate());
      return slope > 0
          ? sorted.get(last).learningRate() - sorted.get(last).exponent() / slope
          : Math.sqrt(Math.max(stable, Double.MIN_NORMAL) * unstable);
    }

    private void evaluate(double rate) {
      GrowthEstimate estimate = estimator.estimate(gram, step.withLearningRate(rate), direction);
      boolean positive = estimate.sign() == Sign.POSITIVE;
      boolean negative = estimate.sign() == Sign.NEGATIVE;
      evaluations.add(
          new CriticalLearningRate.Evaluation(
              rate, estimate.value(), estimate.standardError(), positive, negative));
      if (positive && rate < unstable) {
        unstable = rate;
        direction = estimate.tangent();
      }
      if (negative && rate > stable && rate < unstable) {
        stable = rate;
      }
    }
  }

  /** Settings of an {@link EdgeFinder}. */
  public static final class Builder {
    private long seed = 1;
    private int threads = Runtime.getRuntime().availableProcessors();
    private int maxEpochs;
    private double tolerance = 0.02;
    private BooleanSupplier cancelled = () -> false;

    private Builder() {}

    /**
     * Fixes every random draw.
     *
     * @param seed any value; default 1
     * @return this
     */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * Threads for sampling; never changes a result.
     *
     * @param threads at least 1; default all processors
     * @return this
     */
    public Builder threads(int threads) {
      if (threads < 1) {
        throw new IllegalArgumentException("threads must be at least 1, got " + threads);
      }
      this.threads = threads;
      return this;
    }

    /**
     * The budget of measured epochs at each learning rate.
     *
     * @param epochs at least 16; by default 128 to 8192, fewer for larger matrices
     * @return this
     */
    public Builder maxEpochs(int epochs) {
      if (epochs < 16) {
        throw new IllegalArgumentException("maximal epochs must be at least 16, got " + epochs);
      }
      maxEpochs = epochs;
      return this;
    }

    /**
     * The relative width of the interval at which the search ends, if the sign test can resolve it.
     *
     * @param tolerance in (0, 1); default 0.02
     * @return this
     */
    public Builder tolerance(double tolerance) {
      if (!(tolerance > 0 && tolerance < 1)) {
        throw new IllegalArgumentException("tolerance must be between 0 and 1, got " + tolerance);
      }
      this.tolerance = tolerance;
      return this;
    }

    /**
     * A cancellation check, asked between epochs from several threads.
     *
     * @param cancelled true to stop
     * @return this
     */
    public Builder cancelled(BooleanSupplier cancelled) {
      this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
      return this;
    }

    /**
     * The finder.
     *
     * @return an immutable finder
     */
    public EdgeFinder build() {
      Builder copy = new Builder();
      copy.seed = seed;
      copy.threads = threads;
      copy.maxEpochs = maxEpochs;
      copy.tolerance = tolerance;
      copy.cancelled = cancelled;
      return new EdgeFinder(copy);
    }
  }
}
