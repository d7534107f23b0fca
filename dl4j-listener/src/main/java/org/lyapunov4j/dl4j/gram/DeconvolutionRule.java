// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.params.DeconvolutionParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A transposed convolution: the convolution that leads from its output to its input tells which
 * outputs each input goes to. What is a position there is one here, so that a position's input
 * meets the derivatives of the patch of outputs it goes to.
 */
final class DeconvolutionRule extends ConvolutionRule {
  DeconvolutionRule(Layer layer) {
    super(layer);
  }

  @Override
  PatchMap.Geometry geometry(INDArray input, INDArray output) {
    PatchMap.Geometry g = super.geometry(output, input);
    return new PatchMap.Geometry(
        g.channels(),
        false, // of derivatives in the layout of all rules
        g.input(),
        g.output(),
        g.kernel(),
        g.stride(),
        g.padding(),
        g.dilation());
  }

  /** A view of the weights with the axes of inputs, outputs and offsets. */
  private INDArray parameters() {
    INDArray weights = layer.getParam(DeconvolutionParamInitializer.WEIGHT_KEY);
    return conf instanceof Deconvolution3D ? weights.permute(4, 3, 0, 1, 2) : weights;
  }

  /** The weights as inputs × (outputs, offsets). */
  @Override
  INDArray matrix() {
    INDArray weights = parameters();
    return weights.dup('c').reshape('c', weights.size(0), -1);
  }

  @Override
  void addBlocks(INDArray delta, JacobianSink blocks) {
    blocks.accept(outer(channelsFirst(input), map.gather(delta), 0), parameters());
    addBias(delta, blocks);
  }

  @Override
  INDArray below(INDArray delta) {
    return inLayoutOfInput(times(matrix(), false, map.gather(delta)));
  }
}
