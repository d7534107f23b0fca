// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.hipparchus.distribution.continuous.TDistribution;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * λ of a step without a Gram matrix, from tangent vectors in the space of the parameters.
 *
 * <p>Beyond the edge λ is the growth of the unstable branch, and estimated. Below it λ is that of
 * the slowest direction, which products with J alone do not reach: then λ is a bound, from the
 * smallest curvature that is known to be in the spectrum up to 0.
 *
 * <p>The seed fixes the result bit for bit, whatever the number of threads.
 */
public final class ParameterEstimator {
  private static final double DRIVE = 1.15;
  private static final int DRIVEN_BLOCKS = 24;
  private static final int RELEASED_BLOCKS = 4;
  private static final int REALISATIONS = 2;
  private static final int FIRST_LOOK = 32;
  private static final int MOST_BLOCKS = 1024;

  /** Flops of one realisation. */
  private static final double MOST_WORK = 2e11;

  /** As for {@link GrowthFit}. */
  private static final double INFLATION = 1.15;

  /** A vector whose curvature is below this share of the critical one does not grow any more. */
  private static final double QUIET_SHARE = 0.025;

  /**
   * λ was up to 1.4 % below log|1 − ηκ_min/N| where both are known; with it the bound is safe from
   * that.
   */
  private static final double BELOW_FULL_BATCH = 1.05;

  static final String OUT_OF_REACH =
      "the slowest direction is out of reach without the Gram matrix";

  private final long seed;
  private final int threads;
  private final double precision;
  private final BooleanSupplier cancelled;

  /**
   * An estimator.
   *
   * @param seed fixes every draw
   * @param threads at least 1; never changes a result
   * @param precision the half-width of the 95 % interval over the value at which sampling ends
   * @param cancelled asked every block; true to stop
   */
  public ParameterEstimator(long seed, int threads, double precision, BooleanSupplier cancelled) {
    this.seed = seed;
    this.threads = EstimatorBuilder.requireAtLeast("threads", threads, 1);
    this.precision = precision;
    this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
  }

  /**
   * Estimates or bounds λ.
   *
   * @param operator J ≠ 0
   * @param step the step, not on the full batch
   * @param slowest the smallest curvature κ/N that is known to be there
   * @param known the sign of λ where it is known, from η_c
   * @param decayDecides whether a direction that dies out proves λ &lt; 0; not near the edge, where
   *     it may come back in rare bursts
   * @return the exponent; a bound unless it is positive
   * @throws CancellationException if cancelled
   */
  public LyapunovExponent estimate(
      TangentOperator operator, SgdStep step, double slowest, Sign known, boolean decayDecides) {
    if (known == Sign.NEGATIVE) {
      return decaying(step, slowest);
    }
    Branch unstable = new Branch(operator, step).sample();
    if (known == Sign.POSITIVE || unstable.sign() == Sign.POSITIVE) {
      return unstable.low() > 0
          ? unstable.estimate()
          : new ExponentBound(
              0,
              Math.max(0, unstable.high()),
              Sign.POSITIVE,
              "the growth is too slow to be resolved in " + unstable.steps() + " steps");
    }
    if (decayDecides && (unstable.sign() == Sign.NEGATIVE || unstable.diedOut())) {
      return decaying(step, slowest);
    }
    LyapunovExponent decay = decaying(step, slowest);
    return new ExponentBound(
        Math.min(decay.low(), unstable.low()),
        Math.max(0, unstable.high()),
        Sign.UNDECIDED,
        "the unstable direction has neither won nor died out within "
            + unstable.steps()
            + " steps");
  }

  /** What is known of λ below the edge. */
  static ExponentBound decaying(SgdStep step, double slowest) {
    double ceiling = step.hasUnevenDecay() ? 0 : Math.min(0, FullBatchExponent.along(0, step));
    double known = Math.min(0, BELOW_FULL_BATCH * FullBatchExponent.along(slowest, step));
    double floor = step.fastestL2() > step.l2() ? Double.NEGATIVE_INFINITY : known;
    return new ExponentBound(
        Math.min(floor, ceiling),
        ceiling,
        Sign.NEGATIVE,
        step.hasUnevenDecay() ? ExponentBound.UNEVEN_DECAY : OUT_OF_REACH);
  }

  /** The unstable branch. */
  private final class Branch {
    private final TangentOperator operator;
    private final SgdStep step;
    private final TangentGram gram;
    private final List<Run> runs = new ArrayList<>();
    private final List<LyapunovEstimate.Look> history = new ArrayList<>();
    private double value;
    private double error;
    private double halfWidth;
    private double variancePerStep;
    private int blocks;
    private StopReason reason;

    Branch(TangentOperator operator, SgdStep step) {
      this.operator = operator;
      this.step = step;
      gram = new TangentGram(operator, 1, cancelled);
      RandomStream random = new RandomStream(seed).split(1);
      for (int t = 0; t < REALISATIONS; t++) {
        runs.add(new Run(operator, step, random.split(t)));
      }
    }

