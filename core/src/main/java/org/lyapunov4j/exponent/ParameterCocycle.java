// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import java.util.List;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.SgdStep;

/**
 * One trajectory of the linearised step on a tangent vector of the parameters: z ← (1 − η(l2 +
 * decay)) z − (η/|S|) J_Sᵀ J_S z, with a velocity v of the same shape where the step has momentum.
 * The residual is r = J z; with z = Jᵀw the energy wᵀGw is ‖z‖². No matrix is needed, and a step
 * reads what belongs to its mini-batch alone.
 *
 * <p>Rounding puts a component of relative size 10⁻¹⁶ into ker J, which no step contracts; so z is
 * projected back onto the range of Jᵀ whenever it has contracted by {@link #PROJECT_EVERY} nats, as
 * {@link ResidualCocycle} does with r.
 */
final class ParameterCocycle {
  private static final double PROJECT_EVERY = 14;

  private final TangentGram gram;
  private final double[] z;
  private final double[] v;
  private final double[] u;
  private final StepRecursion update;
  private double logScale;
  private double contraction;

  /**
   * A trajectory that has yet to start.
   *
   * @param operator J
   * @param gram its products, for projections
   */
  ParameterCocycle(TangentOperator operator, TangentGram gram, SgdStep step) {
    this.gram = gram;
    update = StepRecursion.of(step);
    z = new double[operator.dimension()];
    v = new double[update.hasMemory() ? z.length : 0];
    u = new double[step.batchSize() * operator.outputs()];
  }

  /** Starts at z, in the range of Jᵀ, with velocity zero, normalised. False if z = 0. */
  boolean start(double[] start) {
    System.arraycopy(start, 0, z, 0, z.length);
    Arrays.fill(v, 0);
    logScale = 0;
    contraction = 0;
    double norm = norm();
    if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
      return false;
    }
    scaleBy(1 / norm);
    return true;
  }

  /** Applies one step with the selected examples, {@code size} of them, to all trajectories. */
  static void apply(
      List<ParameterCocycle> cocycles, TangentOperator.Products selected, int size, int outputs) {
    double[][] u = cocycles.stream().map(one -> one.u).toArray(double[][]::new);
    selected.outputs(cocycles.stream().map(one -> one.z).toArray(double[][]::new), u);
    cocycles.forEach(one -> one.begin(size, outputs));
    selected.addGradient(
        u, cocycles.stream().map(ParameterCocycle::moved).toArray(double[][]::new));
    cocycles.forEach(ParameterCocycle::end);
  }

  private void begin(int size, int outputs) {
    double factor =
        update.hasMemory()
            ? update.gradientWeight() / size
            : -update.rate() / (size * update.keep());
    for (int j = 0; j < size * outputs; j++) {
      u[j] *= factor;
    }
    if (update.hasMemory()) {
      update.remember(z, v);
    }
  }

  /** What the gradient is added to. */
  private double[] moved() {
    return update.hasMemory() ? v : z;
  }

  private void end() {
    if (update.hasMemory()) {
      update.move(z, v);
    } else if (update.keep() != 1) {
      logScale += Math.log(Math.abs(update.keep()));
    }
  }

  /** Scales the state to norm 1; returns the log of the norm it had, the growth since last time. */
  double normalise() {
    double norm = norm();
    double growth = Math.log(norm) + logScale;
    logScale = 0;
    if (norm > 0 && norm < Double.POSITIVE_INFINITY) {
      scaleBy(1 / norm);
      contraction = Math.max(0, contraction - growth);
      if (contraction > PROJECT_EVERY) {
        contraction = 0;
        gram.project(z);
        if (update.hasMemory()) {
          gram.project(v);
        }
      }
    }
    return growth;
  }

  /** The tangent vector; not to be modified, valid until the next call. */
  double[] tangent() {
    return z;
  }

  private double norm() {
    return Math.sqrt(Vectors.dot(z, z) + Vectors.dot(v, v));
  }

  private void scaleBy(double factor) {
    Vectors.scale(z, factor);
    Vectors.scale(v, factor);
  }
}
