// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Batch normalisation in inference mode, a = γ (x − μ)/√(σ² + ε) + β with the running μ and σ: an
 * affine map of each channel whose parameters are γ and β. Deeplearning4j's own backward pass
 * differentiates the statistics of the batch instead.
 */
final class BatchNormRule extends LayerRule {
  private final Layer layer;
  private final BatchNormalization conf;
  private int examples;
  private INDArray normalised;
  private INDArray slope;

  BatchNormRule(Layer layer) {
    this.layer = layer;
    conf = (BatchNormalization) layer.conf().getLayer();
  }

  @Override
  public boolean isTrained() {
    return !conf.isLockGammaBeta();
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    INDArray mean = layer.getParam(BatchNormalizationParamInitializer.GLOBAL_MEAN);
    INDArray inverse =
        Transforms.pow(Transforms.sqrt(variance().add(conf.getEps()), false), -1, false);
    normalised = input.sub(channels(mean, input)).muli(channels(inverse, input));
    if (conf.isLockGammaBeta()) {
      slope = channels(inverse.mul(conf.getGamma()), input);
      return normalised.mul(conf.getGamma()).addi(conf.getBeta());
    }
    INDArray gain = layer.getParam(BatchNormalizationParamInitializer.GAMMA);
    slope = channels(inverse.mul(gain), input);
    return normalised
        .mul(channels(gain, input))
        .addi(channels(layer.getParam(BatchNormalizationParamInitializer.BETA), input));
  }

  /** The values of an example that a statistic is taken over, once an input was seen. */
  long valuesOfAnExample() {
    return normalised.length() / normalised.size(channelAxis(normalised)) / examples;
  }

  private INDArray variance() {
    if (!conf.isUseLogStd()) {
      return layer.getParam(BatchNormalizationParamInitializer.GLOBAL_VAR);
    }
    INDArray log = layer.getParam(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
    return Transforms.exp(log.mul(2 * Math.log(10)), false);
  }

  private int channelAxis(INDArray array) {
    return array.rank() == 4 && conf.getCnn2DFormat() == CNN2DFormat.NHWC ? 3 : 1;
  }

  /** A vector of the channels, in a shape that broadcasts. */
  private INDArray channels(INDArray vector, INDArray like) {
    long[] shape = new long[like.rank()];
    Arrays.fill(shape, 1);
    shape[channelAxis(like)] = vector.length();
    return vector.dup('c').reshape('c', shape);
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    if (isTrained()) {
      INDArray gains =
          StackedColumns.map(
              epsilon, normalised.size(0), column -> perRow(column.muli(normalised)));
      INDArray shifts = StackedColumns.map(epsilon, normalised.size(0), this::perRow);
      INDArray both = Nd4j.concat(1, gains, shifts).dup('c');
      blocks.accept(
          JacobianBlock.Rows.ofPositions(examples, normalised.size(0) / examples, both),
          layer.getParam(BatchNormalizationParamInitializer.GAMMA),
          layer.getParam(BatchNormalizationParamInitializer.BETA));
    }
    return propagate ? epsilon.mul(slope) : null;
  }

  /** Sums over all but the first axis and the channels. */
  private INDArray perRow(INDArray array) {
    if (array.rank() == 2) {
      return array;
    }
    return channelAxis(array) == 1 ? array.sum(2, 3) : array.sum(1, 2);
  }
}