    Branch sample() {
      Parallel.run(runs, threads, run -> run.warmUp(gram, cancelled));
      double work = operator.flopsPerExample() * step.batchSize() * ParameterWalk.BLOCK;
      int most = (int) Math.max(FIRST_LOOK, Math.min(MOST_BLOCKS, MOST_WORK / work));
      int look = FIRST_LOOK;
      while (reason == null) {
        int until = look;
        Parallel.run(runs, threads, run -> run.measure(until - blocks, cancelled));
        blocks = look;
        fit();
        history.add(new LyapunovEstimate.Look(steps(), value, halfWidth));
        if (halfWidth <= precision * Math.abs(value)) {
          reason = StopReason.PRECISION_REACHED;
        } else if (2 * look > most) {
          reason = StopReason.EPOCH_BUDGET;
        }
        look *= 2;
      }
      return this;
    }

    private void fit() {
      int perRun = ControlledGrowth.BATCHES / REALISATIONS;
      int length = blocks / perRun;
      double[] means = new double[ControlledGrowth.BATCHES];
      double[] plain = new double[ControlledGrowth.BATCHES];
      for (int t = 0; t < REALISATIONS; t++) {
        double[] adjusted = runs.get(t).walk.adjusted(0);
        double[] asGrown = runs.get(t).walk.plain();
        for (int i = 0; i < perRun * length; i++) {
          int batch = t * perRun + i / length;
          means[batch] += adjusted[i] / length / ParameterWalk.BLOCK;
          plain[batch] += asGrown[i] / length / ParameterWalk.BLOCK;
        }
      }
      value = Arrays.stream(means).average().orElseThrow();
      error = Math.sqrt(variance(means) / means.length);
      variancePerStep = variance(plain) * length * ParameterWalk.BLOCK;
      double quantile = new TDistribution(means.length - 1).inverseCumulativeProbability(0.975);
      halfWidth = INFLATION * quantile * error;
    }

    private static double variance(double[] x) {
      double mean = Arrays.stream(x).average().orElseThrow();
      return Arrays.stream(x).map(v -> (v - mean) * (v - mean)).sum() / (x.length - 1);
    }

    long steps() {
      return (long) blocks * ParameterWalk.BLOCK * REALISATIONS;
    }

    double low() {
      return value - halfWidth;
    }

    double high() {
      return value + halfWidth;
    }

    Sign sign() {
      return low() > 0 ? Sign.POSITIVE : high() < 0 ? Sign.NEGATIVE : Sign.UNDECIDED;
    }

    /** Whether what is left of every run is too flat to grow. */
    boolean diedOut() {
      double critical = FullBatchExponent.criticalCurvature(step);
      return runs.stream()
          .allMatch(
              run -> {
                double[] z = run.walk.tangent();
                double[] r = gram.outputs(z);
                double curvature = Vectors.dot(r, r) / Vectors.dot(z, z) / operator.examples();
                return curvature < QUIET_SHARE * critical;
              });
    }

    LyapunovEstimate estimate() {
      return new LyapunovEstimate(
          value,
          error,
          low(),
          high(),
          Sign.POSITIVE,
          LyapunovEstimate.Branch.UNSTABLE,
          steps(),
          REALISATIONS,
          variancePerStep,
          reason,
          history);
    }
  }

  /** One realisation. */
  private static final class Run {
    private final TangentOperator operator;
    private final SgdStep step;
    private final RandomStream random;
    private final MiniBatchSampler sampler;
    private ParameterWalk walk;

    Run(TangentOperator operator, SgdStep step, RandomStream random) {
      this.operator = operator;
      this.step = step;
      this.random = random;
      sampler = ParameterSweep.sampler(operator, step, random.split(0));
    }

    /** Driven by a larger rate into the direction that grows fastest, then released. */
    void warmUp(TangentGram gram, BooleanSupplier cancelled) {
      double[] start = ParameterSweep.randomDirection(gram, random.split(1));
      SgdStep driven = step.withLearningRate(DRIVE * step.learningRate());
      walk = new ParameterWalk(operator, gram, driven, start, new double[0]);
      measure(DRIVEN_BLOCKS, cancelled);
      double[] direction = walk.isAlive() ? walk.tangent() : start;
      walk = new ParameterWalk(operator, gram, step, direction, new double[0]);
      measure(RELEASED_BLOCKS, cancelled);
      direction = walk.isAlive() ? walk.tangent() : start;
      walk =
          new ParameterWalk(
              operator, gram, step, direction, ParameterWalk.curvatures(gram, direction));
    }

    void measure(int blocks, BooleanSupplier cancelled) {
      ParameterSweep.walk(operator, step, List.of(walk), blocks, sampler, cancelled);
    }
  }
}
