// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * One realisation of the random product on one residual: block by block the log growth of the
 * energy E = wᵀGw and a control variate. Over a step the energy changes by
 *
 * <pre>
 *   d = ½ log(E′/E) ≈ −(η/B) Σ_S |r_i|²/E,        c = (Σ_S |r_i|² − (B/N) |r|²)/E,
 * </pre>
 *
 * <p>and c has conditional mean 0 given r, for every scheme that draws independently. It is summed
 * in two parts: quiet steps, where the slow modes carry the residual, and bursts. Which of them a
 * step is, |r|²/(N E) tells before the draw, so that each part has conditional mean 0 as well.
 */
final class GrowthRun extends MeasuredRun {
  /** Beyond this energy, or below its inverse, the state is scaled back to norm 1. */
  private static final double LARGEST_ENERGY = 1e100;

  /**
   * Share of its peak below which the energy is computed afresh. It is a sum over the past: what
   * rounding left in it stays while it shrinks, 2e-16/1e-6 of it here.
   */
  private static final double STALE = 1e-6;

  /** An energy that falls below this share in one step is computed afresh. */
  private static final double COLLAPSE = 1e-10;

  /**
   * A residual that falls below this share in one step is annihilated; what is left is rounding.
   */
  private static final double ANNIHILATION = 1e-14;

  private final GramMatrix gram;
  private final ResidualCocycle cocycle;
  private final Start start;
  private final double quietCurvature;
  private double keep;
  private double energy;
  private double peak;

  /** Where a run begins. */
  static final class Start {
    private final double[] coefficients;
    private final double velocityRatio;
    private final double velocityWeight;

    /**
     * A start.
     *
     * @param coefficients w; empty for a random residual
     * @param velocityRatio velocity over position of the steps with memory
     * @param velocityWeight of the velocity in the energy
     */
    Start(double[] coefficients, double velocityRatio, double velocityWeight) {
      this.coefficients = coefficients;
      this.velocityRatio = velocityRatio;
      this.velocityWeight = velocityWeight;
    }
  }

  GrowthRun(GramMatrix gram, SgdStep step, RandomStream random, Start start) {
    super(gram, step, random);
    this.gram = gram;
    this.start = start;
    cocycle = new ResidualCocycle(gram, step);
    quietCurvature = QUIET_SHARE * examples * FullBatchExponent.criticalCurvature(step);
    if (start.coefficients.length > 0 && cocycle.start(start.coefficients, start.velocityRatio)) {
      begin();
    } else {
      restart();
    }
    use(step);
  }

  @Override
  void warmUp(SgdStep other, long steps) {
    use(other);
    for (long s = 0; s < steps && !annihilated(); s++) {
      advance();
    }
    use(step);
  }

  double[] coefficients() {
    return cocycle.coefficients();
  }

  @Override
  void measureBlock() {
    double growth = 0;
    double quiet = 0;
    double burst = 0;
    for (int s = 0; s < stepsPerBlock(); s++) {
      int size = sampler.next(batch);
      if (controlled()) {
        double[] r = cocycle.residual();
        double all = Vectors.dot(r, r);
        double control = (drawnSquares(r, size) - all * size / examples) / energy;
        if (all < quietCurvature * energy) {
          quiet += control;
        } else {
          burst += control;
        }
      }
      growth += apply(size);
    }
    add(growth, quiet, burst, isQuiet());
  }

  private boolean isQuiet() {
    double[] r = cocycle.residual();
    return Vectors.dot(r, r) < quietCurvature * energy;
  }

  private void advance() {
    apply(sampler.next(batch));
  }

  /** One step with the batch drawn; returns the log growth of the energy norm. */
  private double apply(int size) {
    double before = energy;
    if (cocycle.hasMemory()) {
      cocycle.apply(batch, size);
      energy = cocycle.energy(start.velocityWeight);
    } else {
      energy += cocycle.applyMeasured(batch, size);
    }
    if (!(energy > COLLAPSE * before)) {
      return collapse(before);
    }
    double growth =
        0.5
            * (cocycle.hasMemory()
                ? Math.log(energy / before)
                : Math.log1p((energy - before) / before));
    peak = Math.max(peak, energy);
    if (energy < STALE * peak) {
      refresh();
    }
    if (energy > LARGEST_ENERGY || energy < 1 / LARGEST_ENERGY) {
      rescale();
    }
    return growth + keep;
  }

  /**
   * Takes rounding out of the state, and the energy from it. Where slow modes of an ill-conditioned
   * matrix prevent that, the sum over the past is still the best there is.
   */
  private void refresh() {
    if (cocycle.project()) {
      energy = cocycle.energy(start.velocityWeight);
    }
    peak = energy;
  }

  /** A step that leaves nearly nothing: its energy is the difference of large numbers. */
  private double collapse(double before) {
    double[] r = cocycle.residual();
    double left = Vectors.dot(r, r);
    boolean rounding = left <= ANNIHILATION * ANNIHILATION * gram.trace() * before;
    if (!rounding && cocycle.project()) {
      energy = cocycle.energy(start.velocityWeight);
    }
    if (rounding || !(energy > 0)) {
      annihilate();
      return 0;
    }
    double growth = 0.5 * Math.log(energy / before) + keep;
    peak = energy;
    rescale();
    return growth;
  }

  private void rescale() {
    double factor = cocycle.rescale();
    energy *= factor * factor;
    peak *= factor * factor;
  }

  private void use(SgdStep other) {
    cocycle.use(other);
    keep = cocycle.logKeep();
  }

  private void begin() {
    energy = cocycle.energy(start.velocityWeight);
    peak = energy;
  }

  @Override
  boolean start(double[] random) {
    boolean moves = cocycle.start(random);
    if (moves) {
      begin();
    }
    return moves;
  }
}
