// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A fully connected layer, z = x W + b, a = σ(z), for one row per example or per position. */
final class DenseRule extends LayerRule {
  private final INDArray weights;
  private final INDArray bias;
  private final Activation activation;
  private final RowMask mask;
  private int examples;
  private INDArray input;
  private INDArray z;

  /**
   * A rule.
   *
   * @param layer the layer with parameters W and, perhaps, b
   * @param activation the layer's, or the identity if the output asked for is z
   * @param mask the rows that count
   */
  DenseRule(Layer layer, Activation activation, RowMask mask) {
    weights = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
    bias = layer.paramTable().get(DefaultParamInitializer.BIAS_KEY);
    this.activation = activation;
    this.mask = mask;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    this.input = input;
    z = StackedColumns.times(input, weights);
    if (bias != null) {
      z.addiRowVector(bias);
    }
    return mask.apply(activation.forward(z));
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray delta = activation.backward(z, mask.apply(epsilon));
    int positions = (int) (input.size(0) / examples);
    if (bias == null) {
      blocks.accept(new JacobianBlock.Outer(examples, positions, false, input, delta), weights);
    } else {
      blocks.accept(
          new JacobianBlock.Outer(examples, positions, false, input, delta, 1), weights, bias);
    }
    return propagate ? StackedColumns.timesTransposed(delta, weights) : null;
  }
}
