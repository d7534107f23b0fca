// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How one layer takes part in the Jacobian: forward on all N examples, then backward for all output
 * columns at once.
 *
 * <p>Arrays are in 'c' order. Their first dimension is N on the way forward and columns·N on the
 * way back, where row k·N + i belongs to column k of example i. A rule may keep what it saw on the
 * way forward; it must not modify its arguments.
 */
interface LayerRule {
  /** The layer's output in inference mode. */
  INDArray forward(INDArray input);

  /**
   * Propagates the derivatives of all columns with respect to the layer's output.
   *
   * @param epsilon derivatives with respect to the output
   * @param propagate whether the result is needed
   * @param blocks receives the Jacobian of the columns with respect to the layer's trained
   *     parameters
   * @return derivatives with respect to the input, or null if not needed
   */
  INDArray backward(INDArray epsilon, boolean propagate, Consumer<JacobianBlock> blocks);

  /** Whether the layer has parameters that training moves. */
  default boolean isTrained() {
    return false;
  }
}
