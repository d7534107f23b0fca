// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/**
 * A tangent vector that steps with the full Hessian of each mini-batch, in the parameters
 * themselves:
 *
 * <pre>
 *   v ← keep·v − (η/|S|) μ H_S v
 * </pre>
 *
 * <p>with momentum also on its velocity. Scaled back by powers of two, which change no bit.
 */
final class HessianVector {
  /** By how many powers of two the largest entry may move before all are scaled back. */
  private static final int LARGEST_MOVE = 64;

  private static final double LOG_TWO = Math.log(2);

  private double[] v;

  /** As an updater keeps it: a moving average of gradients is without the weights μ. */
  private double[] velocity;

  private double scale;

  /**
   * A vector.
   *
   * @param v direction of the parameters
   * @param velocity its velocity as an updater keeps it; null for zero
   * @param scale what is to be added to the log of its norm
   */
  HessianVector(double[] v, double[] velocity, double scale) {
    this.v = v.clone();
    this.velocity = velocity == null ? null : velocity.clone();
    this.scale = scale;
  }

  /** A vector of norm 1 that has no velocity. */
  static HessianVector start(double[] v, SgdStep step, TangentMap map) {
    HessianVector started = new HessianVector(v, null, 0);
    started.rescale(0);
    started.scale = 0;
    started.scale = -started.logNorm(step, map);
    return started;
  }

  /** Takes a step; nothing has changed if the product fails. */
  void apply(SgdStep step, double[] weights, BatchHessian hessian, int... batch) {
    StepRecursion update = StepRecursion.of(step);
    double[] force = Weights.times(weights, product(hessian, batch));
    if (update.hasMemory()) {
      double[] moving = moving(step, weights);
      update.remember(v, moving);
      Vectors.add(update.gradientWeight() / batch.length, force, moving);
      update.move(v, moving);
      velocity = isAverage(step) ? Weights.over(weights, moving) : moving;
    } else {
      velocity = null;
      Vectors.scale(v, update.keep());
      Vectors.add(-update.rate() / batch.length, force, v);
    }
    rescale(LARGEST_MOVE);
  }

  private double[] product(BatchHessian hessian, int... batch) {
    if (largest(v) == 0) {
      return new double[v.length];
    }
    double[] product = hessian.times(batch, v);
    if (product.length != v.length) {
      throw new IllegalArgumentException(
          "a product with the Hessian must have the length P = "
              + v.length
              + ", got "
              + product.length);
    }
    return product;
  }

  /** The velocity with the weights μ, as it moves v; a new array. */
  private double[] moving(SgdStep step, double[] weights) {
    if (velocity == null) {
      return new double[v.length];
    }
    return isAverage(step) ? Weights.times(weights, velocity) : velocity.clone();
  }

  private static boolean isAverage(SgdStep step) {
    return step.momentum() instanceof Momentum.MovingAverage
        || step.momentum() instanceof Momentum.NesterovAverage;
  }

  private void rescale(int allowed) {
    double largest = Math.max(largest(v), velocity == null ? 0 : largest(velocity));
    if (!(largest < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("the tangent vector must stay finite, got " + largest);
    }
    int move = largest == 0 ? 0 : Math.getExponent(largest);
    if (Math.abs(move) > allowed) {
      scale += move * LOG_TWO;
      Vectors.scale(v, Math.scalb(1.0, -move));
      if (velocity != null) {
        Vectors.scale(velocity, Math.scalb(1.0, -move));
      }
    }
  }

  /** NaN if any is. */
  private static double largest(double[] x) {
    double largest = 0;
    for (double entry : x) {
      largest = Math.max(largest, Math.abs(entry));
    }
    return largest;
  }

  /** Log of the norm of A v and of what the velocity will do to it; −∞ if no output sees any. */
  double logNorm(SgdStep step, TangentMap map) {
    double squares = squares(map, v);
    if (velocity != null) {
      double newest = StepRecursion.of(step).newWeight();
      squares += newest * newest * squares(map, moving(step, map.weights()));
    }
    return squares == 0 ? Double.NEGATIVE_INFINITY : scale + 0.5 * Math.log(squares);
  }

  private static double squares(TangentMap map, double[] direction) {
    double[] r = map.outputs(direction);
    return Vectors.dot(r, r);
  }

  /** Whether ‖A v‖ is less than a multiple of ‖v/√μ‖, but not 0. */
  boolean isHidden(TangentMap map, double least) {
    double seen = Math.sqrt(squares(map, v));
    double[] weights = map.weights();
    double length = 0;
    for (int i = 0; i < v.length; i++) {
      double weight = weights == null ? 1 : weights[i];
      length += weight > 0 ? v[i] * (v[i] / weight) : 0;
    }
    return seen > 0 && seen < least * Math.sqrt(length);
  }

  /** Drops what the outputs do not see. */
  void cut(TrajectoryExponent.Frame frame) {
    v = new VisiblePart(frame, Double.POSITIVE_INFINITY).of(v, frame.map().outputs(v));
    rescale(LARGEST_MOVE);
  }

  double[] position() {
    return v.clone();
  }

  /** Null without momentum. */
  double[] velocity() {
    return velocity == null ? null : velocity.clone();
  }

  /** What the log of ‖A v‖ must be increased by. */
  double scale() {
    return scale;
  }
}
