// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationPReLU;
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
    if (isIdentity()) {
      return epsilon;
    }
    if (epsilon.size(0) == z.size(0) || !isElementwise()) {
      return StackedColumns.map(
          epsilon, z.size(0), column -> function.backprop(z.dup('c'), column).getFirst());
    }
    INDArray slope = slope(z);
    INDArray result = Nd4j.createUninitialized(epsilon.dataType(), epsilon.shape(), 'c');
    for (long k = 0; k < epsilon.size(0) / z.size(0); k++) {
      StackedColumns.get(epsilon, z.size(0), k)
          .muli(slope, StackedColumns.get(result, z.size(0), k));
    }
    return result;
  }

  /** Whether each output depends on its own input alone, as far as is known. */
  boolean isElementwise() {
    return function.getClass().getPackage() == ActivationIdentity.class.getPackage()
        && !(function instanceof ActivationSoftmax)
        && !(function instanceof ActivationPReLU);
  }

  /** σ′(z), for a function of each value by itself. */
  INDArray slope(INDArray z) {
    return function.backprop(z.dup('c'), Nd4j.onesLike(z)).getFirst();
  }

  private boolean isIdentity() {
    return function instanceof ActivationIdentity;
  }
}
