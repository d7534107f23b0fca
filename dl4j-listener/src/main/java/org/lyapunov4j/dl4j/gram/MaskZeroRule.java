// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.deeplearning4j.nn.layers.recurrent.MaskZeroLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A recurrent layer with the time steps masked at which all inputs have a certain value. */
final class MaskZeroRule extends LayerRule {
  private final MaskZeroLayer layer;
  private final Rule series;

  /**
   * A rule.
   *
   * @param layer the wrapper
   * @param series the rule of what it wraps
   */
  MaskZeroRule(MaskZeroLayer layer, Rule series) {
    this.layer = layer;
    this.series = series;
  }

  @Override
  public boolean isTrained() {
    return series.isTrained();
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    LayerWorkspaceMgr none = LayerWorkspaceMgr.noWorkspaces();
    layer.setInput(input.dup('c'), none);
    layer.activate(false, none); // masks what it wraps
    return series.forward(examples, List.of(input));
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    return series.backward(epsilon, propagate, blocks).get(0);
  }
}
