// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.SgdStep;

/**
 * One trajectory of the linearised step in residual form: r ← (1 − η(l2 + decay)) r − (η/|S|)
 * G[:,S] r_S, with a velocity u of the same shape where the step has momentum.
 *
 * <p>The coefficients w with r = G w (and p with u = G p) are carried along; they cost O(|S|·K) a
 * step and give the energy wᵀGw for nothing. Rounding puts a component of relative size 10⁻¹⁶ into
 * ker G, which does not contract; once r has contracted by n nats that component has grown to 10⁻¹⁶
 * eⁿ relative to r. So r is projected back onto range(G) whenever it has contracted by {@link
 * #PROJECT_EVERY} nats.
 */
final class ResidualCocycle implements Cocycle {
  private static final double PROJECT_EVERY = 14;

  private final GramMatrix gram;
  private final RangeProjection projection;
  private final double[] r;
  private final double[] w;
  private final double[] u;
  private final double[] p;
  private final int[] rows;
  private final double[] coefficients;
  private StepRecursion update;
  private double logScale;
  private double contraction;

  ResidualCocycle(GramMatrix gram, SgdStep step) {
    this.gram = gram;
    projection = new RangeProjection(gram);
    update = StepRecursion.of(step);
    int m = gram.size();
    int velocity = update.hasMemory() ? m : 0;
    r = new double[m];
    w = new double[m];
    u = new double[velocity];
    p = new double[velocity];
    rows = new int[step.batchSize() * gram.outputs()];
    coefficients = new double[rows.length];
  }

  /** Changes the learning rate or the decay; batch size and kind of momentum must stay. */
  void use(SgdStep step) {
    update = StepRecursion.of(step);
  }

  /** Starts at coefficients w with velocity zero, normalised. Returns false if G w = 0. */
  @Override
  public boolean start(double[] start) {
    System.arraycopy(start, 0, w, 0, w.length);
    Arrays.fill(u, 0);
    Arrays.fill(p, 0);
    gram.multiply(w, r);
    logScale = 0;
    contraction = 0;
    double norm = norm();
    if (!(norm > 0)) {
      return false;
    }
    scaleBy(1 / norm);
    return true;
  }

  /**
   * Starts at w with the velocity p = {@code ratio}·w, normalised. Returns false if G w = 0.
   *
   * @param start coefficients w
   * @param ratio velocity over position; 0 without memory
   */
  boolean start(double[] start, double ratio) {
    if (!start(start)) {
      return false;
    }
    for (int i = 0; i < u.length; i++) {
      u[i] = ratio * r[i];
      p[i] = ratio * w[i];
    }
    return true;
  }

  /**
   * Applies one step of a cocycle without memory and returns the change of the energy wᵀGw, without
   * cancellation. What {@code keep} does to the state stays in the log scale, so that the energy is
   * that of the state as it is scaled now.
   */
  double applyMeasured(int[] batch, int size) {
    int count = size * gram.outputs();
    fillRows(batch, size);
    double factor = factor(size);
    double change = 0;
    for (int j = 0; j < count; j++) {
      double residual = r[rows[j]];
      coefficients[j] = factor * residual;
      change += coefficients[j] * residual;
    }
    applyPlain(count, size);
    for (int j = 0; j < count; j++) {
      change += coefficients[j] * r[rows[j]];
    }
    return change;
  }

  /** The coefficient over the residual of a step without memory, as the state is scaled now. */
  @Override
  public double factor(int size) {
    return -update.rate() / (size * update.keep());
  }

  /**
   * Applies the steps of a block, without memory, to all but the residual, which the caller adds
   * the same combination of columns to.
   */
  @Override
  public void follow(StepBlock block, double[] c) {
    int[] indices = block.indices();
    for (int j = 0; j < block.rows(); j++) {
      w[indices[j]] += c[j];
    }
    logScale += block.steps() * logKeep();
  }

