// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A fully connected layer with layer normalisation, a = σ(g n + b), where n is u = x W of one row,
 * less its mean and divided by its standard deviation (that of the population).
 */
final class LayerNormRule extends LayerRule {
  private final Layer layer;
  private final Activation activation;
  private final RowMask mask;
  private int examples;
  private INDArray input;
  private INDArray normalised;
  private INDArray inverse;
  private INDArray z;

  LayerNormRule(Layer layer, RowMask mask) {
    this.layer = layer;
    activation = new Activation(((BaseLayer) layer.conf().getLayer()).getActivationFn());
    this.mask = mask;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  private INDArray weights() {
    return layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
  }

  private INDArray gain() {
    return layer.getParam(DefaultParamInitializer.GAIN_KEY);
  }

  private INDArray bias() {
    return layer.paramTable().get(DefaultParamInitializer.BIAS_KEY);
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    this.input = input;
    INDArray u = StackedColumns.times(input, weights());
    INDArray centred = u.subColumnVector(u.mean(true, 1));
    inverse = centred.norm2(true, 1).rdivi(Math.sqrt((double) u.size(1)));
    normalised = centred.muliColumnVector(inverse);
    z = normalised.mulRowVector(gain());
    if (bias() != null) {
      z.addiRowVector(bias());
    }
    return mask.apply(activation.forward(z));
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray delta = activation.backward(z, mask.apply(epsilon));
    int positions = (int) (input.size(0) / examples);
    INDArray gains = StackedColumns.map(delta, z.size(0), column -> column.muli(normalised));
    if (bias() == null) {
      blocks.accept(JacobianBlock.Rows.ofPositions(examples, positions, gains), gain());
    } else {
      INDArray both = Nd4j.concat(1, gains, delta).dup('c');
      blocks.accept(JacobianBlock.Rows.ofPositions(examples, positions, both), gain(), bias());
    }
    INDArray inner = StackedColumns.map(delta, z.size(0), this::throughNormalisation);
    blocks.accept(new JacobianBlock.Outer(examples, positions, false, input, inner), weights());
    return propagate ? StackedColumns.timesTransposed(inner, weights()) : null;
  }

  /** (v − mean v − n mean(n v))/std u for v = g δ. */
  private INDArray throughNormalisation(INDArray delta) {
    INDArray v = delta.muliRowVector(gain());
    INDArray along = v.mul(normalised).mean(true, 1);
    return v.subColumnVector(v.mean(true, 1))
        .subi(normalised.mulColumnVector(along))
        .muliColumnVector(inverse);
  }
}
