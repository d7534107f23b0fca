// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

import java.io.Serializable;

/**
 * The memory of a step, as it acts on the mini-batch gradient g. Written for parameters θ and
 * learning rate η; the linearised step acts alike on residuals.
 */
public sealed interface Momentum extends Serializable {
  /** No memory. */
  Momentum NONE = new None();

  /**
   * The momentum coefficient.
   *
   * @return β in [0, 1); 0 for {@link None}
   */
  double coefficient();

  /** Plain gradient descent: θ ← θ − η g. */
  record None() implements Momentum {
    @Override
    public double coefficient() {
      return 0;
    }

    @Override
    public String toString() {
      return "no momentum";
    }
  }

  /**
   * Polyak's heavy ball: v ← β v − η g, θ ← θ + v.
   *
   * @param coefficient β in [0, 1)
   */
  record HeavyBall(double coefficient) implements Momentum {
    /** {@inheritDoc} */
    public HeavyBall {
      requireCoefficient(coefficient);
    }

    @Override
    public String toString() {
      return "heavy-ball momentum " + coefficient;
    }
  }

  /**
   * Nesterov momentum as Deeplearning4j's {@code Nesterovs} computes it: v′ = β v − η g, θ ← θ − β
   * v + (1 + β) v′.
   *
   * @param coefficient β in [0, 1)
   */
  record Nesterov(double coefficient) implements Momentum {
    /** {@inheritDoc} */
    public Nesterov {
      requireCoefficient(coefficient);
    }

    @Override
    public String toString() {
      return "Nesterov momentum " + coefficient;
    }
  }

  /**
   * An exponential moving average of gradients, as in Adam with its preconditioner put into the
   * Gram matrix: v ← β v + (1 − β) g, θ ← θ − η v.
   *
   * @param coefficient β₁ in [0, 1)
   */
  record MovingAverage(double coefficient) implements Momentum {
    /** {@inheritDoc} */
    public MovingAverage {
      requireCoefficient(coefficient);
    }

    @Override
    public String toString() {
      return "moving average of gradients " + coefficient;
    }
  }

  /**
   * Nesterov momentum on an exponential moving average of gradients, as in Nadam with its
   * preconditioner put into the Gram matrix: v′ = β v + (1 − β) g, θ ← θ + η β v − η (1 + β) v′. It
   * is {@link Nesterov} at the rate (1 − β) η.
   *
   * @param coefficient β₁ in [0, 1)
   */
  record NesterovAverage(double coefficient) implements Momentum {
    /** {@inheritDoc} */
    public NesterovAverage {
      requireCoefficient(coefficient);
    }

    @Override
    public String toString() {
      return "Nesterov momentum on a moving average of gradients " + coefficient;
    }
  }

  private static void requireCoefficient(double coefficient) {
    if (!(coefficient >= 0 && coefficient < 1)) {
      throw new IllegalArgumentException("momentum must be in [0, 1), got " + coefficient);
    }
  }
}
