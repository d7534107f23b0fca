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
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.lyapunov4j.gram.MatrixProduct;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A convolution in one, two or three dimensions: a dense layer on the patches of its input, z_t = W
 * a_t + b at every position t. Deeplearning4j computes z; patches and their transpose are formed
 * here.
 */
class ConvolutionRule extends LayerRule {
  private static final LayerWorkspaceMgr NONE = LayerWorkspaceMgr.noWorkspaces();

  final Layer layer;
  final ConvolutionLayer conf;
  private final Activation activation;
  private final boolean channelsLast;
  INDArray input;
  PatchMap map;
  private INDArray z;
  private int examples;

  /** A rule for a layer of a replica, whose own activation it takes away. */
  ConvolutionRule(Layer layer) {
    this.layer = layer;
    conf = (ConvolutionLayer) layer.conf().getLayer();
    activation = new Activation(((BaseLayer) conf).getActivationFn());
    conf.setActivationFn(new ActivationIdentity());
    channelsLast = isChannelsLast(conf);
  }

  private static boolean isChannelsLast(ConvolutionLayer conf) {
    if (conf instanceof Convolution3D volume) {
      return volume.getDataFormat() == Convolution3D.DataFormat.NDHWC;
    }
    if (conf instanceof Deconvolution3D volume) {
      return volume.getDataFormat() == Convolution3D.DataFormat.NDHWC;
    }
    return conf instanceof Convolution1DLayer series
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
    z = StackedColumns.packed(layer.activate(false, NONE));
    map = PatchMap.of(geometry(input, z));
    return activation.forward(z);
  }

  /** The patches of all inputs and a part of the Jacobian. */
  @Override
  public long workspace(int columns) {
    long patches = input.size(0) * map.patchSize() * map.positions();
    return patches + Contraction.ROWS_ENTRIES;
  }

  /** The convolution that leads from one array to another. */
  PatchMap.Geometry geometry(INDArray from, INDArray to) {
    int dimensions = from.rank() - 2;
    int[] in = spatial(from, dimensions);
    int[] out = spatial(to, dimensions);
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
        channels(from),
        channelsLast,
        new PatchMap.Sizes(in),
        new PatchMap.Sizes(out),
        new PatchMap.Sizes(kernel),
        new PatchMap.Sizes(stride),
        new PatchMap.Sizes(padding),
        new PatchMap.Sizes(dilation));
  }

  private int channels(INDArray array) {
    return (int) array.size(channelsLast ? array.rank() - 1 : 1);
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
  final INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray delta = channelsFirst(activation.backward(z, epsilon));
    addBlocks(delta, blocks);
    return propagate ? below(delta) : null;
  }

  /**
   * Hands over the blocks of weights and bias.
   *
   * @param delta derivatives with respect to z, columns stacked, rows × channels × positions
   */
  void addBlocks(INDArray delta, JacobianSink blocks) {
    addOuter(map.gather(input), delta, patchWeights(), blocks);
  }

  /**
   * The sum over positions of outer products of inputs, rows × p × T, and derivatives, with bias.
   */
  final void addOuter(INDArray inputs, INDArray delta, INDArray weights, JacobianSink blocks) {
    if (conf.hasBias()) {
      blocks.accept(outer(inputs, delta, 1), weights, bias());
    } else {
      blocks.accept(outer(inputs, delta, 0), weights);
    }
  }

  final JacobianBlock outer(INDArray inputs, INDArray delta, double bias) {
    int perExample = (int) (input.size(0) / examples);
    boolean channelsFirst = perExample == 1;
    return new JacobianBlock.Outer(
        examples,
        perExample * (int) inputs.size(2),
        channelsFirst,
        channelsFirst ? inputs : rows(inputs),
        channelsFirst ? delta : rows(delta),
        bias);
  }

  /** Hands over the block of the bias alone. */
  final void addBias(INDArray delta, JacobianSink blocks) {
    if (conf.hasBias()) {
      blocks.accept(summed(delta.sum(2).dup('c')), bias());
    }
  }

  private INDArray bias() {
    return layer.getParam(ConvolutionParamInitializer.BIAS_KEY);
  }

  /** The block with a row for each row of the input and column, summed over an example's rows. */
  final JacobianBlock summed(INDArray stacked) {
    return JacobianBlock.Rows.ofPositions(examples, input.size(0) / examples, stacked);
  }

  /** A matrix, or its transpose, times each row's channels × positions. */
  static INDArray times(INDArray matrix, boolean transpose, INDArray array) {
    long channels = matrix.size(transpose ? 1 : 0);
    INDArray result =
        Nd4j.createUninitialized(
            array.dataType(), new long[] {array.size(0), channels, array.size(2)}, 'c');
    MatrixProduct series = MatrixProduct.series();
    for (long r = 0; r < array.size(0); r++) {
      INDArray target = result.slice(r).transpose();
      series.next(array.slice(r), matrix, target, true, !transpose);
    }
    return result;
  }

  /** Rows × channels × positions in the layout of the input. */
  final INDArray inLayoutOfInput(INDArray array) {
    long[] shape = input.shape().clone();
    shape[0] = array.size(0);
    return (channelsLast ? array.permute(0, 2, 1).dup('c') : array).reshape('c', shape);
  }

  /** Derivatives with respect to the input from those with respect to z. */
  INDArray below(INDArray delta) {
    return scatter(delta, matrix());
  }

  /** The weights as q × p. */
  INDArray matrix() {
    long p = map.patchSize();
    INDArray weights = patchWeights();
    return weights.dup('c').reshape('c', p, weights.length() / p).transpose();
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
  final INDArray channelsFirst(INDArray delta) {
    int q = channels(delta);
    long positions = delta.length() / delta.size(0) / q;
    return channelsLast
        ? StackedColumns.packed(delta)
            .reshape('c', delta.size(0), positions, q)
            .permute(0, 2, 1)
            .dup('c')
        : StackedColumns.packed(delta).reshape('c', delta.size(0), q, positions);
  }

  /** Rows × c × T as rows·T × c. */
  private static INDArray rows(INDArray array) {
    return array
        .permute(0, 2, 1)
        .dup('c')
        .reshape('c', array.size(0) * array.size(2), array.size(1));
  }

  /**
   * The derivatives with respect to the input from those with respect to z.
   *
   * @param weights q × p
   */
  final INDArray scatter(INDArray delta, INDArray weights) {
    long[] shape = input.shape().clone();
    shape[0] = delta.size(0);
    INDArray result = Nd4j.createUninitialized(delta.dataType(), shape, 'c');
    INDArray patches =
        Nd4j.createUninitialized(
            delta.dataType(), new long[] {map.positions(), map.patchSize()}, 'f');
    MatrixProduct series = MatrixProduct.series();
    for (long r = 0; r < delta.size(0); r++) {
      INDArray row = StackedColumns.get(delta, 1, r).reshape('c', delta.size(1), map.positions());
      series.next(row, weights, patches, true, false);
      map.scatter(patches, result, r);
    }
    return result;
  }
}
