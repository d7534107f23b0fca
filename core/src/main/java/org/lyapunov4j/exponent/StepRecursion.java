// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/**
 * Every step as one linear recursion on a position x with gradient g(x) = (mini-batch gradient) +
 * l2·x and velocity v:
 *
 * <pre>
 *   v′ = memory·v + gradientWeight·g(x)
 *   x′ = keep·x + oldWeight·v + newWeight·v′
 * </pre>
 *
 * <p>Without memory it is x′ = keep·x − rate·(mini-batch gradient) with the l2 term moved into
 * {@code keep}.
 *
 * @param rate the learning rate η
 * @param keep 1 − η·weightDecay; without memory 1 − η(l2 + weightDecay)
 * @param memory β
 * @param gradientWeight −η, or 1 − β for a moving average of gradients
 * @param oldWeight 0, or −β for Nesterov momentum, ηβ on a moving average
 * @param newWeight 1, or 1 + β for Nesterov momentum; −η, or −η(1 + β), on a moving average
 * @param l2 the penalty inside the gradient; with memory only
 */
record StepRecursion(
    double rate,
    double keep,
    double memory,
    double gradientWeight,
    double oldWeight,
    double newWeight,
    double l2,
    boolean hasMemory) {

  static StepRecursion of(SgdStep step) {
    double rate = step.learningRate();
    double keep = 1 - rate * step.weightDecay();
    double beta = step.momentum().coefficient();
    if (step.momentum() instanceof Momentum.HeavyBall) {
      return new StepRecursion(rate, keep, beta, -rate, 0, 1, step.l2(), true);
    }
    if (step.momentum() instanceof Momentum.Nesterov) {
      return new StepRecursion(rate, keep, beta, -rate, -beta, 1 + beta, step.l2(), true);
    }
    if (step.momentum() instanceof Momentum.MovingAverage) {
      return new StepRecursion(rate, keep, beta, 1 - beta, 0, -rate, step.l2(), true);
    }
    if (step.momentum() instanceof Momentum.NesterovAverage) {
      return new StepRecursion(
          rate, keep, beta, 1 - beta, rate * beta, -rate * (1 + beta), step.l2(), true);
    }
    keep = 1 - rate * (step.l2() + step.weightDecay());
    if (keep == 0) {
      throw new IllegalArgumentException(
          "learning rate × (l2 + weight decay) must not be 1, which erases the parameters; got "
              + rate
              + " × "
              + (step.l2() + step.weightDecay()));
    }
    return new StepRecursion(rate, keep, 0, 0, 0, 0, 0, false);
  }

  /** First half of a step with memory: all that depends on the old position and velocity. */
  void remember(double[] position, double[] velocity) {
    double penalty = gradientWeight * l2;
    for (int i = 0; i < position.length; i++) {
      double x = position[i];
      double v = velocity[i];
      velocity[i] = memory * v + penalty * x;
      position[i] = keep * x + oldWeight * v;
    }
  }

  /** Second half, once the mini-batch's force is in the velocity. */
  void move(double[] position, double[] velocity) {
    for (int i = 0; i < position.length; i++) {
      position[i] += newWeight * velocity[i];
    }
  }

  /**
   * The exponent of the full-batch step along an eigenvector of G/N: log of the spectral radius of
   * the 2×2 matrix of (x, v).
   *
   * @param curvature h, an eigenvalue of G/N
   * @return nats per step; −∞ where the step annihilates the direction
   */
  double fullBatchExponent(double curvature) {
    if (!hasMemory) {
      return Math.log(Math.abs(keep - rate * curvature));
    }
    double[][] block = block(curvature);
    double halfTrace = 0.5 * (block[0][0] + block[1][1]);
    double determinant = block[0][0] * block[1][1] - block[0][1] * block[1][0];
    double discriminant = halfTrace * halfTrace - determinant;
    double radius =
        discriminant < 0 ? Math.sqrt(determinant) : Math.abs(halfTrace) + Math.sqrt(discriminant);
    return Math.log(radius);
  }

  /**
   * Velocity over position in the eigenvector of the full-batch step along a curvature: of the
   * eigenvalue ρ = e^{exponent} if it is real and positive, as in slow directions; else 0.
   */
  double velocityRatio(double curvature) {
    if (!hasMemory || !isOverdamped(curvature)) {
      return 0;
    }
    double rho = Math.exp(fullBatchExponent(curvature));
    return gradientWeight * (curvature + l2) / (rho - memory);
  }

  /**
   * The weight of the velocity in an energy of the state: none where the position is damped without
   * oscillation, so that it tells the growth alone.
   */
  double velocityWeight(double curvature) {
    return isOverdamped(curvature) ? 0 : scaleOfVelocity();
  }

  /** The square of what a velocity moves the position by. */
  double scaleOfVelocity() {
    return newWeight * newWeight;
  }

  private boolean isOverdamped(double curvature) {
    if (!hasMemory) {
      return true;
    }
    double force = gradientWeight * (curvature + l2);
    double a = keep + newWeight * force;
    double halfTrace = 0.5 * (a + memory);
    double determinant = a * memory - (oldWeight + newWeight * memory) * force;
    return halfTrace > 0 && halfTrace * halfTrace > determinant;
  }

  /** The 2 × 2 matrix of (x, v) along an eigenvector of G/N, with memory. */
  double[][] block(double curvature) {
    double force = gradientWeight * (curvature + l2);
    return new double[][] {
      {keep + newWeight * force, oldWeight + newWeight * memory}, {force, memory}
    };
  }

  /**
   * The curvature along which ρ is an eigenvalue of the full-batch step. Beyond {@link
   * #oscillationRadius} it is monotone: it falls with ρ.
   */
  double curvatureAt(double rho) {
    return hasMemory
        ? (rho - memory) * (rho - keep) / ((oldWeight + newWeight * rho) * gradientWeight) - l2
        : (keep - rho) / rate;
  }

  /**
   * No step on any positive combination of curvatures has an eigenvalue of larger modulus that is
   * not real: on a circle of radius R about 0 the imaginary part of {@link #curvatureAt} has the
   * sign of sin θ (R² + 2(o/n)R cos θ − (β + keep)o/n − β keep), o and n the old and new weight.
   */
  double oscillationRadius() {
    if (!hasMemory) {
      return 0;
    }
    double q = -oldWeight / newWeight;
    double square = (q - memory) * (q - keep);
    return square < 0 ? 0 : q + Math.sqrt(square);
  }

  /** The slowest real eigenvalue along a direction without curvature; NaN if it oscillates. */
  double idleEigenvalue() {
    if (!hasMemory || l2 == 0) {
      return keep; // exactly, so that groups of equal decay are known by it
    }
    return isOverdamped(0) ? Math.exp(fullBatchExponent(0)) : Double.NaN;
  }

  /** The curvature where 1 + trace + determinant = 0, or keep − rate·h = −1 without memory. */
  double criticalCurvature() {
    if (!hasMemory) {
      return (1 + keep) / rate;
    }
    return -(1 + keep) * (1 + memory) / ((newWeight - oldWeight) * gradientWeight) - l2;
  }
}
