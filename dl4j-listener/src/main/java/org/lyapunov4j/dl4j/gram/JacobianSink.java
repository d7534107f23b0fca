// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Receives the Jacobian of a node, block by block. */
@FunctionalInterface
interface JacobianSink {
  /**
   * Takes a block.
   *
   * @param block derivatives with respect to some parameters
   * @param parameters which ones: views of the layer's own parameter arrays, never copies, in the
   *     layout of the block. Their entries in 'c' order, array after array, are the block's
   *     columns; for outer products, p × q, or several arrays whose rows make p together
   */
  void accept(JacobianBlock block, INDArray... parameters);
}
