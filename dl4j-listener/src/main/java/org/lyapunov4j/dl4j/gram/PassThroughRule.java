// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer without parameters, by Deeplearning4j's own code, all examples of a column at once. */
final class PassThroughRule extends LayerRule {
  private static final LayerWorkspaceMgr NONE = LayerWorkspaceMgr.noWorkspaces();

  private final Layer layer;
  private INDArray input;

  PassThroughRule(Layer layer) {
    this.layer = layer;
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.input = input;
    layer.setInput(input.dup('c'), NONE);
    return StackedColumns.packed(layer.activate(false, NONE).castTo(input.dataType()));
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    double scale = GenericRule.scale(layer);
    return StackedColumns.map(
        epsilon,
        input.size(0),
        column -> {
          layer.setInput(input.dup('c'), NONE);
          layer.activate(true, NONE);
          layer.setInput(input.dup('c'), NONE);
          return layer.backpropGradient(column, NONE).getSecond().muli(scale);
        });
  }
}
