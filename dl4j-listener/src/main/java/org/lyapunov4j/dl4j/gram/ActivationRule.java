// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer without parameters that applies an activation function. */
final class ActivationRule extends LayerRule {
  private final Activation activation;
  private INDArray z;

  ActivationRule(Activation activation) {
    this.activation = activation;
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    z = input;
    return activation.forward(z);
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    return activation.backward(z, epsilon);
  }
}
