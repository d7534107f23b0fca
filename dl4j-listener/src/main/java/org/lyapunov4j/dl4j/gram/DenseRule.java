// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A fully connected layer, z = x W + b, a = σ(z). */
final class DenseRule implements LayerRule {
  private final INDArray weights;
  private final INDArray bias;
  private final Activation activation;
  private INDArray input;
  private INDArray z;

  /**
   * A rule.
   *
   * @param layer the layer with parameters W and, perhaps, b
   * @param activation the layer's, or the identity if the output asked for is z
   */
  DenseRule(Layer layer, Activation activation) {
    weights = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
    bias = layer.paramTable().get(DefaultParamInitializer.BIAS_KEY);
    this.activation = activation;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  @Override
  public INDArray forward(INDArray input) {
    this.input = input;
    z = input.mmul(weights).dup('c');
    if (bias != null) {
      z.addiRowVector(bias);
    }
    return activation.forward(z);
  }

  @Override
  public INDArray backward(INDArray epsilon, boolean propagate, Consumer<JacobianBlock> blocks) {
    INDArray delta = activation.backward(z, epsilon);
    int examples = (int) input.size(0);
    blocks.accept(
        new JacobianBlock.Outer(input, Columns.exampleMajor(delta, examples), bias != null));
    return propagate ? Columns.timesTransposed(delta, weights) : null;
  }
}
