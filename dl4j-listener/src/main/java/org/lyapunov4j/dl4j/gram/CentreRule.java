// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** An output layer whose loss is taken in its input too: its output is (input, z). */
final class CentreRule extends LayerRule {
  private final LayerRule layer;
  private long features;

  CentreRule(LayerRule layer) {
    this.layer = layer;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    features = input.size(1);
    return StackedColumns.packed(Nd4j.concat(1, input, layer.forward(examples, input)));
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray byInput = part(epsilon, 0, features);
    INDArray below = layer.back(part(epsilon, features, epsilon.size(1)), propagate, blocks);
    return propagate ? below.add(byInput) : null;
  }

  private static INDArray part(INDArray array, long from, long to) {
    return array.get(NDArrayIndex.all(), NDArrayIndex.interval(from, to)).dup('c');
  }
}
