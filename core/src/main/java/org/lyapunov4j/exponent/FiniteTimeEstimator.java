// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * Samples the growth of the residual over a horizon of n steps in R independent realisations
 * (default 256).
 *
 * <p>Where they start decides the answer, for as long as λ and the other exponents differ by less
 * than 1/n: see {@link Start}. The sampling starts at the beginning of an epoch.
 *
 * <p>Cost: 4·B·K·rank flops a step (6 with momentum). The seed fixes the result bit for bit,
 * whatever the number of threads.
 */
public final class FiniteTimeEstimator {
  private static final int LEAST_TRAJECTORIES = 4;

  private static final double WARM_UP_FACTOR = 1.2;
  private static final int WARM_UP_EPOCHS = 10;

  private final Builder settings;

  /** Where realisations start. */
  public enum Start {
    /**
     * In the eigenvector of G that the mean step contracts least, after the burn-in: the shape that
     * a residual has in the end while training is stable.
     */
    SLOW_MODE,
    /**
     * In a random direction that has gone through 10 epochs at 1.2 times the learning rate and
     * through the burn-in: the direction that grows where one does.
     */
    UNSTABLE_DIRECTION,
    /** In a random direction of the displacements of the parameters, as it is. */
    ISOTROPIC,
    /** In the residual given to {@link Builder#residual}, as it is: that of training now. */
    RESIDUAL
  }

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
    DisplacementCocycle cocycle = DisplacementCocycle.of(spectrum, step);
    return sample(cocycle, start(cocycle, spectrum, step), horizon);
  }

  /** The start of each realisation and how long it burns in. */
  private interface Origin {
    /** A vector, not to be modified, of any length but zero. */
    double[] vector(RandomStream random);
  }

  private Origin start(DisplacementCocycle cocycle, GramSpectrum spectrum, SgdStep step) {
    return switch (settings.start) {
      case ISOTROPIC -> cocycle::randomDirection;
      case SLOW_MODE -> random -> cocycle.slowFrame()[0];
      case UNSTABLE_DIRECTION -> {
        DisplacementCocycle faster =
            DisplacementCocycle.of(
                spectrum, step.withLearningRate(WARM_UP_FACTOR * step.learningRate()));
        yield random -> warmedUp(faster, random);
      }
      case RESIDUAL -> {
        double[] vector = cocycle.displacement(requireResidual(spectrum.size()));
        if (!(cocycle.observedNorm(vector) > 0)) {
          throw new IllegalArgumentException(
              "the residual must have a part in the range of the Gram matrix, got none");
        }
        yield random -> vector;
      }
    };
  }

  private double[] requireResidual(int size) {
    if (settings.residual.length != size) {
      throw new IllegalArgumentException(
          "the residual must have the length m = " + size + ", got " + settings.residual.length);
    }
    return settings.residual;
  }

  private static double[] warmedUp(LinearCocycle faster, RandomStream random) {
    LinearCocycle.Realisation realisation = faster.realise(random.split(0));
    double[] x = faster.randomDirection(random.split(1));
    for (int s = 0; s < WARM_UP_EPOCHS * faster.stepsPerEpoch(); s++) {
      if (realisation.next().grow(x) == Double.NEGATIVE_INFINITY) {
        return faster.randomDirection(random.split(2));
      }
    }
    return x;
  }

  /** The ensemble of any cocycle, from random directions. */
  FiniteTimeExponents sample(LinearCocycle cocycle, int horizon) {
    return sample(cocycle, cocycle::randomDirection, horizon);
  }

  private FiniteTimeExponents sample(LinearCocycle cocycle, Origin origin, int horizon) {
    SamplingBuilder.requireAtLeast("horizon", horizon, 1);
    int perEpoch = cocycle.stepsPerEpoch();
    long work = (long) settings.trajectories * burnInEpochs() * perEpoch;
    work += (long) settings.trajectories * horizon;
    TaskProgress monitor = new TaskProgress(work, settings.cancelled, settings.progress);
    List<Run> runs = new ArrayList<>();
    RandomStream random = new RandomStream(settings.seed);
    for (int t = 0; t < settings.trajectories; t++) {
      runs.add(new Run(cocycle, origin, horizon, random.split(t), monitor));
    }
    Parallel.run(runs, settings.threads, Run::execute);
    return new FiniteTimeExponents(
        settings.start,
        horizon,
        runs.stream().mapToDouble(run -> run.growth).toArray(),
        runs.stream().mapToDouble(run -> run.middle).toArray(),
        horizon - 2 * (horizon / 4));
  }

  private int burnInEpochs() {
    return settings.start == Start.SLOW_MODE || settings.start == Start.UNSTABLE_DIRECTION
        ? settings.burnInEpochs
        : 0;
  }

  /** One realisation. */
  private final class Run {
    private final LinearCocycle cocycle;
    private final Origin origin;
    private final int horizon;
    private final RandomStream random;
    private final TaskProgress monitor;
    private double growth;
    private double middle;

    Run(
        LinearCocycle cocycle,
        Origin origin,
        int horizon,
        RandomStream random,
        TaskProgress monitor) {
      this.cocycle = cocycle;
      this.origin = origin;
      this.horizon = horizon;
      this.random = random;
      this.monitor = monitor;
    }

    void execute() {
      LinearCocycle.Realisation realisation = cocycle.realise(random.split(0));
      double[] x = origin.vector(random.split(1)).clone();
      Vectors.scale(x, 1 / Vectors.norm(x));
      grow(realisation, x, burnInEpochs() * cocycle.stepsPerEpoch());
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
    private Start start = Start.SLOW_MODE;
    private double[] residual = {};

    private Builder() {
      super(256);
    }

    /**
     * Where realisations start.
     *
     * @param start default {@link Start#SLOW_MODE}; {@link Start#RESIDUAL} by {@link #residual}
     * @return this
     */
    public Builder start(Start start) {
      if (start == Start.RESIDUAL) {
        throw new IllegalArgumentException("give the residual itself, with residual(...)");
      }
      this.start = Objects.requireNonNull(start, "start");
      return this;
    }

    /**
     * Starts at a residual, such as the one training has now.
     *
     * @param residual r, length m, example-major, in the metric of the loss: Rᵀ times the
     *     derivative of the loss where that is the factor of the curvature; f − y for ½‖f − y‖²
     * @return this
     */
    public Builder residual(double... residual) {
      this.residual = residual.clone();
      start = Start.RESIDUAL;
      return this;
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
      Builder copy = copyTo(new Builder());
      copy.start = start;
      copy.residual = residual;
      return new FiniteTimeEstimator(copy);
    }

    @Override
    protected Builder self() {
      return this;
    }
  }
}
