// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.params.DepthwiseConvolutionParamInitializer;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;
import org.lyapunov4j.gram.MatrixProduct;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A convolution of every channel by itself: c channels with n outputs each are c·n outputs, whose
 * weights are the blocks on the diagonal of a matrix. In a separable convolution a dense layer for
 * every position, z = P h + b, follows.
 */
final class DepthwiseRule extends ConvolutionRule {
  private final boolean separable;

  DepthwiseRule(Layer layer) {
    super(layer);
    separable = conf instanceof SeparableConvolution2D;
  }

  /** A view of the weights with the axes of channels, their outputs and offsets. */
  private INDArray parameters() {
    return separable
        ? layer
            .getParam(SeparableConvolutionParamInitializer.DEPTH_WISE_WEIGHT_KEY)
            .permute(1, 0, 2, 3)
        : layer.getParam(DepthwiseConvolutionParamInitializer.WEIGHT_KEY).permute(2, 3, 0, 1);
  }

  /** Weights as c × n × offsets. */
  private INDArray weights() {
    INDArray weights = parameters();
    long offsets = weights.size(2) * weights.size(3);
    return weights.dup('c').reshape('c', weights.size(0), weights.size(1), offsets);
  }

  /** P, outputs × c·n, a view. */
  private INDArray pointwise() {
    INDArray weights = layer.getParam(SeparableConvolutionParamInitializer.POINT_WISE_WEIGHT_KEY);
    return weights.reshape('c', weights.size(0), weights.size(1));
  }

  /** All weights of the depthwise convolution as a matrix c·n × c·offsets. */
  @Override
  INDArray matrix() {
    INDArray weights = weights();
    long n = weights.size(1);
    long offsets = weights.size(2);
    INDArray matrix =
        Nd4j.zeros(weights.dataType(), weights.size(0) * n, weights.size(0) * offsets);
    for (long row = 0; row < matrix.size(0); row++) {
      for (long o = 0; o < offsets; o++) {
        matrix.putScalar(row, row / n * offsets + o, weights.getDouble(row / n, row % n, o));
      }
    }
    return matrix;
  }

  @Override
  void addBlocks(INDArray delta, JacobianSink blocks) {
    INDArray patches = map.gather(input);
    if (separable) {
      addOuter(times(matrix(), false, patches), delta, pointwise().transpose(), blocks);
    } else {
      addBias(delta, blocks);
    }
    blocks.accept(channelRows(patches, depthwise(delta)), parameters());
  }

  @Override
  INDArray below(INDArray delta) {
    return scatter(depthwise(delta), matrix());
  }

  /** Derivatives with respect to the outputs of the depthwise convolution. */
  private INDArray depthwise(INDArray delta) {
    return separable ? times(pointwise(), true, delta) : delta;
  }

  /** The rows of the Jacobian: each channel's patches with that channel's derivatives alone. */
  private JacobianBlock channelRows(INDArray patches, INDArray delta) {
    INDArray weights = weights();
    long channels = weights.size(0);
    long n = weights.size(1);
    long offsets = weights.size(2);
    long rows = patches.size(0);
    long columns = delta.size(0) / rows;
    long positions = patches.size(2);
    INDArray inputs = patches.reshape('c', rows * channels, offsets, positions);
    INDArray deltas =
        delta
            .reshape('c', columns, rows, channels, n, positions)
            .permute(1, 2, 0, 3, 4)
            .dup('c')
            .reshape('c', rows * channels, columns * n, positions);
    INDArray products =
        Nd4j.createUninitialized(
            delta.dataType(), new long[] {rows * channels, columns * n, offsets}, 'c');
    MatrixProduct series = MatrixProduct.series();
    for (long r = 0; r < rows * channels; r++) {
      INDArray target = products.slice(r).transpose();
      series.next(inputs.slice(r), deltas.slice(r), target, false, true);
    }
    INDArray stacked =
        products
            .reshape('c', rows, channels, columns, n, offsets)
            .permute(2, 0, 1, 3, 4)
            .dup('c')
            .reshape('c', columns * rows, channels * n * offsets);
    return summed(stacked);
  }
}
