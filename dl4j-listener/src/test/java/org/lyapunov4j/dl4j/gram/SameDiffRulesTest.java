// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaVertex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Layers and vertices made with SameDiff that have no parameters. Deeplearning4j doubles the
 * gradient of what is below them, so the truth is differences of the output.
 */
class SameDiffRulesTest extends ConformanceKit {
  /** tanh(x)·x. */
  public static final class Gate extends SameDiffLambdaLayer {
    private static final long serialVersionUID = 1L;

    @Override
    public SDVariable defineLayer(SameDiff graph, SDVariable input) {
      return graph.math().tanh(input).mul(input);
    }

    @Override
    public InputType getOutputType(int index, InputType input) {
      return input;
    }
  }

  /** x·tanh(y). */
  public static final class Product extends SameDiffLambdaVertex {
    private static final long serialVersionUID = 1L;

    @Override
    public SDVariable defineVertex(SameDiff graph, VertexInputs inputs) {
      return inputs.getInput(0).mul(graph.math().tanh(inputs.getInput(1)));
    }
  }

  @Override
  List<Case> cases() {
    INDArray x = Networks.gaussian(1, 4, 3);
    INDArray two = Networks.gaussian(2, 4, 2);
    return List.of(
        new Case(
                "lambda layers, one above the other",
                type ->
                    Networks.network(
                        type,
                        7,
                        FeedForwardRulesTest.dense(3, 4),
                        new Gate(),
                        FeedForwardRulesTest.dense(4, 5),
                        new Gate(),
                        new Gate(),
                        FeedForwardRulesTest.output(5, 2)),
                x,
                two)
            .byDifferences(),
        new Case(
                "lambda vertex",
                type ->
                    Networks.graph(
                        type,
                        7,
                        g ->
                            g.addInputs("in")
                                .addLayer("a", FeedForwardRulesTest.dense(3, 4), "in")
                                .addLayer("b", FeedForwardRulesTest.dense(3, 4), "in")
                                .addVertex("product", new Product(), "a", "b")
                                .addLayer("out", FeedForwardRulesTest.output(4, 2), "product")
                                .setOutputs("out")),
                new MultiDataSet(x, two),
                false)
            .byDifferences());
  }
}
