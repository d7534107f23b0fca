// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.params.PReLUParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The rectifier with trained slopes, a = x for x ≥ 0 and α x below; α may be shared along axes. */
final class PReluRule extends LayerRule {
  private final Layer layer;
  private int examples;
  private INDArray negative;
  private INDArray slope;

  PReluRule(Layer layer) {
    this.layer = layer;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  /** α with a first axis of size 1 for the rows. */
  private INDArray slopes() {
    INDArray alpha = layer.getParam(PReLUParamInitializer.WEIGHT_KEY).dup('c');
    long[] shape = new long[alpha.rank() + 1];
    shape[0] = 1;
    System.arraycopy(alpha.shape(), 0, shape, 1, alpha.rank());
    return alpha.reshape('c', shape);
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    INDArray below = input.lt(0).castTo(input.dataType());
    negative = input.mul(below);
    slope = below.mul(slopes()).addi(below.rsub(1));
    return input.mul(slope);
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray stacked =
        StackedColumns.map(epsilon, negative.size(0), column -> shared(column.muli(negative)));
    blocks.accept(
        JacobianBlock.Rows.ofPositions(examples, negative.size(0) / examples, stacked),
        layer.getParam(PReLUParamInitializer.WEIGHT_KEY));
    return propagate
        ? StackedColumns.map(epsilon, slope.size(0), column -> column.muli(slope))
        : null;
  }

  /** Sums over the axes along which α is shared, as one row for each row. */
  private INDArray shared(INDArray array) {
    long[] shape = slopes().shape();
    int[] axes = new int[shape.length];
    int count = 0;
    for (int axis = 1; axis < shape.length; axis++) {
      if (shape[axis] == 1 && array.size(axis) > 1) {
        axes[count++] = axis;
      }
    }
    INDArray sums = count == 0 ? array : array.sum(true, Arrays.copyOf(axes, count)).dup('c');
    return sums.reshape('c', array.size(0), sums.length() / array.size(0));
  }
}
