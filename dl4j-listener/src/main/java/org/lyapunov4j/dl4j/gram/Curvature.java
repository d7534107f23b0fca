// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

/** The curvature of a loss at the outputs of a probe, in the variable f that it is taken in. */
interface Curvature {
  /** Whether f is the pre-activation of the output layer; otherwise it is the layer's output. */
  boolean overLogits();

  /**
   * Whether the Hessian is not diagonal.
   *
   * @return true if it may have entries between outputs
   */
  default boolean couplesOutputs() {
    return true;
  }

  /**
   * Whether the loss is a squared error, the only kind the paper's theorems are about.
   *
   * @return true if it is
   */
  default boolean isSquaredError() {
    return false;
  }

  /**
   * Whether labels have as many columns as f.
   *
   * @return true if a label has a column for each of them
   */
  default boolean labelsFitOutputs() {
    return true;
  }

  /**
   * The length of f.
   *
   * @param outputs of the network, at an example or position
   * @return how many numbers the loss takes there
   */
  default int variables(int outputs) {
    return outputs;
  }

  /**
   * The loss at all rows.
   *
   * @param f the outputs, one row for each example or position
   * @param y their labels
   * @param w the weights of the loss, or null
   */
  Rows at(double[][] f, double[][] y, double[] w);

  /** The loss row by row. */
  interface Rows {
    /**
     * A factor of the Hessian of one row, or of its positive part.
     *
     * @param row which
     * @param r receives R; zero on entry
     */
    void factor(int row, double[][] r);

    /**
     * The loss of one row and its derivative in the coordinates of R.
     *
     * @param row which
     * @param e receives e with R e = ∂ℓ/∂f
     * @param losses receives terms of ℓ
     */
    void residual(int row, double[] e, double[] losses);

    /** The largest negative eigenvalue that was dropped, over the largest, in absolute value. */
    default double droppedShare() {
      return 0;
    }
  }
}
