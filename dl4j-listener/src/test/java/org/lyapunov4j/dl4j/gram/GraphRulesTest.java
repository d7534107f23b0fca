// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class GraphRulesTest extends ConformanceKit {
  private static Case graph(
      String name, INDArray[] features, INDArray[] labels, UnaryOperator<GraphBuilder> build) {
    return new Case(
        name, type -> Networks.graph(type, 7, build), new MultiDataSet(features, labels), false);
  }

  private static INDArray[] arrays(INDArray... arrays) {
    return arrays;
  }

  @Override
  List<Case> cases() {
    INDArray x = Networks.gaussian(1, 4, 3);
    INDArray y = Networks.gaussian(2, 4, 3);
    INDArray three = Networks.gaussian(3, 4, 3);
    INDArray two = Networks.gaussian(4, 4, 2);
    return List.of(
        graph(
            "skip connection",
            arrays(x),
            arrays(three),
            g ->
                g.addInputs("in")
                    .addLayer("a", FeedForwardRulesTest.dense(3, 4), "in")
                    .addLayer("b", FeedForwardRulesTest.dense(4, 4), "a")
                    .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "b")
                    .addVertex("scale", new ScaleVertex(0.5), "sum")
                    .addLayer("out", FeedForwardRulesTest.output(4, 3), "scale")
                    .setOutputs("out")),
        graph(
            "two inputs, merge, product, subset",
            arrays(x, y),
            arrays(three),
            g ->
                g.addInputs("x", "y")
                    .addLayer("a", FeedForwardRulesTest.dense(3, 4), "x")
                    .addLayer("b", FeedForwardRulesTest.dense(3, 4), "y")
                    .addVertex("merge", new MergeVertex(), "a", "b", "y")
                    .addVertex(
                        "product", new ElementWiseVertex(ElementWiseVertex.Op.Product), "a", "b")
                    .addVertex("unit", new L2NormalizeVertex(), "product")
                    .addVertex("part", new SubsetVertex(2, 8), "merge")
                    .addVertex("all", new MergeVertex(), "unit", "part")
                    .addLayer("out", FeedForwardRulesTest.output(11, 3), "all")
                    .setOutputs("out")),
        graph(
            "two outputs",
            arrays(x),
            arrays(three, two),
            g ->
                g.addInputs("in")
                    .addLayer("a", FeedForwardRulesTest.dense(3, 4), "in")
                    .addLayer("b", FeedForwardRulesTest.dense(4, 4), "a")
                    .addLayer("second", FeedForwardRulesTest.output(4, 2), "a")
                    .addLayer("first", FeedForwardRulesTest.output(4, 3), "b")
                    .setOutputs("first", "second")),
        graph(
            "shared layer",
            arrays(x, y),
            arrays(three),
            g ->
                g.addInputs("x", "y")
                    .addVertex("stack", new StackVertex(), "x", "y")
                    .addLayer("shared", FeedForwardRulesTest.dense(3, 4), "stack")
                    .addVertex("one", new UnstackVertex(0, 2), "shared")
                    .addVertex("two", new UnstackVertex(1, 2), "shared")
                    .addVertex(
                        "difference",
                        new ElementWiseVertex(ElementWiseVertex.Op.Subtract),
                        "one",
                        "two")
                    .addVertex("merge", new MergeVertex(), "difference", "two")
                    .addLayer("out", FeedForwardRulesTest.output(8, 3), "merge")
                    .setOutputs("out")),
        graph(
            "residual convolution",
            arrays(Networks.gaussian(5, 3, 2, 4, 4)),
            arrays(Networks.gaussian(6, 3, 2)),
            g ->
                g.addInputs("in")
                    .setInputTypes(InputType.convolutional(4, 4, 2))
                    .addLayer("c1", convolution(), "in")
                    .addLayer("c2", convolution(), "c1")
                    .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "c1", "c2")
                    .addLayer(
                        "out",
                        new OutputLayer.Builder(LossFunction.MSE)
                            .nOut(2)
                            .activation(Activation.IDENTITY)
                            .build(),
                        "sum")
                    .setOutputs("out")),
        graph(
            "encoder and decoder",
            arrays(Networks.gaussian(7, 3, 2, 4)),
            arrays(Networks.gaussian(8, 3, 2, 4)),
            g ->
                g.addInputs("in")
                    .setInputTypes(InputType.recurrent(2, 4))
                    .addLayer("encoder", lstm(), "in")
                    .addVertex("last", new LastTimeStepVertex("in"), "encoder")
                    .addVertex("again", new DuplicateToTimeSeriesVertex("in"), "last")
                    .addVertex("both", new MergeVertex(), "in", "again")
                    .addLayer("decoder", lstm(), "both")
                    .addLayer(
                        "out",
                        new RnnOutputLayer.Builder(LossFunction.MSE)
                            .nOut(2)
                            .activation(Activation.TANH)
                            .build(),
                        "decoder")
                    .setOutputs("out")));
  }

  private static ConvolutionLayer convolution() {
    return new ConvolutionLayer.Builder(3, 3)
        .nOut(2)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.TANH)
        .build();
  }

  private static LSTM lstm() {
    return new LSTM.Builder().nOut(3).activation(Activation.TANH).build();
  }
}
