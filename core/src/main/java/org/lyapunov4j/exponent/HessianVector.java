// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
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
 * <p>with momentum also on its velocity. A serves to measure A v and to cut off what no output
 * sees. Scaled back by powers of two, which change no bit.
 */
final class HessianVector implements CarriedVector {
  /** ‖A v‖ over its bound √trace G ‖v‖: below, errors of the products would count. */
  private static final double INVISIBLE = 1e-6;

  /** By how many powers of two the largest entry may move before all are scaled back. */
  private static final int LARGEST_MOVE = 64;

  private static final double LOG_TWO = Math.log(2);

  private TrajectoryExponent.Frame frame;
  private BatchHessian hessian;
  private Update update;
  private boolean average;
  private double[] v;

  /** With the weights μ, as it moves v. */
  private double[] velocity;

  /** As an updater keeps it: a moving average of gradients without the weights μ. */
  private double[] kept;

  /** That of the largest entry when the frame was entered. */
  private int exponent;

  private double scale;
  private double logNorm;

  /**
   * A vector outside any frame.
   *
   * @param v direction of the parameters
   * @param velocity its velocity as an updater keeps it; null for zero
   * @param scale what is to be added to the log of its norm
   */
  HessianVector(double[] v, double[] velocity, double scale) {
    this.v = v.clone();
    kept = velocity == null ? null : velocity.clone();
    this.scale = scale;
  }

  @Override
  public boolean enter(TrajectoryExponent.Frame next) {
    frame = next;
    hessian = next.hessian();
    update = Update.of(next.step());
    average = isAverage(next.step());
    if (!update.hasMemory()) {
      kept = null;
    } else if (kept == null) {
      kept = new double[v.length];
    }
    velocity = kept == null ? null : average ? Weights.times(next.map(), kept) : kept.clone();
    VisiblePart visible = new VisiblePart(next, INVISIBLE);
    v = visible.of(v, next.map().outputs(v));
    exponent = Math.getExponent(largest(v));
    return measure();
  }

  private static boolean isAverage(SgdStep step) {
    return step.momentum() instanceof Momentum.MovingAverage
        || step.momentum() instanceof Momentum.NesterovAverage;
  }

  @Override
  public void place(TrajectoryExponent.Frame from, TrajectoryExponent.Frame to, double share) {
    hessian = from.hessian().between(to.hessian(), share);
  }

  @Override
  public void apply(int[] batch, int size) {
    double[] product = hessian.times(Arrays.copyOf(batch, size), v);
    if (product.length != v.length) {
      throw new IllegalArgumentException(
          "a product with the Hessian must have the length P = "
              + v.length
              + ", got "
              + product.length);
    }
    double[] force = Weights.times(frame.map(), product);
    if (update.hasMemory()) {
      update.remember(v, velocity);
      add(update.gradientWeight() / size, force, velocity);
      update.move(v, velocity);
    } else {
      RowSweep.scale(v, update.keep());
      add(-update.rate() / size, force, v);
    }
    rescale();
  }

  private static void add(double factor, double[] x, double[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] += factor * x[i];
    }
  }

  private void rescale() {
    double largest = Math.max(largest(v), velocity == null ? 0 : largest(velocity));
    if (!(largest < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("the tangent vector must stay finite, got " + largest);
    }
    if (largest == 0) {
      logNorm = Double.NEGATIVE_INFINITY;
      return;
    }
    int move = Math.getExponent(largest) - exponent;
    if (Math.abs(move) > LARGEST_MOVE) {
      scale += move * LOG_TWO;
      RowSweep.scale(v, Math.scalb(1.0, -move));
      if (velocity != null) {
        RowSweep.scale(velocity, Math.scalb(1.0, -move));
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

  @Override
  public void rebase() {
    if (logNorm == Double.NEGATIVE_INFINITY) {
      return;
    }
    if (velocity != null) {
      kept = average ? Weights.over(frame.map(), velocity) : velocity.clone();
      velocity = average ? Weights.times(frame.map(), kept) : velocity;
    }
    measure();
  }

  private boolean measure() {
    double[] r = frame.map().outputs(v);
    double squares = ResidualCocycle.dot(r, r);
    if (velocity != null) {
      double[] u = frame.map().outputs(velocity);
      squares += update.newWeight() * update.newWeight() * ResidualCocycle.dot(u, u);
    }
    logNorm = squares == 0 ? Double.NEGATIVE_INFINITY : scale + 0.5 * Math.log(squares);
    return squares > 0;
  }

  @Override
  public double logNorm() {
    return logNorm;
  }

  @Override
  public void setLogNorm(double now) {
    scale += now - logNorm;
    logNorm = now;
  }

  @Override
  public double[] position() {
    return v.clone();
  }

  @Override
  public double[] velocity() {
    return kept == null ? null : kept.clone();
  }

  @Override
  public double savedLogNorm() {
    return scale;
  }
}
