// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.SlowestMode;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * Estimates the top Lyapunov exponent of a step.
 *
 * <p>λ is that of the branch of the product that wins. While training is stable it is the <b>slow
 * branch</b>, pinned near log|1 − ηκ_min/N|: products that start at the slowest direction of G have
 * no transient. Beyond the edge it is the <b>unstable branch</b>: products that start from random
 * residuals and are first driven by a larger learning rate. If the unstable branch grows, λ is its
 * growth; if it shrinks, λ is that of the slow branch. If neither can be said, λ is between the
 * two. A caller who knows the sign, from a certificate or from η_c, has only one branch measured.
 *
 * <p>Growth is that of the energy wᵀGw, block by block, with control variates where batches are
 * drawn independently. After 1024, 2048, 4096, … steps the blocks of all realisations are cut into
 * 16 batches; sampling ends when the half-width of the 95 % interval is below the precision asked
 * for, or the budget is used up.
 *
 * <p>Where the slowest direction is lost in rounding (see {@link SlowestMode}) or cannot be had, a
 * negative λ is a bound: not below the slowest mode that is resolved, not above 0.
 *
 * <p>The seed fixes the result bit for bit, whatever the number of threads; a time budget, if it
 * strikes, does not. Cost: 2mBK flops a step.
 */
public final class LyapunovEstimator {
  private static final int FIRST_LOOK = 1024;
  private static final int BURN_IN_STEPS = 64;

  /** Velocities settle within some 1/(1 − β) steps. */
  private static final double BURN_IN_MEMORIES = 8;

  /**
   * The unstable direction is found by epochs at a larger learning rate, then at the step itself.
   */
  private static final int DRIVEN_EPOCHS = 30;

  private static final double DRIVE = 1.15;
  private static final int RELEASED_EPOCHS = 2;

  /** Steps of all realisations, and flops of one, that the default budget allows. */
  private static final int MOST_STEPS = 65_536;

  private static final double MOST_WORK = 1.5e9;

  /** Flops that a step costs beside its 2mBK, and those for every row of G. */
  private static final double OVERHEAD = 3000;

  private static final double OVERHEAD_PER_ROW = 10;

  /**
   * An unstable direction has died out where at most this share of the second half of each run is
   * not quiet.
   */
  private static final double LOUD_SHARE = 0.1;

  private final Builder settings;

