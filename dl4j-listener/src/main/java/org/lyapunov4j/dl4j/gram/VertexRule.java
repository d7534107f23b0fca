// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A vertex of a computation graph that is not a layer, by Deeplearning4j's own code: all examples
 * of a column at once, or, if it has parameters, one example and one column at a time.
 */
final class VertexRule implements Rule {
  private static final LayerWorkspaceMgr NONE = LayerWorkspaceMgr.noWorkspaces();

  private final GraphVertex vertex;
  private int examples;
  private List<INDArray> inputs;
  private long outputRows;

  VertexRule(GraphVertex vertex) {
    this.vertex = vertex;
  }

  @Override
  public boolean isTrained() {
    return vertex.numParams() > 0;
  }

  @Override
  public INDArray forward(int examples, List<INDArray> inputs) {
    this.examples = examples;
    this.inputs = inputs;
    INDArray output = StackedColumns.packed(activate(examples, 0));
    outputRows = output.size(0);
    return output;
  }

  /**
   * Runs the vertex forward on some of the examples, or on all if there are {@code examples} blocks
   * of 1.
   */
  private INDArray activate(long blocks, long from) {
    for (int j = 0; j < inputs.size(); j++) {
      INDArray input = inputs.get(j);
      vertex.setInput(
          j,
          blocks == examples
              ? input.dup('c')
              : StackedColumns.get(input, input.size(0) / examples, from).dup('c'),
          NONE);
    }
    return vertex.doForward(false, NONE);
  }

  @Override
  public List<INDArray> backward(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    int columns = (int) (epsilon.size(0) / outputRows);
    int step = isTrained() ? 1 : examples;
    long rowsOut = outputRows * step / examples;
    double scale = GenericRule.scale(vertex);
    INDArray[] results = new INDArray[inputs.size()];
    INDArray[] jacobian = new INDArray[1];
    INDArray[] parameters = null;
    for (int i = 0; i < examples; i += step) {
      for (int k = 0; k < columns; k++) {
        activate(step, i);
        long block = ((long) k * examples + i) / step;
        vertex.setEpsilon(StackedColumns.get(epsilon, rowsOut, block).dup('c'));
        Pair<Gradient, INDArray[]> pair = vertex.doBackward(false, NONE);
        for (int j = 0; j < results.length; j++) {
          INDArray input = inputs.get(j);
          results[j] = put(results[j], columns, input, block, pair.getSecond()[j].mul(scale), step);
        }
        if (isTrained()) {
          parameters = GenericRule.parameters(pair.getFirst(), vertex.paramTable(false));
          putRow(jacobian, columns, i, k, GenericRule.flatten(pair.getFirst()).muli(scale));
        }
      }
    }
    if (isTrained()) {
      blocks.accept(new JacobianBlock.Rows(examples, jacobian[0]), parameters);
    }
    return new ArrayList<>(List.of(results));
  }

  private INDArray put(
      INDArray target, int columns, INDArray input, long block, INDArray part, int step) {
    INDArray result = target;
    if (result == null) {
      long[] shape = input.shape().clone();
      shape[0] *= columns;
      result = Nd4j.createUninitialized(part.dataType(), shape, 'c');
    }
    StackedColumns.get(result, input.size(0) * step / examples, block).assign(part);
    return result;
  }

  private void putRow(INDArray[] jacobian, int columns, int i, int k, INDArray row) {
    if (jacobian[0] == null) {
      jacobian[0] =
          Nd4j.createUninitialized(
              row.dataType(), new long[] {(long) examples * columns, row.length()}, 'c');
    }
    StackedColumns.get(jacobian[0], 1, (long) i * columns + k).assign(row);
  }
}
