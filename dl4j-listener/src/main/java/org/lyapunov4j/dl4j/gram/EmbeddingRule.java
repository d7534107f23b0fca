// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A table of vectors, a = σ(W[index] + b), for one index per example or one per time step. Nothing
 * is propagated to indices.
 */
final class EmbeddingRule extends LayerRule {
  private final Layer layer;
  private final Activation activation;
  private final boolean series;
  private final boolean channelsLast;
  private int examples;
  private long[] inputShape;
  private long[] shape;
  private int[] indices;
  private RowMask mask;
  private INDArray z;

  EmbeddingRule(Layer layer) {
    this.layer = layer;
    activation = new Activation(((BaseLayer) layer.conf().getLayer()).getActivationFn());
    series = layer.conf().getLayer() instanceof EmbeddingSequenceLayer;
    channelsLast =
        layer.conf().getLayer() instanceof EmbeddingSequenceLayer conf
            && conf.getOutputFormat() == RNNFormat.NWC;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  private INDArray weights() {
    return layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
  }

  private INDArray bias() {
    return layer.paramTable().get(DefaultParamInitializer.BIAS_KEY);
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    inputShape = input.shape();
    indices = input.dup('c').data().asInt();
    mask = mask(input);
    z = StackedColumns.packed(Nd4j.pullRows(weights(), 1, indices));
    if (bias() != null) {
      z.addiRowVector(bias());
    }
    INDArray rows = mask.apply(activation.forward(z));
    if (!series) {
      return rows;
    }
    long steps = indices.length / inputShape[0];
    shape =
        channelsLast
            ? new long[] {inputShape[0], steps, z.size(1)}
            : new long[] {inputShape[0], z.size(1), steps};
    return TimeStepsRule.series(rows, shape, channelsLast);
  }

  private RowMask mask(INDArray input) {
    INDArray given = layer.getMaskArray();
    return given == null || !series
        ? RowMask.ofLayer(given, examples, input.dataType())
        : new RowMask(given.castTo(input.dataType()).dup('c').reshape('c', given.length(), 1));
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray rows = series ? TimeStepsRule.rows(epsilon, channelsLast) : epsilon;
    INDArray delta = activation.backward(z, mask.apply(rows));
    int positions = indices.length / examples;
    blocks.accept(
        JacobianBlock.Lookup.of(examples, indices, (int) weights().size(0), delta), weights());
    if (bias() != null) {
      blocks.accept(JacobianBlock.Rows.ofPositions(examples, positions, delta), bias());
    }
    if (!propagate) {
      return null;
    }
    long[] below = inputShape.clone();
    below[0] = epsilon.size(0);
    return Nd4j.zeros(epsilon.dataType(), below);
  }
}