  private LyapunovEstimator(Builder settings) {
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
   * Estimates λ of a matrix that is decomposed for it; for the full batch it is exact.
   *
   * @param gram G ≠ 0
   * @param step the step; its batch size at most N
   * @return the exponent
   * @throws CancellationException if cancelled, or out of time before anything was measured
   */
  public LyapunovExponent estimate(GramMatrix gram, SgdStep step) {
    GramSpectrum spectrum = GramSpectrum.of(gram);
    return step.isFullBatch(gram.examples())
        ? FullBatchExponent.bounds(spectrum, step)
        : estimate(gram, step, SlowestMode.of(spectrum), Sign.UNDECIDED);
  }

  /**
   * Estimates λ.
   *
   * @param gram G ≠ 0
   * @param step the step; its batch size at most N
   * @param slowest the slowest mode of G; empty if it is not known, then a negative λ is a bound
   * @param known the sign of λ, if it is known
   * @return the exponent; of the known sign, if one is known
   * @throws CancellationException if cancelled, or out of time before anything was measured
   */
  public LyapunovExponent estimate(
      GramMatrix gram, SgdStep step, Optional<SlowestMode> slowest, Sign known) {
    return new Estimation(new PlainMotion(gram, step, slowest)).execute(known, true);
  }

  /**
   * Estimates λ of a step that is near the edge, as far as η_c is known: only growth decides there,
   * since a direction that dies out within the budget may come back in rare bursts.
   *
   * @param gram G ≠ 0
   * @param step the step; its batch size at most N
   * @param slowest the slowest mode of G; empty if it is not known
   * @return the exponent, never of negative sign
   * @throws CancellationException if cancelled, or out of time before anything was measured
   */
  public LyapunovExponent estimateNearEdge(
      GramMatrix gram, SgdStep step, Optional<SlowestMode> slowest) {
    return new Estimation(new PlainMotion(gram, step, slowest)).execute(Sign.UNDECIDED, false);
  }

  /**
   * Estimates λ of groups of parameters. Below the edge the growth is that along the slowest
   * direction of the mean step, where groups decay differently a creep.
   *
   * @param gram G ≠ 0 and its parts
   * @param step the groups; batch size at most N
   * @param mean the same step on all examples
   * @param known the sign of λ, if it is known
   * @param nearEdge whether the step is so near to the edge that only growth decides, as in {@link
   *     #estimateNearEdge}
   * @return the exponent; of the known sign, if one is known
   * @throws CancellationException if cancelled, or out of time before anything was measured
   */
  public LyapunovExponent estimate(
      GroupedGram gram, GroupedStep step, GroupedFullBatch mean, Sign known, boolean nearEdge) {
    double sharpness = LargestEigenpair.of(gram.whole()).value() / gram.whole().examples();
    return new Estimation(new GroupedMotion(gram, step, mean, sharpness)).execute(known, !nearEdge);
  }

  /** One estimation. */
  private final class Estimation {
    private final Motion motion;
    private final GramMatrix gram;
    private final SgdStep step;
    private final double zeroBand;
    private final int stepsPerBlock;
    private final int stepsPerEpoch;
    private final long deadline;
    private volatile boolean cancelled;
    private volatile boolean outOfTime;

    Estimation(Motion motion) {
      this.motion = motion;
      gram = motion.gram();
      step = motion.step();
      zeroBand = Math.max(64 * Math.ulp(1.0), gram.epsilon());
      stepsPerBlock = MeasuredRun.stepsPerBlock(gram, step);
      stepsPerEpoch = MiniBatchSampler.stepsPerEpoch(gram.examples(), step.batchSize());
      deadline = settings.clock.getAsLong() + settings.timeBudget.toNanos();
    }

    LyapunovExponent execute(Sign known, boolean decayDecides) {
      if (known == Sign.NEGATIVE) {
        return negative(slow());
      }
      Branch unstable = unstable();
      if (unstable.annihilated()) {
        return new ExactExponent(Double.NEGATIVE_INFINITY);
      }
      if (known == Sign.POSITIVE || unstable.sign() == Sign.POSITIVE) {
        return positive(unstable);
      }
      Branch slow = slow();
      if (slow.sign() == Sign.POSITIVE) {
        return positive(slow);
      }
      return decayDecides && (unstable.sign() == Sign.NEGATIVE || unstable.diedOut())
          ? negative(slow)
          : undecided(slow, unstable);
    }

    private Branch slow() {
      List<MeasuredRun> runs = runs(0, motion::slow);
      double memories = BURN_IN_MEMORIES / (1 - step.momentum().coefficient());
      long burnIn = motion.startsSlowly() ? BURN_IN_STEPS + (long) memories : released();
      warmUp(runs, run -> run.warmUp(step, wholeEpochs(burnIn)));
      return new Branch(LyapunovEstimate.Branch.SLOW, runs).sample();
    }

    private Branch unstable() {
      List<MeasuredRun> runs = runs(1, motion::unstable);
      SgdStep driven = step.withLearningRate(DRIVE * step.learningRate());
      warmUp(
          runs,
          run -> {
            run.warmUp(driven, (long) DRIVEN_EPOCHS * stepsPerEpoch);
            run.warmUp(step, released());
          });
      return new Branch(LyapunovEstimate.Branch.UNSTABLE, runs).sample();
    }

    private long released() {
      return wholeEpochs(Math.max(BURN_IN_STEPS, (long) RELEASED_EPOCHS * stepsPerEpoch));
    }

    /** Measuring starts with an epoch where steps of one epoch depend on each other. */
    private long wholeEpochs(long steps) {
      return step.sampling().isIndependent()
          ? steps
          : (steps + stepsPerEpoch - 1) / stepsPerEpoch * stepsPerEpoch;
    }

    private List<MeasuredRun> runs(int branch, Function<RandomStream, MeasuredRun> start) {
      RandomStream random = new RandomStream(settings.seed).split(branch);
      List<MeasuredRun> runs = new ArrayList<>();
      for (int t = 0; t < settings.realisations; t++) {
        runs.add(start.apply(random.split(t)));
      }
      return runs;
    }

    private void warmUp(List<MeasuredRun> runs, Consumer<MeasuredRun> task) {
      Parallel.run(runs, settings.threads, task);
      requireGoingOn();
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

    private void requireGoingOn() {
      shouldStop();
      if (cancelled) {
        throw new CancellationException("the estimate of the exponent was cancelled");
      }
    }

    private int mostBlocks() {
      if (settings.maxEpochs > 0) {
        return Math.max(2, (int) ((long) settings.maxEpochs * stepsPerEpoch / stepsPerBlock));
      }
      double rows = (double) step.batchSize() * gram.outputs();
      double work =
          2.0 * motion.parts() * gram.size() * rows + OVERHEAD_PER_ROW * gram.size() + OVERHEAD;
      double steps = Math.min((double) MOST_STEPS / settings.realisations, MOST_WORK / work);
      return (int) Math.max(firstBlocks(), steps / stepsPerBlock);
    }

    /** At least two blocks a batch where they are short. */
    private int firstBlocks() {
      int batches = Math.max(2, GrowthFit.BATCHES / settings.realisations);
      int steps = FIRST_LOOK / settings.realisations / stepsPerBlock;
      return Math.max(batches, steps - steps % batches);
    }

    private Sign sign(double low, double high) {
      if (low > zeroBand) {
        return Sign.POSITIVE;
      }
      return high < -zeroBand ? Sign.NEGATIVE : Sign.UNDECIDED;
    }

    private LyapunovExponent positive(Branch branch) {
      return branch.low() > 0
          ? branch.estimate(Sign.POSITIVE, branch.low(), branch.high())
          : new ExponentBound(
              0,
              Math.max(0, branch.high()),
              Sign.POSITIVE,
              "the growth is too slow to be resolved in " + branch.steps() + " steps");
    }

    private LyapunovExponent negative(Branch branch) {
      if (branch.annihilated()) {
        return new ExactExponent(Double.NEGATIVE_INFINITY);
      }
      double low = branch.low();
      Optional<ExponentBound> hidden = motion.hidden(low);
      if (hidden.isPresent()) {
        return hidden.get();
      }
      return branch.fit.value() < 0
          ? branch.estimate(Sign.NEGATIVE, low, Math.min(0, branch.high()))
          : new ExponentBound(
              Math.min(motion.slowestDecay(), low), // bursts only ever slow it down
              0,
              Sign.NEGATIVE,
              "rare bursts hide the rate of decay");
    }

    /**
     * The wider of two branches that mix and agree. While the slow one is quiet they measure
     * different things, and λ is somewhere between them.
     */
    private LyapunovExponent undecided(Branch slow, Branch unstable) {
      if (slow.annihilated()) {
        return unstable.estimate(unstable.sign(), unstable.low(), unstable.high());
      }
      boolean agree = slow.low() <= unstable.high() && unstable.low() <= slow.high();
      if (agree && !slow.diedOut()) {
        Branch wider = slow.fit.halfWidth() > unstable.fit.halfWidth() ? slow : unstable;
        return wider.estimate(Sign.UNDECIDED, wider.low(), wider.high());
      }
      return new ExponentBound(
          Math.min(slow.low(), unstable.low()),
          Math.max(0, Math.max(slow.high(), unstable.high())), // bursts may come back
          Sign.UNDECIDED,
          "neither the slow nor the unstable direction has won within "
              + unstable.steps()
              + " steps");
    }

    /** One branch with what was measured of it. */
    private final class Branch {
      private final LyapunovEstimate.Branch kind;
      private final List<MeasuredRun> runs;
      private final List<LyapunovEstimate.Look> history = new ArrayList<>();
      private GrowthFit fit;
      private StopReason reason;
      private int blocks;

      Branch(LyapunovEstimate.Branch kind, List<MeasuredRun> runs) {
        this.kind = kind;
        this.runs = runs;
      }

      Branch sample() {
        int most = mostBlocks();
        int look = Math.min(most, firstBlocks());
        while (reason == null) {
          measure(look, most);
          if (annihilated()) {
            return this;
          }
          fit =
              kind == LyapunovEstimate.Branch.SLOW
                  ? GrowthFit.slow(runs, blocks)
                  : GrowthFit.unstable(runs, blocks);
          history.add(new LyapunovEstimate.Look(steps(), fit.value(), fit.halfWidth()));
          if (outOfTime) {
            reason = StopReason.TIME_BUDGET;
          } else if (fit.halfWidth() <= settings.precision * Math.abs(fit.value())) {
            reason = StopReason.PRECISION_REACHED;
          } else if (look >= most || (2 * look > most && settings.maxEpochs == 0)) {
            reason = StopReason.EPOCH_BUDGET;
          }
          look = Math.min(2 * look, most);
        }
        return this;
      }

      private void measure(int until, int most) {
        Parallel.run(
            runs,
            settings.threads,
            run -> {
              boolean reporting = run == runs.get(0);
              while (run.blocks() < until && !run.annihilated() && !shouldStop()) {
                run.measure(run.blocks() + 1);
                if (reporting) {
                  settings.progress.accept((double) run.blocks() / most);
                }
              }
            });
        requireGoingOn();
        blocks = runs.stream().mapToInt(MeasuredRun::blocks).min().orElse(0);
        if (blocks < 2 && !annihilated()) {
          throw new CancellationException(
              "the time budget of "
                  + settings.timeBudget
                  + " was over before anything was measured; raise it");
        }
      }

      boolean annihilated() {
        return runs.stream().allMatch(MeasuredRun::annihilated);
      }

      double low() {
        return fit.value() - fit.halfWidth();
      }

      double high() {
        return fit.value() + fit.halfWidth();
      }

      long steps() {
        return (long) blocks * stepsPerBlock * runs.size();
      }

      Sign sign() {
        return Estimation.this.sign(low(), high());
      }

      /** Whether the direction that the runs started from is gone and has not come back. */
      boolean diedOut() {
        return runs.stream().allMatch(run -> run.loudShare(blocks / 2, blocks) <= LOUD_SHARE);
      }

      LyapunovEstimate estimate(Sign sign, double low, double high) {
        return new LyapunovEstimate(
            fit.value(),
            fit.standardError(),
            low,
            high,
            sign,
            kind,
            steps(),
            runs.size(),
            fit.variancePerStep(),
            reason,
            history);
      }
    }
  }

  /** Settings of a {@link LyapunovEstimator}; every method refuses nonsense at once. */
  public static final class Builder extends EstimatorBuilder<Builder> {
    private int realisations = 2;
    private int maxEpochs;
    private double precision = 0.02;
    private Duration timeBudget = Duration.ofDays(365);
    private DoubleConsumer progress = fraction -> {};
    private LongSupplier clock = System::nanoTime;

    private Builder() {}

    /**
     * Independent realisations of each branch; part of what the seed fixes.
     *
     * @param realisations at least 1; default 2
     * @return this
     */
    public Builder realisations(int realisations) {
      this.realisations = requireAtLeast("realisations", realisations, 1);
      return this;
    }

    /**
     * The budget of measured epochs of each realisation.
     *
     * @param epochs at least 1; by default what 65 536 steps in all and 1.5·10⁹ flops a realisation
     *     allow, but at least 1024 steps in all
     * @return this
     */
    public Builder maxEpochs(int epochs) {
      maxEpochs = requireAtLeast("maximal epochs", epochs, 1);
      return this;
    }

    /**
     * Measures exactly so many epochs of each realisation, whatever the precision.
     *
     * @param epochs at least 1
     * @return this
     */
    public Builder epochs(int epochs) {
      return maxEpochs(epochs).precision(0);
    }

    /**
     * The half-width of the 95 % interval, relative to the estimate, at which sampling ends.
     *
     * @param precision at least 0; default 0.02; 0 uses up the budget
     * @return this
     */
    public Builder precision(double precision) {
      if (!(precision >= 0)) {
        throw new IllegalArgumentException("precision must be at least 0, got " + precision);
      }
      this.precision = precision;
      return this;
    }

    /**
     * A budget of wall-clock time, checked between blocks of some 16 steps.
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
     * Progress of the budget of each branch in turn, on the calling thread.
     *
     * @param progress receives a fraction in (0, 1]
     * @return this
     */
    public Builder progress(DoubleConsumer progress) {
      this.progress = Objects.requireNonNull(progress, "progress");
      return this;
    }

    @Override
    protected Builder self() {
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
    public LyapunovEstimator build() {
      return new LyapunovEstimator(copy());
    }

    private Builder copy() {
      Builder copy = share(new Builder());
      copy.realisations = realisations;
      copy.maxEpochs = maxEpochs;
      copy.precision = precision;
      copy.timeBudget = timeBudget;
      copy.progress = progress;
      copy.clock = clock;
      return copy;
    }
  }
}
