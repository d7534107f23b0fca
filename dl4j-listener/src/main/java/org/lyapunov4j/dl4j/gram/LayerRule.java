// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Collections;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A rule with one input; the contract is that of {@link Rule}. */
abstract class LayerRule implements Rule {
  abstract INDArray forward(int examples, INDArray input);

  abstract INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks);

  @Override
  public final INDArray forward(int examples, List<INDArray> inputs) {
    return forward(examples, inputs.get(0));
  }

  @Override
  public final List<INDArray> backward(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    return Collections.singletonList(back(epsilon, propagate, blocks));
  }
}
