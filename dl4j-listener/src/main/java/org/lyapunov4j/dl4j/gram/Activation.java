// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An activation function in inference mode. Deeplearning4j's work in place; these leave their
 * arguments alone.
 */
record Activation(IActivation function) {
  static final Activation IDENTITY = new Activation(new ActivationIdentity());

  INDArray forward(INDArray z) {
    return isIdentity() ? z : function.getActivation(z.dup('c'), false);
  }

  /** The columns' derivatives with respect to z, from those with respect to the activation. */
  INDArray backward(INDArray z, INDArray epsilon) {
    return isIdentity()
        ? epsilon
        : Columns.map(
            epsilon, z.size(0), column -> function.backprop(z.dup('c'), column).getFirst());
  }

  /** σ′(z), for a function of each value by itself. */
  INDArray slope(INDArray z) {
    return function.backprop(z.dup('c'), Nd4j.onesLike(z)).getFirst();
  }

  /** Whether each value only depends on its own argument; false if that is not known. */
  boolean isElementwise() {
    return function.getClass().getPackage().equals(ActivationIdentity.class.getPackage())
        && !(function instanceof ActivationSoftmax);
  }

  private boolean isIdentity() {
    return function instanceof ActivationIdentity;
  }
}
