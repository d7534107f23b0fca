// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.step.GroupedStep;

/**
 * An eigenvector of the full-batch step of groups to a real eigenvalue ρ: the sum of the groups'
 * residuals is x, and with the curvatures h_h(ρ) of {@link StepRecursion#curvatureAt}
 *
 * <pre>
 *   x = Σ_h G_h x / (N h_h(ρ)),    r_h = G_h x / (N h_h(ρ)).
 * </pre>
 *
 * <p>By symmetry x also makes the left eigenvector: on any state z = {@link
 * GroupedCocycle#functional} changes by z′ = ρz + (N/B) Σ_{i∈S} x_i s_i − x·s in a step on the
 * batch S.
 */
final class GroupedMode {
  private final double[] x;
  private final double rho;
  private final boolean resolved;
  private final double slack;

  /**
   * A mode.
   *
   * @param x of norm 1
   * @param rho ρ
   * @param resolved whether no slower mode may be lost in rounding
   * @param slack how much of 1 − ρ may be rounding, relatively
   */
  GroupedMode(double[] x, double rho, boolean resolved, double slack) {
    this.x = x;
    this.rho = rho;
    this.resolved = resolved;
    this.slack = slack;
  }

  /** Not to be modified. */
  double[] x() {
    return x;
  }

  double rho() {
    return rho;
  }

  boolean isResolved() {
    return resolved;
  }

  double slack() {
    return slack;
  }

  /** The coefficient of x in w_h, where r_h = G_h w_h. */
  double position(StepRecursion update, int examples) {
    return 1 / (examples * update.curvatureAt(rho));
  }

  /** The coefficient of x in p_h, where the velocity is u_h = G_h p_h. */
  double velocity(StepRecursion update, int examples) {
    return update.gradientWeight()
        * (1.0 / examples + update.l2() * position(update, examples))
        / (rho - update.memory());
  }

  /** What the functional multiplies x·r_c of a class of positions with. */
  double weightOfPosition(StepRecursion update) {
    return update.hasMemory()
        ? (rho - update.memory())
            / ((rho - update.memory()) * (rho - update.keep())
                - update.gradientWeight()
                    * update.l2()
                    * (update.newWeight() * rho + update.oldWeight()))
        : 1 / (rho - update.keep());
  }

  /** What the functional multiplies x·u_h with, given the weight of the group's positions. */
  double weightOfVelocity(StepRecursion update, double position) {
    double moved =
        (update.newWeight() * rho + update.oldWeight()) / (rho - update.memory()) * position;
    return (update.oldWeight() * position + update.memory() * moved) / rho;
  }

  /** The exponent of the mode. */
  double exponent() {
    return Math.log(Math.abs(rho));
  }

  /** The largest real eigenvalue along directions without curvature of any group. */
  static double idle(GroupedStep step) {
    double largest = Double.NaN;
    for (int h = 0; h < step.groups().size(); h++) {
      double idle = StepRecursion.of(step.of(h)).idleEigenvalue();
      largest = Double.isNaN(largest) || idle > largest ? idle : largest;
    }
    return largest;
  }
}
