// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/** Which rule serves which layer. */
final class LayerRules {
  private LayerRules() {}

  /** The rule of a layer below the output. */
  static LayerRule hidden(Layer layer, String name) {
    org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
    Class<?> type = conf.getClass();
    if (type == DenseLayer.class && !((DenseLayer) conf).hasLayerNorm()) {
      return new DenseRule(layer, Activation.of(((DenseLayer) conf).getActivationFn()));
    }
    if (type == ActivationLayer.class) {
      return new ActivationRule(Activation.of(((ActivationLayer) conf).getActivationFn()));
    }
    if (type == DropoutLayer.class) {
      return new ActivationRule(Activation.IDENTITY);
    }
    throw new IllegalArgumentException(
        "no Gram rule for " + name + "; use DenseLayer, ActivationLayer or DropoutLayer");
  }

  /** The rule of the layer that holds the loss; its output is the variable the loss is taken in. */
  static LayerRule output(Layer layer, LossCurvature curvature, String name) {
    Activation activation =
        curvature.overLogits() ? Activation.IDENTITY : Activation.of(activation(layer, name));
    return layer.conf().getLayer() instanceof LossLayer
        ? new ActivationRule(activation)
        : new DenseRule(layer, activation);
  }

  /** The loss function of an output layer. */
  static ILossFunction loss(Layer layer, String name) {
    org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
    Class<?> type = conf.getClass();
    if (type != OutputLayer.class && type != LossLayer.class) {
      throw new IllegalArgumentException(
          "no Gram rule for a network that ends in "
              + name
              + "; end it in OutputLayer or LossLayer");
    }
    return conf instanceof BaseOutputLayer output
        ? output.getLossFn()
        : ((LossLayer) conf).getLossFn();
  }

  /** The curvature rule of an output layer. */
  static LossCurvature curvature(Layer layer, String name) {
    try {
      return LossCurvature.of(loss(layer, name), activation(layer, name));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
  }

  private static IActivation activation(Layer layer, String name) {
    if (layer.conf().getLayer() instanceof org.deeplearning4j.nn.conf.layers.BaseLayer base) {
      return base.getActivationFn();
    }
    throw new IllegalArgumentException(name + " has no activation function");
  }
}
