// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A layer whose parameters are not trained.
 *
 * @param rule the layer's rule
 * @param stops whether what lies below is not trained either, as below Deeplearning4j's {@code
 *     FrozenLayer}
 */
record FrozenRule(Rule rule, boolean stops) implements Rule {
  @Override
  public INDArray forward(int examples, List<INDArray> inputs) {
    return rule.forward(examples, inputs);
  }

  @Override
  public long workspace(int columns) {
    return rule.workspace(columns);
  }

  @Override
  public List<INDArray> backward(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    return rule.backward(epsilon, propagate, (block, parameters) -> {});
  }
}
