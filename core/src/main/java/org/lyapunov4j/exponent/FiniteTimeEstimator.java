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
 * Samples the growth of the residual over a horizon of n steps in R independent realisations
 * (default 256).
 *
 * <p>Each starts in a random direction of range(G) and burns in, so that the residual has the shape
 * that the step itself gives it; the sampling then starts at the beginning of an epoch.
 *
 * <p>Cost: 4·B·K·rank flops a step (6 with momentum). The seed fixes the result bit for bit,
 * whatever the number of threads.
 */
public final class FiniteTimeEstimator {
  private static final int LEAST_TRAJECTORIES = 4;

  private final Builder settings;

  private FiniteTimeEstimator(Builder settings) {
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
   * Samples finite-time exponents.
   *
   * @param gram G, not zero
   * @param step the step; its batch size at most N
   * @param horizon n, in steps, at least 1
   * @return the ensemble
   * @throws CancellationException if cancelled or interrupted
   */
  public FiniteTimeExponents estimate(GramMatrix gram, SgdStep step, int horizon) {
    return estimate(GramSpectrum.of(gram), step, horizon);
  }

  /**
   * Samples finite-time exponents for a Gram matrix whose eigenvectors are known already.
   *
   * @param spectrum of G, with eigenvectors; G not zero
   * @param step the step; its batch size at most N
   * @param horizon n, in steps, at least 1
   * @return the ensemble
   * @throws CancellationException if cancelled or interrupted
   */
  public FiniteTimeExponents estimate(GramSpectrum spectrum, SgdStep step, int horizon) {
    SamplingBuilder.requireNonzero(spectrum);
    return sample(DisplacementCocycle.of(spectrum, step), horizon);
  }

  /** The ensemble of any cocycle. */
  FiniteTimeExponents sample(LinearCocycle cocycle, int horizon) {
    SamplingBuilder.requireAtLeast("horizon", horizon, 1);
    int perEpoch = cocycle.stepsPerEpoch();
    long work = (long) settings.trajectories * settings.burnInEpochs * perEpoch;
    work += (long) settings.trajectories * horizon;
    Monitor monitor = new Monitor(work, settings.cancelled, settings.progress);
    List<Run> runs = new ArrayList<>();
    RandomStream random = new RandomStream(settings.seed);
    for (int t = 0; t < settings.trajectories; t++) {
      runs.add(new Run(cocycle, horizon, random.split(t), monitor));
    }
    Parallel.run(runs, settings.threads, Run::execute);
    return new FiniteTimeExponents(
        horizon,
        runs.stream().mapToDouble(run -> run.growth).toArray(),
        runs.stream().mapToDouble(run -> run.middle).toArray(),
        horizon - 2 * (horizon / 4));
  }

  /** One realisation. */
  private final class Run {
    private final LinearCocycle cocycle;
    private final int horizon;
    private final RandomStream random;
    private final Monitor monitor;
    private double growth;
    private double middle;

    Run(LinearCocycle cocycle, int horizon, RandomStream random, Monitor monitor) {
      this.cocycle = cocycle;
      this.horizon = horizon;
      this.random = random;
      this.monitor = monitor;
    }

    void execute() {
      LinearCocycle.Realisation realisation = cocycle.realise(random.split(0));
      double[] x = cocycle.randomDirection(random.split(1));
      grow(realisation, x, settings.burnInEpochs * cocycle.stepsPerEpoch());
      int edge = horizon / 4;
      double first = grow(realisation, x, edge);
      middle = grow(realisation, x, horizon - 2 * edge);
      growth = first + middle + grow(realisation, x, edge);
    }

    /** Log growth of the observed norm; −∞ once x is annihilated. */
    private double grow(LinearCocycle.Realisation realisation, double[] x, int steps) {
      double before = Math.log(cocycle.observedNorm(x));
      double sum = 0;
      int left = steps;
      while (left > 0) {
        int part = Math.min(left, cocycle.stepsPerEpoch());
        for (int s = 0; s < part; s++) {
          sum += realisation.next().grow(x);
        }
        monitor.advance(part);
        left -= part;
      }
      double after = Math.log(cocycle.observedNorm(x));
      return after == Double.NEGATIVE_INFINITY ? after : sum + after - before;
    }
  }

  /** Settings of a {@link FiniteTimeEstimator}; every method refuses nonsense at once. */
  public static final class Builder extends SamplingBuilder<Builder> {
    private Builder() {
      super(256);
    }

    /**
     * Independent realisations R; part of what the seed fixes.
     *
     * @param trajectories at least 4; default 256
     * @return this
     */
    @Override
    public Builder trajectories(int trajectories) {
      requireAtLeast("trajectories", trajectories, LEAST_TRAJECTORIES);
      return super.trajectories(trajectories);
    }

    /**
     * The estimator.
     *
     * @return an immutable estimator, safe for use by several threads
     */
    public FiniteTimeEstimator build() {
      return new FiniteTimeEstimator(copyTo(new Builder()));
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