  /** Whether the state has a velocity. */
  @Override
  public boolean hasMemory() {
    return update.hasMemory();
  }

  /** The log of the factor that a step without memory puts on the whole state; 0 with memory. */
  double logKeep() {
    return update.hasMemory() ? 0 : Math.log(Math.abs(update.keep()));
  }

  /**
   * Takes the parts of the state that rounding put into ker G out of it. Returns false where slow
   * modes of G prevent that.
   */
  boolean project() {
    boolean done = projection.apply(r, w);
    return update.hasMemory() ? projection.apply(u, p) && done : done;
  }

  /** Applies one step with the first {@code size} examples of {@code batch}. */
  @Override
  public void apply(int[] batch, int size) {
    int count = size * gram.outputs();
    fillRows(batch, size);
    if (update.hasMemory()) {
      applyWithMemory(count, size);
    } else {
      applyPlain(count, size);
    }
  }

  /** Scales the state to norm 1 and returns the factor it took. */
  double rescale() {
    double factor = 1 / norm();
    scaleBy(factor);
    logScale = 0;
    return factor;
  }

  /**
   * Scales the state to norm 1 and returns the log of the norm it had: the growth since the last
   * call.
   */
  @Override
  public double normalise() {
    double norm = norm();
    double growth = Math.log(norm) + logScale;
    if (norm > 0 && norm < Double.POSITIVE_INFINITY) {
      scaleBy(1 / norm);
      contract(growth);
    }
    logScale = 0;
    return growth;
  }

  /** The energy wᵀGw + weight·pᵀGp of the state as it is scaled now. */
  double energy(double weight) {
    double position = Vectors.dot(w, r);
    return weight == 0 || !update.hasMemory() ? position : position + weight * Vectors.dot(p, u);
  }

  /** The energy wᵀGw + pᵀGp of the state as it is scaled now; nonnegative up to rounding. */
  @Override
  public double energy() {
    return Vectors.dot(w, r) + Vectors.dot(p, u);
  }

  /** The residual; modified only beside {@link #follow}, valid until the next call. */
  @Override
  public double[] residual() {
    return r;
  }

  /** A copy of the coefficients w. */
  @Override
  public double[] coefficients() {
    return w.clone();
  }

  private void applyPlain(int count, int size) {
    double factor = factor(size);
    for (int j = 0; j < count; j++) {
      coefficients[j] = factor * r[rows[j]];
    }
    for (int j = 0; j < count; j++) {
      w[rows[j]] += coefficients[j];
    }
    gram.addColumns(rows, coefficients, count, r);
    if (update.keep() != 1) {
      logScale += Math.log(Math.abs(update.keep()));
    }
  }

  private void applyWithMemory(int count, int size) {
    double factor = update.gradientWeight() / size;
    for (int j = 0; j < count; j++) {
      coefficients[j] = factor * r[rows[j]];
    }
    update.remember(r, u);
    update.remember(w, p);
    for (int j = 0; j < count; j++) {
      p[rows[j]] += coefficients[j];
    }
    gram.addColumns(rows, coefficients, count, u);
    update.move(r, u);
    update.move(w, p);
  }

  private void fillRows(int[] batch, int size) {
    int outputs = gram.outputs();
    int row = 0;
    for (int b = 0; b < size; b++) {
      int first = batch[b] * outputs;
      for (int k = 0; k < outputs; k++) {
        rows[row++] = first + k;
      }
    }
  }

  private void contract(double growth) {
    contraction = Math.max(0, contraction - growth);
    if (contraction > PROJECT_EVERY) {
      contraction = 0;
      project();
    }
  }

  private double norm() {
    return Math.sqrt(Vectors.dot(r, r) + Vectors.dot(u, u));
  }

  private void scaleBy(double factor) {
    Vectors.scale(r, factor);
    Vectors.scale(w, factor);
    Vectors.scale(u, factor);
    Vectors.scale(p, factor);
  }
}
