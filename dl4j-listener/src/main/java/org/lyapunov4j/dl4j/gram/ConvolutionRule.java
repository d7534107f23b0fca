// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A convolution in one, two or three dimensions: a dense layer on the patches of its input, z_t = W
 * a_t + b at every position t. Deeplearning4j computes z; patches and their transpose are formed
 * here.
 */
final class ConvolutionRule extends LayerRule {
  private static final LayerWorkspaceMgr NONE = LayerWorkspaceMgr.noWorkspaces();

  private final Layer layer;
  private final ConvolutionLayer conf;
  private final Activation activation;
  private final boolean channelsLast;
  private INDArray input;
  private INDArray z;
  private PatchMap map;
  private int examples;

  /** A rule for a layer of a replica, whose own activation it takes away. */
  ConvolutionRule(Layer layer) {
    this.layer = layer;
    conf = (ConvolutionLayer) layer.conf().getLayer();
    activation = new Activation(((BaseLayer) conf).getActivationFn());
    conf.setActivationFn(new ActivationIdentity());
    channelsLast =
        conf instanceof Convolution3D volume
            ? volume.getDataFormat() == Convolution3D.DataFormat.NDHWC
            : conf instanceof Convolution1DLayer series
                ? series.getRnnDataFormat() == RNNFormat.NWC
                : conf.getCnn2dDataFormat() == CNN2DFormat.NHWC;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    this.input = input;
    layer.setInput(input.dup('c'), NONE);
    z = Columns.packed(layer.activate(false, NONE));
    map = PatchMap.of(geometry());
    return activation.forward(z);
  }

  /** The patches of all inputs and a part of the Jacobian. */
  @Override
  public long workspace(int columns) {
    long patches = input.size(0) * map.patchSize() * map.positions();
    return patches + Contraction.ROWS_ENTRIES;
  }

  private PatchMap.Geometry geometry() {
    int dimensions = input.rank() - 2;
    int[] in = spatial(input, dimensions);
    int[] out = spatial(z, dimensions);
    int[] kernel = first(conf.getKernelSize(), dimensions);
    int[] stride = first(conf.getStride(), dimensions);
    int[] dilation = first(conf.getDilation(), dimensions);
    int[] padding = new int[dimensions];
    for (int d = 0; d < dimensions; d++) {
      int reach = (kernel[d] - 1) * dilation[d];
      padding[d] =
          switch (conf.getConvolutionMode()) {
            case Same -> Math.max(0, (out[d] - 1) * stride[d] + reach + 1 - in[d]) / 2;
            case Causal -> reach;
            default -> conf.getPadding()[d];
          };
    }
    return new PatchMap.Geometry(
        (int) input.size(channelsLast ? input.rank() - 1 : 1),
        channelsLast,
        new PatchMap.Sizes(in),
        new PatchMap.Sizes(out),
        new PatchMap.Sizes(kernel),
        new PatchMap.Sizes(stride),
        new PatchMap.Sizes(padding),
        new PatchMap.Sizes(dilation));
  }

  private int[] spatial(INDArray array, int dimensions) {
    int[] sizes = new int[dimensions];
    for (int d = 0; d < dimensions; d++) {
      sizes[d] = (int) array.size(d + (channelsLast ? 1 : 2));
    }
    return sizes;
  }

  private static int[] first(int[] sizes, int count) {
    return Arrays.copyOf(sizes, count);
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray weights = patchWeights();
    int q = (int) (weights.length() / map.patchSize());
    INDArray delta = channelsFirst(activation.backward(z, epsilon), q);
    int perExample = (int) (input.size(0) / examples);
    boolean channelsFirst = perExample == 1;
    INDArray patches = map.gather(input);
    JacobianBlock.Outer outer =
        new JacobianBlock.Outer(
            examples,
            perExample * map.positions(),
            channelsFirst,
            channelsFirst ? patches : rows(patches),
            channelsFirst ? delta : rows(delta),
            conf.hasBias() ? 1 : 0);
    if (conf.hasBias()) {
      blocks.accept(outer, weights, layer.getParam(ConvolutionParamInitializer.BIAS_KEY));
    } else {
      blocks.accept(outer, weights);
    }
    return propagate
        ? below(delta, weights.dup('c').reshape('c', map.patchSize(), q).transpose())
        : null;
  }

  /**
   * The weights as a view whose entries in 'c' order are those of a p × q matrix. In one dimension
   * Deeplearning4j 1.0.0-M2.1 reads them as kernel × inputs × outputs.
   */
  private INDArray patchWeights() {
    INDArray weights = layer.getParam(ConvolutionParamInitializer.WEIGHT_KEY);
    long q = weights.size(0);
    return conf instanceof Convolution1DLayer
        ? weights.reshape('c', weights.size(2), weights.size(1), q).permute(1, 0, 2)
        : weights.reshape('c', q, map.patchSize()).transpose();
  }

  /** Rows × q × T. */
  private INDArray channelsFirst(INDArray delta, int q) {
    return channelsLast
        ? Columns.packed(delta)
            .reshape('c', delta.size(0), map.positions(), q)
            .permute(0, 2, 1)
            .dup('c')
        : Columns.packed(delta).reshape('c', delta.size(0), q, map.positions());
  }

  /** Rows × c × T as rows·T × c. */
  private static INDArray rows(INDArray array) {
    return array
        .permute(0, 2, 1)
        .dup('c')
        .reshape('c', array.size(0) * array.size(2), array.size(1));
  }

  private INDArray below(INDArray delta, INDArray weights) {
    long[] shape = input.shape().clone();
    shape[0] = delta.size(0);
    INDArray result = Nd4j.createUninitialized(delta.dataType(), shape, 'c');
    INDArray patches =
        Nd4j.createUninitialized(
            delta.dataType(), new long[] {map.positions(), map.patchSize()}, 'f');
    for (long r = 0; r < delta.size(0); r++) {
      INDArray row = Columns.get(delta, 1, r).reshape('c', delta.size(1), map.positions());
      Nd4j.gemm(row, weights, patches, true, false, 1, 0);
      map.scatter(patches, result, r);
    }
    return result;
  }
}
