// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * Estimates moment exponents Λ(p) for real p by the cloning method, in the energy norm ‖F ᵀw‖ with
 * G = F Fᵀ, from populations of two sizes.
 *
 * <p>An average of ‖M⋯M‖^p over independent trajectories is no substitute: the moment is carried by
 * exponentially rare ones, and the average settles on a wrong value without showing it. Full-batch
 * steps are not sampled, Λ(p) = p λ.
 *
 * <p>For p &lt; 0 the moment is finite only if the product is not too often near zero; where a
 * clone is annihilated Λ(p) is +∞. Populations then converge slowly, and the two sizes differ
 * visibly.
 *
 * <p>Batches under which a clone grows are drawn more often, and its weight makes up for it (plain
 * steps on independent subsets). A population starts in random directions; if in the second half of
 * its burn-in Λ(p)/p is less than the exponent of the mean step along its slowest mode, which
 * bounds nothing but tells that it has not turned there yet, it starts again in that mode and burns
 * in once more.
 *
 * <p>Each of R populations (default 2) of each size burns in and is measured in 16 batches. Cost: 6
 * R·populationSize vectors a step, each 4·B·K·rank flops (6 with momentum). All orders see the same
 * random numbers. The seed fixes the result bit for bit, whatever the number of threads.
 */
public final class MomentEstimator {
  private final Builder settings;

  private MomentEstimator(Builder settings) {
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
   * Estimates Λ(p).
   *
   * @param gram G, not zero
   * @param step the step; its batch size at most N
   * @param orders the p wanted, finite
   * @return one moment exponent for each order
   * @throws CancellationException if cancelled or interrupted
   */
  public MomentExponents estimate(GramMatrix gram, SgdStep step, double... orders) {
    return estimate(SpectrumEstimator.spectrumFor(gram, step), step, orders);
  }

  /**
   * Estimates Λ(p) for a Gram matrix whose eigenvalues are known already.
   *
   * @param spectrum of G, with eigenvectors unless the step is a full-batch one; G not zero
   * @param step the step; its batch size at most N
   * @param orders the p wanted, finite
   * @return one moment exponent for each order
   * @throws CancellationException if cancelled or interrupted
   */
  public MomentExponents estimate(GramSpectrum spectrum, SgdStep step, double... orders) {
    requireFinite(orders);
    SamplingBuilder.requireNonzero(spectrum);
    if (step.isFullBatch(spectrum.examples())) {
      double top = FullBatchExponent.of(spectrum, step);
      List<MomentExponent> moments = new ArrayList<>();
      for (double order : orders) {
        moments.add(MomentExponent.exact(order, order == 0 ? 0 : order * top));
      }
      return new MomentExponents(moments, 0, 0);
    }
    return sample(DisplacementCocycle.of(spectrum, step), orders);
  }

  private static void requireFinite(double... orders) {
    for (double order : orders) {
      if (Double.isNaN(order) || Double.isInfinite(order)) {
        throw new IllegalArgumentException("orders must be finite, got " + order);
      }
    }
  }

  /** Λ(p) of any cocycle. */
  MomentExponents sample(LinearCocycle cocycle, double... orders) {
    int populations = 2 * settings.trajectories * orders.length;
    long work = (long) populations * (2L * settings.burnInEpochs(cocycle) + settings.epochs);
    TaskProgress monitor = new TaskProgress(work, settings.cancelled, settings.progress);
    List<Run> runs = new ArrayList<>();
    LinearCocycle.Tilt tilt = cocycle.tilt();
    for (double order : orders) {
      for (int size : new int[] {settings.populationSize, 2 * settings.populationSize}) {
        for (int t = 0; t < settings.trajectories; t++) {
          RandomStream random = new RandomStream(settings.seed).split(t).split(size);
          runs.add(new Run(cocycle, tilt, size, order, random, monitor));
        }
      }
    }
    Parallel.run(runs, settings.threads, Run::execute);
    List<MomentExponent> moments = new ArrayList<>();
    for (int i = 0; i < orders.length; i++) {
      int first = 2 * i * settings.trajectories;
      Estimate small = pooled(runs.subList(first, first + settings.trajectories));
      Estimate large =
          pooled(runs.subList(first + settings.trajectories, first + 2 * settings.trajectories));
      moments.add(MomentExponent.extrapolated(orders[i], small, large));
    }
    long steps = (long) settings.epochs * cocycle.stepsPerEpoch();
    return new MomentExponents(moments, settings.populationSize, steps);
  }

  private static Estimate pooled(List<Run> runs) {
    return PooledBatches.estimate(runs.stream().map(run -> run.batches).toArray(double[][]::new));
  }

  /** One population. */
  private final class Run {
    private final LinearCocycle cocycle;
    private final LinearCocycle.Tilt tilt;
    private final int size;
    private final double order;
    private final RandomStream random;
    private final TaskProgress monitor;
    private final double[] batches = new double[PooledBatches.COUNT];

    Run(
        LinearCocycle cocycle,
        LinearCocycle.Tilt tilt,
        int size,
        double order,
        RandomStream random,
        TaskProgress monitor) {
      this.cocycle = cocycle;
      this.tilt = tilt;
      this.size = size;
      this.order = order;
      this.random = random;
      this.monitor = monitor;
    }

    void execute() {
      Population population = new Population(cocycle, tilt, size, order, random);
      double[][] frame = cocycle.slowFrame();
      int burnIn = settings.burnInEpochs(cocycle);
      int half = burnIn / 2;
      advance(population, burnIn - half);
      double found = advance(population, half) / (order * half * cocycle.stepsPerEpoch());
      if (frame.length > 0 && !(found > cocycle.slowExponent())) {
        population.restart(frame[0]);
      }
      advance(population, burnIn);
      int epochs = settings.epochs / PooledBatches.COUNT;
      for (int b = 0; b < batches.length; b++) {
        double growth = advance(population, epochs);
        batches[b] = growth / ((double) epochs * cocycle.stepsPerEpoch());
      }
    }

    private double advance(Population population, int epochs) {
      double growth = 0;
      for (int epoch = 0; epoch < epochs; epoch++) {
        for (int s = 0; s < cocycle.stepsPerEpoch(); s += population.stepsPerUnit()) {
          growth += population.advance();
        }
        monitor.advance(1);
      }
      return growth;
    }
  }

  /** Settings of a {@link MomentEstimator}; every method refuses nonsense at once. */
  public static final class Builder extends SamplingBuilder<Builder> {
    private int populationSize = 256;
    private int epochs = 128;

    private Builder() {
      super(2);
    }

    /**
     * Clones in each of the smaller populations.
     *
     * @param size at least 2; default 256
     * @return this
     */
    public Builder populationSize(int size) {
      populationSize = requireAtLeast("population size", size, 2);
      return this;
    }

    /**
     * Measured epochs of each population.
     *
     * @param epochs at least 16, rounded down to a multiple of 16; default 128
     * @return this
     */
    public Builder epochs(int epochs) {
      this.epochs = PooledBatches.multiple(requireAtLeast("epochs", epochs, PooledBatches.COUNT));
      return this;
    }

    /**
     * The estimator.
     *
     * @return an immutable estimator, safe for use by several threads
     */
    public MomentEstimator build() {
      Builder copy = copyTo(new Builder());
      copy.populationSize = populationSize;
      copy.epochs = epochs;
      return new MomentEstimator(copy);
    }

    @Override
    protected Builder self() {
      return this;
    }
  }
}
