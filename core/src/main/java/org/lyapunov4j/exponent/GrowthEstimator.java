// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;
import java.util.function.LongSupplier;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * Estimates the top Lyapunov exponent of a step by the log growth of residuals.
 *
 * <p>Each of R trajectories starts at a random residual (or a given {@link Tangent}), runs a few
 * epochs at a larger learning rate to find the dominant direction, burns in, and is then measured
 * epoch by epoch. At 16, 32, 64, … epochs the history is cut into 16 equal batches per trajectory;
 * the sign is decided when |mean/se| exceeds the Student quantile at level α/(2L), L the number of
 * looks. Sampling ends when the sign is decided or a budget is used up. The value is the mean, or
 * where they apply (i.i.d. sampling, no momentum, B ≥ 8) the intercept of a regression on two
 * martingale control variates.
 *
 * <p>The seed fixes the result bit for bit, whatever the number of threads; a time budget or
 * cancellation, if it strikes, does not.
 *
 * <p>Cost: 2m² flops per epoch and trajectory.
 */
public final class GrowthEstimator {
  private static final int BATCHES = 16;

  private final Builder settings;

  private GrowthEstimator(Builder settings) {
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
   * This estimator with a smaller budget, for when the sign is known already.
   *
   * @param epochs at least 2
   * @return an estimator that measures at most so many epochs
   */
  public GrowthEstimator limitedTo(int epochs) {
    Builder limited = settings.copy();
    limited.minEpochs(Math.min(limited.minEpochs, epochs));
    limited.maxEpochs(Math.min(limited.maxEpochs, epochs));
    return limited.build();
  }

  /**
   * Estimates λ from random starts.
   *
   * @param gram G
   * @param step the step; its batch size at most N
   * @return the estimate
   * @throws CancellationException if cancelled before anything was measured
   */
  public GrowthEstimate estimate(GramMatrix gram, SgdStep step) {
    return estimate(gram, step, Optional.empty());
  }

  /**
   * Estimates λ.
   *
   * @param gram G
   * @param step the step; its batch size at most N
   * @param start where to start, usually {@link GrowthEstimate#tangent()} of the checkpoint before
   * @return the estimate
   * @throws CancellationException if cancelled before anything was measured
   */
  public GrowthEstimate estimate(GramMatrix gram, SgdStep step, Optional<Tangent> start) {
    double[] coefficients = start.map(Tangent::toArray).orElseGet(() -> new double[0]);
    if (coefficients.length != 0 && coefficients.length != gram.size()) {
      throw new IllegalArgumentException(
          "a tangent must have as many coefficients as the Gram matrix has rows, "
              + gram.size()
              + ", got "
              + coefficients.length);
    }
    return new Run(gram, step, coefficients).execute();
  }

  /** One estimation. */
  private final class Run {
    private final GramMatrix gram;
    private final SgdStep step;
    private final List<Trajectory> trajectories = new ArrayList<>();
    private final long deadline;
    private final int[] looks;
    private final boolean warm;
    private final List<GrowthEstimate.Look> history = new ArrayList<>();
    private volatile boolean outOfTime;
    private volatile boolean cancelled;

    Run(GramMatrix gram, SgdStep step, double[] start) {
      this.gram = gram;
      this.step = step;
      warm = start.length > 0;
      deadline = settings.clock.getAsLong() + settings.timeBudget.toNanos();
      looks = looks(settings.minEpochs, settings.maxEpochs);
      RandomStream random = new RandomStream(settings.seed);
      for (int t = 0; t < settings.trajectories; t++) {
        trajectories.add(
            new Trajectory(gram, step, random.split(t), start, settings.controlVariates));
      }
    }

    GrowthEstimate execute() {
      StopReason reason = sample();
      if (trajectories.stream().allMatch(Trajectory::annihilated)) {
        return annihilated();
      }
      int epochs = trajectories.stream().mapToInt(Trajectory::epochs).min().orElse(0);
      if (epochs < 2) {
        throw new CancellationException(
            "stopped before two epochs were measured; raise the time budget of "
                + settings.timeBudget);
      }
      return summarise(reason, epochs);
    }

    private StopReason sample() {
      int done = 0;
      for (int look : looks) {
        int from = done;
        Parallel.run(trajectories, settings.threads, trajectory -> advance(trajectory, from, look));
        done = look;
        if (cancelled) {
          return StopReason.CANCELLED;
        }
        if (outOfTime) {
          return StopReason.TIME_BUDGET;
        }
        if (trajectories.stream().allMatch(Trajectory::annihilated)) {
          return StopReason.ANNIHILATED;
        }
        BatchMeans means = BatchMeans.of(trajectories, done, BATCHES);
        history.add(new GrowthEstimate.Look(done, means.mean(), means.standardError()));
        if (decide(means) != Sign.UNDECIDED && done >= settings.minEpochs) {
          return StopReason.SIGN_DECIDED;
        }
      }
      return StopReason.EPOCH_BUDGET;
    }

    private void advance(Trajectory trajectory, int from, int to) {
      if (from == 0) {
        if (!warm) {
          trajectory.warmUp(
              step.withLearningRate(step.learningRate() * settings.warmUpFactor),
              settings.warmUpEpochs);
        }
        trajectory.warmUp(step, settings.burnInEpochs);
      }
      boolean reporting = trajectory == trajectories.get(0);
      for (int epoch = from; epoch < to; epoch++) {
        if (shouldStop()) {
          return;
        }
        trajectory.measureEpoch();
        if (reporting) {
          settings.progress.accept((epoch + 1.0) / looks[looks.length - 1]);
        }
      }
    }

    private boolean shouldStop() {
      if (settings.cancelled.getAsBoolean() || Thread.currentThread().isInterrupted()) {
        cancelled = true;
      }
      if (settings.clock.getAsLong() - deadline > 0) {
        outOfTime = true;
      }
      return cancelled || outOfTime;
    }

    private Sign decide(BatchMeans means) {
      double zeroBand = gram.isSinglePrecision() ? 1e-7 : 1e-14;
      double critical = means.quantile(1 - settings.level / (2 * looks.length));
      if (!(Math.abs(means.mean()) > Math.max(zeroBand, critical * means.standardError()))) {
        return Sign.UNDECIDED;
      }
      return means.mean() > 0 ? Sign.POSITIVE : Sign.NEGATIVE;
    }

    private GrowthEstimate summarise(StopReason reason, int epochs) {
      int batches = epochs < BATCHES ? epochs : BATCHES;
      int used = epochs - epochs % batches;
      BatchMeans means = BatchMeans.of(trajectories, used, batches);
      Sign sign = epochs < BATCHES ? Sign.UNDECIDED : decide(means);
      BatchMeans.Fit fit = means.fit();
      double margin = fit.standardError() * fit.quantile(0.975);
      long stepsPerEpoch = MiniBatchSampler.stepsPerEpoch(gram.examples(), step.batchSize());
      long steps = stepsPerEpoch * used * trajectories.size();
      double excess = trajectories.stream().mapToDouble(Trajectory::energyExcess).sum();
      return new GrowthEstimate(
          fit.value(),
          fit.standardError(),
          fit.value() - margin,
          fit.value() + margin,
          steps,
          used,
          trajectories.size(),
          means.standardError() * means.standardError() * steps,
          means.mean() + excess / steps,
          fit.varianceReduction(),
          sign,
          settings.level,
          reason,
          history,
          Optional.of(Tangent.of(trajectories.get(0).coefficients())));
    }

    private GrowthEstimate annihilated() {
      double value = Double.NEGATIVE_INFINITY;
      return new GrowthEstimate(
          value,
          0,
          value,
          value,
          0,
          0,
          trajectories.size(),
          0,
          value,
          1,
          Sign.NEGATIVE,
          settings.level,
          StopReason.ANNIHILATED,
          history,
          Optional.empty());
    }
  }

  /** 16, 32, 64, … up to the budget, which is always the last look. */
  private static int[] looks(int first, int last) {
    List<Integer> looks = new ArrayList<>();
    for (int epochs = Math.max(first, BATCHES); epochs < last; epochs *= 2) {
      looks.add(epochs);
    }
    looks.add(last < BATCHES ? last : last - last % BATCHES);
    return looks.stream().distinct().mapToInt(Integer::intValue).toArray();
  }

  /** Settings of a {@link GrowthEstimator}; every method refuses nonsense at once. */
  public static final class Builder {
    private long seed = 1;
    private int trajectories = 2;
    private int threads = Runtime.getRuntime().availableProcessors();
    private int warmUpEpochs = 10;
    private double warmUpFactor = 1.2;
    private int burnInEpochs = 20;
    private int minEpochs = BATCHES;
    private int maxEpochs = 1024;
    private double level = 0.05;
    private boolean controlVariates = true;
    private Duration timeBudget = Duration.ofDays(365);
    private BooleanSupplier cancelled = () -> false;
    private DoubleConsumer progress = fraction -> {};
    private LongSupplier clock = System::nanoTime;

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
     * Independent realisations; part of what the seed fixes.
     *
     * @param trajectories at least 1; default 2
     * @return this
     */
    public Builder trajectories(int trajectories) {
      this.trajectories = requireAtLeast("trajectories", trajectories, 1);
      return this;
    }

    /**
     * Threads to run trajectories on; never changes a result.
     *
     * @param threads at least 1; default all processors
     * @return this
     */
    public Builder threads(int threads) {
      this.threads = requireAtLeast("threads", threads, 1);
      return this;
    }

    /**
     * Unmeasured epochs at the start, at the step itself.
     *
     * @param epochs at least 0; default 20
     * @return this
     */
    public Builder burnInEpochs(int epochs) {
      burnInEpochs = requireAtLeast("burn-in epochs", epochs, 0);
      return this;
    }

    /**
     * The smallest number of measured epochs.
     *
     * @param epochs at least 2, a multiple of 16 if 16 or more; default 16
     * @return this
     */
    public Builder minEpochs(int epochs) {
      requireAtLeast("minimal epochs", epochs, 2);
      minEpochs = epochs;
      return this;
    }

    /**
     * The budget of measured epochs of each trajectory; rounded down to a multiple of 16 if 16 or
     * more.
     *
     * @param epochs at least 2; default 1024
     * @return this
     */
    public Builder maxEpochs(int epochs) {
      maxEpochs = requireAtLeast("maximal epochs", epochs, 2);
      return this;
    }

    /**
     * Measures exactly so many epochs, whatever the sign test says.
     *
     * @param epochs at least 2; rounded down to a multiple of 16 if 16 or more
     * @return this
     */
    public Builder epochs(int epochs) {
      int rounded = epochs < BATCHES ? epochs : epochs - epochs % BATCHES;
      return minEpochs(rounded).maxEpochs(rounded);
    }

    /**
     * The error level of the sign test over all looks together.
     *
     * @param level in (0, 1); default 0.05
     * @return this
     */
    public Builder level(double level) {
      if (!(level > 0 && level < 1)) {
        throw new IllegalArgumentException("level must be between 0 and 1, got " + level);
      }
      this.level = level;
      return this;
    }

    /**
     * Whether to use control variates where they apply.
     *
     * @param use default true
     * @return this
     */
    public Builder controlVariates(boolean use) {
      controlVariates = use;
      return this;
    }

    /**
     * A budget of wall-clock time, checked between epochs.
     *
     * @param budget positive; default a year
     * @return this
     */
    public Builder timeBudget(Duration budget) {
      if (budget.isNegative() || budget.isZero()) {
        throw new IllegalArgumentException("time budget must be positive, got " + budget);
      }
      timeBudget = budget;
      return this;
    }

    /**
     * A cancellation check, asked between epochs from several threads. An interrupt of the calling
     * thread cancels as well.
     *
     * @param cancelled true to stop
     * @return this
     */
    public Builder cancelled(BooleanSupplier cancelled) {
      this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
      return this;
    }

    /**
     * Progress of the epoch budget, called after each epoch of the first trajectory on the calling
     * thread.
     *
     * @param progress receives a fraction in (0, 1]
     * @return this
     */
    public Builder progress(DoubleConsumer progress) {
      this.progress = Objects.requireNonNull(progress, "progress");
      return this;
    }

    Builder clock(LongSupplier nanoseconds) {
      clock = nanoseconds;
      return this;
    }

    /**
     * The estimator.
     *
     * @return an immutable estimator, safe for use by several threads
     */
    public GrowthEstimator build() {
      if (minEpochs > maxEpochs) {
        throw new IllegalArgumentException(
            "minimal epochs must not exceed maximal epochs, got "
                + minEpochs
                + " and "
                + maxEpochs);
      }
      return new GrowthEstimator(copy());
    }

    private Builder copy() {
      Builder copy = new Builder();
      copy.seed = seed;
      copy.trajectories = trajectories;
      copy.threads = threads;
      copy.warmUpEpochs = warmUpEpochs;
      copy.warmUpFactor = warmUpFactor;
      copy.burnInEpochs = burnInEpochs;
      copy.minEpochs = minEpochs;
      copy.maxEpochs = maxEpochs;
      copy.level = level;
      copy.controlVariates = controlVariates;
      copy.timeBudget = timeBudget;
      copy.cancelled = cancelled;
      copy.progress = progress;
      copy.clock = clock;
      return copy;
    }

    private static int requireAtLeast(String name, int value, int smallest) {
      if (value < smallest) {
        throw new IllegalArgumentException(
            name + " must be at least " + smallest + ", got " + value);
      }
      return value;
    }
  }
}
