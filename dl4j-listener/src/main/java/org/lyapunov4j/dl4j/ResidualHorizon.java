// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import java.util.OptionalInt;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.SgdStep;

/**
 * Follows the residual that training has now over a horizon, with the Gram matrix of now. It starts
 * without velocity, since the velocity of training is not known in the outputs.
 */
final class ResidualHorizon {
  private static final int DEFAULT_STEPS = 100;
  private static final int MOST_TRAJECTORIES = 256;
  private static final int LEAST_TRAJECTORIES = 32;

  /** What all realisations may take together, as long as they are not too few. */
  private static final double FLOPS = 5e9;

  /** ‖G r‖ over trace G ‖r‖ that is no more than rounding. */
  private static final double ROUNDING = 1e-14;

  private final int steps;
  private final boolean everyTier;
  private final long seed;

  private ResidualHorizon(int steps, boolean everyTier, long seed) {
    this.steps = steps;
    this.everyTier = everyTier;
    this.seed = seed;
  }

  /** With so many steps at every tier, or the default. */
  static ResidualHorizon of(OptionalInt steps, long seed) {
    return new ResidualHorizon(steps.orElse(DEFAULT_STEPS), steps.isPresent(), seed);
  }

  /** Empty where nobody asked, and where no step changes the residual: a perfect fit, G = 0. */
  Optional<FiniteTimeExponents> from(
      double[] residual, GramMatrix gram, SgdStep step, Tier tier, Deadline deadline) {
    if (steps == 0 || !(everyTier || tier == Tier.FULL)) {
      return Optional.empty();
    }
    GramMatrix normalised = gram.normalised();
    if (!isMoved(residual, normalised)) {
      return Optional.empty();
    }
    return Optional.of(
        FiniteTimeEstimator.builder()
            .seed(seed)
            .trajectories(trajectories(gram, step))
            .residual(residual)
            .cancelled(deadline::isOver)
            .build()
            .estimate(normalised, step.scaled(gram.exponent()), steps));
  }

  private static boolean isMoved(double[] residual, GramMatrix gram) {
    double[] image = new double[residual.length];
    gram.multiply(residual, image);
    return norm(image) > ROUNDING * gram.trace() * norm(residual);
  }

  private static double norm(double[] vector) {
    double squares = 0;
    for (double entry : vector) {
      squares += entry * entry;
    }
    return Math.sqrt(squares);
  }

  private int trajectories(GramMatrix gram, SgdStep step) {
    double each = 4.0 * step.batchSize() * gram.outputs() * gram.size() * steps;
    return (int) Math.max(LEAST_TRAJECTORIES, Math.min(MOST_TRAJECTORIES, FLOPS / each));
  }
}
