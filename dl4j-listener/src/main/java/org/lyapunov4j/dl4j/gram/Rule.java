// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How one node of a network takes part in the Jacobian: forward on all N examples, then backward
 * for all columns at once.
 *
 * <p>Arrays are in 'c' order. On the way forward the first dimension is that of the examples, N, or
 * N·T for T positions (time steps) that are treated as rows of their own: row i·T + t. On the way
 * back the columns are stacked on top of that: row k·N·T + i·T + t for column k. A rule may keep
 * what it saw on the way forward; it must not modify its arguments.
 */
interface Rule {
  /** The node's output in inference mode. */
  INDArray forward(int examples, List<INDArray> inputs);

  /**
   * Propagates the derivatives of all columns with respect to the node's output.
   *
   * @param epsilon derivatives with respect to the output
   * @param propagate whether the result is needed
   * @param blocks receives the Jacobian of the columns with respect to the node's trained
   *     parameters, with the arrays these are in
   * @return derivatives with respect to the inputs, or null if not needed or there are none
   */
  List<INDArray> backward(INDArray epsilon, boolean propagate, JacobianSink blocks);

  /**
   * How many entries the Jacobian of this many columns takes beyond the derivatives with respect to
   * inputs and outputs; known after the forward pass.
   */
  default long workspace(int columns) {
    return 0;
  }

  /** Whether the node has parameters that training moves. */
  default boolean isTrained() {
    return false;
  }
}
