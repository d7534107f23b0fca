// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/**
 * What the steps of a {@link StepBlock} do to one residual r, as far as they see it: r_S of each
 * step after those before it, and from it the coefficients c with r ← r + G[:, rows] c.
 */
final class BlockResponse {
  private final double[] residuals;
  private final double[] coefficients;
  private final double[] squares;

  BlockResponse(StepBlock block) {
    residuals = new double[block.mostRows()];
    coefficients = new double[block.mostRows()];
    squares = new double[block.capacity()];
  }

  /** Takes the residual before the block. */
  void begin(StepBlock block, double[] r) {
    int[] rows = block.indices();
    for (int s = 0; s < block.steps(); s++) {
      squares[s] = 0;
      for (int j = block.from(s); j < block.to(s); j++) {
        residuals[j] = r[rows[j]];
        squares[s] += residuals[j] * residuals[j];
      }
    }
  }

  /** Σ_S r_i² of a step, r as it was at the beginning of the block. */
  double squares(int s) {
    return squares[s];
  }

  /**
   * Takes the step, the next of the block but not its last.
   *
   * @param factor the coefficients over the residuals
   * @return the change of the energy wᵀGw, without cancellation
   */
  double take(StepBlock block, int s, double factor) {
    double change = takeLast(block, s, factor);
    int from = block.from(s);
    for (int j = from; j < block.to(s); j++) {
      double c = coefficients[j];
      double[] entries = block.entries(j);
      for (int l = from; l < block.rows(); l++) {
        residuals[l] += c * entries[l];
      }
    }
    for (int j = from; j < block.to(s); j++) {
      change += coefficients[j] * residuals[j];
    }
    return change;
  }

  /** Takes the last step; the part of the change that the residuals before it make. */
  double takeLast(StepBlock block, int s, double factor) {
    double change = 0;
    for (int j = block.from(s); j < block.to(s); j++) {
      coefficients[j] = factor * residuals[j];
      change += coefficients[j] * residuals[j];
    }
    return change;
  }

  /** The other part, from the residual after the block. */
  double end(StepBlock block, double[] r) {
    int[] rows = block.indices();
    double change = 0;
    for (int j = block.from(block.steps() - 1); j < block.rows(); j++) {
      change += coefficients[j] * r[rows[j]];
    }
    return change;
  }

  /** The coefficients of the rows of all steps taken; not to be modified. */
  double[] coefficients() {
    return coefficients;
  }
}
