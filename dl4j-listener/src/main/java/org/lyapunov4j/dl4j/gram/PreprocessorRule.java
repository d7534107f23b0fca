// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A preprocessor that keeps one row for each example, by Deeplearning4j's own code. */
final class PreprocessorRule extends LayerRule {
  private final InputPreProcessor preprocessor;
  private int examples;

  PreprocessorRule(InputPreProcessor preprocessor) {
    this.preprocessor = preprocessor;
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    return StackedColumns.packed(
        preprocessor.preProcess(input.dup('c'), examples, LayerWorkspaceMgr.noWorkspaces()));
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    return StackedColumns.map(
        epsilon,
        examples,
        column -> preprocessor.backprop(column, examples, LayerWorkspaceMgr.noWorkspaces()));
  }
}
