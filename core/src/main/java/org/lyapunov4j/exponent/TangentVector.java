// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/**
 * One tangent vector of training, a direction v of the parameters with the velocity p that momentum
 * gives it, on its way through a frame: a point of the trajectory with its A, G = A diag(μ) Aᵀ and
 * step.
 *
 * <p>Inside a frame steps are taken on the outputs r = A v and u = A p, and their coefficients w
 * and q add up what the steps have done since the frame began:
 *
 * <pre>
 *   v = a v₀ + b p₀ + μ Aᵀ w,    p = c v₀ + d p₀ + μ Aᵀ q
 * </pre>
 *
 * <p>{@link #rebase} makes that sum, and so hands v over to the next frame. It also keeps r in the
 * range of A: in between rounding alone puts a part of relative size 10⁻¹⁶ outside, which does not
 * contract. The velocity of a moving average of gradients is kept before the weights μ, as such an
 * updater keeps it.
 *
 * <p>Vectors are scaled to norm 1; {@link #logNorm} is the log of the norm they would have had.
 */
final class TangentVector {
  /** Nats of contraction after which v is formed anew; the sum above loses as many digits. */
  private static final double REBASE_EVERY = 10;

  /** ‖A v‖ over its bound √trace G ‖v‖: below, the sum A v is little more than rounding. */
  private static final double INVISIBLE = 1e-9;

  private GramMatrix gram;
  private TangentMap map;
  private boolean average;
  private StepRecursion update;
  private VisiblePart visible;
  private double[] v;
  private double[] p;
  private double[] r;
  private double[] u;
  private double[] w;
  private double[] q;
  private final double[] carriedPosition = new double[2];
  private final double[] carriedVelocity = new double[2];
  private int[] rows = {};
  private double[] coefficients = {};
  private double[] savedPosition;
  private double[] savedVelocity;
  private double savedLogNorm;
  private double logNorm;
  private double contraction;

  /**
   * A vector outside any frame.
   *
   * @param v direction of the parameters
   * @param p its velocity; null for zero
   * @param logNorm what is to be added to the log of its norm
   */
  TangentVector(double[] v, double[] p, double logNorm) {
    this.v = v.clone();
    this.p = p == null ? null : p.clone();
    this.logNorm = logNorm;
  }

  /**
   * Goes on in another frame; {@link #rebase} must have been called in the one before.
   *
   * @return false if A v = 0 there
   */
  boolean enter(TrajectoryExponent.Frame frame) {
    gram = frame.gram();
    map = frame.map();
    update = StepRecursion.of(frame.step());
    average = isAverage(frame.step());
    visible = new VisiblePart(frame, INVISIBLE);
    if (!update.hasMemory()) {
      p = null;
    } else if (p == null) {
      p = new double[v.length];
    }
    return project();
  }

  /** Says what the log of the norm is now. */
  void setLogNorm(double now) {
    savedLogNorm += now - logNorm;
    logNorm = now;
  }

  private static boolean isAverage(SgdStep step) {
    return step.momentum() instanceof Momentum.MovingAverage
        || step.momentum() instanceof Momentum.NesterovAverage;
  }

  /** v after {@link #rebase}. */
  double[] position() {
    return savedPosition.clone();
  }

  /** The velocity that belongs to {@link #position}, null without momentum. */
  double[] velocity() {
    return savedVelocity == null ? null : savedVelocity.clone();
  }

  /** The log of the norm that belongs to {@link #position}, without the norm of A v itself. */
  double savedLogNorm() {
    return savedLogNorm;
  }

  /** Log of the norm after {@link #rebase}; −∞ once annihilated, as soon as it is. */
  double logNorm() {
    return logNorm;
  }

  /** Applies one step with the first {@code size} examples of {@code batch}. */
  void apply(int[] batch, int size) {
    int count = size * gram.outputs();
    fillRows(batch, count);
    if (update.hasMemory()) {
      applyWithMemory(count, size);
    } else {
      applyPlain(count, size);
    }
    normalise();
    if (contraction > REBASE_EVERY && logNorm > Double.NEGATIVE_INFINITY) {
      rebase();
    }
  }

  private void applyPlain(int count, int size) {
    double factor = -update.rate() / (size * update.keep());
    for (int j = 0; j < count; j++) {
      coefficients[j] = factor * r[rows[j]];
    }
    for (int j = 0; j < count; j++) {
      w[rows[j]] += coefficients[j];
    }
    gram.addColumns(rows, coefficients, count, r);
    logNorm += Math.log(Math.abs(update.keep()));
  }

  private void applyWithMemory(int count, int size) {
    double factor = update.gradientWeight() / size;
    for (int j = 0; j < count; j++) {
      coefficients[j] = factor * r[rows[j]];
    }
    update.remember(r, u);
    update.remember(w, q);
    update.remember(carriedPosition, carriedVelocity);
    for (int j = 0; j < count; j++) {
      q[rows[j]] += coefficients[j];
    }
    gram.addColumns(rows, coefficients, count, u);
    update.move(r, u);
    update.move(w, q);
    update.move(carriedPosition, carriedVelocity);
  }

  private void fillRows(int[] batch, int count) {
    if (rows.length < count) {
      rows = new int[count];
      coefficients = new double[count];
    }
    int outputs = gram.outputs();
    for (int j = 0; j < count; j++) {
      rows[j] = batch[j / outputs] * outputs + j % outputs;
    }
  }

  /** Forms v and p from what the steps have added up, and r and u from them. */
  void rebase() {
    double[] gained = weighted(map.gradient(w));
    double[] base = v;
    double[] old = p == null ? null : average ? weighted(p) : p;
    v = sum(gained, carriedPosition, base, old);
    if (p != null) {
      double[] force = map.gradient(q);
      double[] penalised = carriedVelocity[0] == 0 ? base : unweighted(base);
      p = sum(average ? force : weighted(force), carriedVelocity, penalised, p);
    }
    project();
  }

  /** r, u from v, p. Returns false if both are zero. */
  private boolean project() {
    savedPosition = v;
    savedVelocity = p;
    savedLogNorm = logNorm;
    r = map.outputs(v);
    u = p == null ? new double[0] : map.outputs(average ? weighted(p) : p);
    w = new double[r.length];
    q = new double[u.length];
    requireFit();
    v = visible.of(v, r);
    identity();
    contraction = 0;
    return normalise();
  }

  private void requireFit() {
    if (r.length != gram.size()) {
      throw new IllegalArgumentException(
          "the tangent map must have the Gram matrix's " + gram.size() + " rows, got " + r.length);
    }
  }

  private void identity() {
    carriedPosition[0] = 1;
    carriedPosition[1] = 0;
    carriedVelocity[0] = 0;
    carriedVelocity[1] = 1;
  }

  private boolean normalise() {
    double velocity = update.newWeight();
    double norm = Math.sqrt(Vectors.dot(r, r) + velocity * velocity * Vectors.dot(u, u));
    if (Double.isNaN(norm) || Double.isInfinite(norm)) {
      throw new IllegalArgumentException(
          "the tangent vector must stay finite, got the norm " + norm);
    }
    logNorm += Math.log(norm);
    if (norm == 0) {
      return false;
    }
    contraction = Math.max(0, contraction - Math.log(norm));
    for (double[] part : new double[][] {r, u, w, q, carriedPosition, carriedVelocity}) {
      for (int i = 0; i < part.length; i++) {
        part[i] /= norm;
      }
    }
    return true;
  }

  private double[] weighted(double[] gradient) {
    return Weights.times(map, gradient);
  }

  /** v as a moving average of gradients would hold it. */
  private double[] unweighted(double[] direction) {
    return average ? Weights.over(map, direction) : direction.clone();
  }

  private static double[] sum(double[] gained, double[] factors, double[] base, double[] old) {
    double[] sum = gained.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factors[0] * base[i] + (old == null ? 0 : factors[1] * old[i]);
    }
    return sum;
  }
}
