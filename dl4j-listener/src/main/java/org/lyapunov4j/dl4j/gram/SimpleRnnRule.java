// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The plain recurrent layer, h_t = σ(z_t). */
final class SimpleRnnRule extends RecurrentRule {
  private final Activation activation;
  private INDArray[] slopes;

  SimpleRnnRule(Layer layer) {
    super(layer);
    activation = new Activation(((BaseLayer) layer.conf().getLayer()).getActivationFn());
  }

  @Override
  void begin(int steps, INDArray zeroState) {
    slopes = new INDArray[steps];
  }

  @Override
  INDArray step(int t, INDArray z, INDArray mask) {
    slopes[t] = flat(activation.slope(z));
    return scale(activation.forward(z).dup('c'), mask);
  }

  @Override
  void beginBack(INDArray zeroState) {}

  @Override
  INDArray stepBack(int t, INDArray state, INDArray mask) {
    return scale(state, slopes[t]);
  }
}
