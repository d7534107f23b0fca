// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A change of shape between two layers. */
final class PreprocessorRule implements LayerRule {
  private final InputPreProcessor preprocessor;
  private int examples;

  PreprocessorRule(InputPreProcessor preprocessor) {
    this.preprocessor = preprocessor;
  }

  @Override
  public INDArray forward(INDArray input) {
    examples = (int) input.size(0);
    return preprocessor.preProcess(input.dup('c'), examples, LayerWorkspaceMgr.noWorkspaces());
  }

  @Override
  public INDArray backward(INDArray epsilon, boolean propagate, Consumer<JacobianBlock> blocks) {
    return Columns.map(
        epsilon,
        examples,
        column -> preprocessor.backprop(column, examples, LayerWorkspaceMgr.noWorkspaces()));
  }
}
