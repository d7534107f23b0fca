// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Whole networks of the kinds people train. */
class ArchitecturesTest extends ConformanceKit {
  private static final INDArray MASK =
      Nd4j.createFromArray(new double[][] {{1, 1, 1, 1}, {1, 1, 0, 0}, {1, 1, 1, 0}});

  private static Case graph(String name, MultiDataSet data, UnaryOperator<GraphBuilder> build) {
    return new Case(name, type -> Networks.graph(type, 7, build), data, false);
  }

  private static MultiDataSet data(INDArray features, INDArray labels) {
    return new MultiDataSet(features, labels);
  }

  /** A layer told its number of inputs. */
  private static Layer wide(Layer layer, int in) {
    ((FeedForwardLayer) layer).setNIn(in);
    return layer;
  }

  private static Layer same(int maps) {
    return convolution(3, maps)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static Layer attention() {
    return new SelfAttentionLayer.Builder()
        .nOut(4)
        .nHeads(2)
        .headSize(2)
        .projectInput(true)
        .build();
  }

  private static Layer output(int classes) {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nOut(classes)
        .activation(Activation.SOFTMAX)
        .build();
  }

  private static ConvolutionLayer.Builder convolution(int kernel, int maps) {
    return new ConvolutionLayer.Builder(kernel, kernel).nOut(maps).activation(Activation.TANH);
  }

  private static Layer maximum() {
    return new SubsamplingLayer.Builder(
            SubsamplingLayer.PoolingType.MAX, new int[] {2, 2}, new int[] {2, 2})
        .build();
  }

  private static Layer dense(int out) {
    return new DenseLayer.Builder().nOut(out).activation(Activation.TANH).build();
  }

  private static LSTM lstm(int out) {
    return new LSTM.Builder().nOut(out).activation(Activation.TANH).build();
  }

  private static Layer seriesOutput(int in) {
    return new RnnOutputLayer.Builder(LossFunction.MSE)
        .nIn(in)
        .nOut(2)
        .dataFormat(RNNFormat.NCW)
        .activation(Activation.SOFTMAX)
        .build();
  }

  @Override
  List<Case> cases() {
    INDArray series = Networks.gaussian(1, 3, 4, 4);
    INDArray two = Networks.gaussian(2, 3, 2);
    return List.of(
        new Case(
            "LeNet, ten outputs",
            type ->
                Networks.network(
                    type,
                    7,
                    InputType.convolutional(12, 12, 1),
                    convolution(3, 4).build(),
                    maximum(),
                    convolution(2, 5).build(),
                    maximum(),
                    dense(12),
                    output(10)),
            Networks.gaussian(3, 3, 1, 12, 12),
            Networks.gaussian(4, 3, 10)),
        graph(
                "residual block with batch normalisation",
                data(Networks.gaussian(5, 3, 2, 4, 4), two),
                g ->
                    g.addInputs("in")
                        .setInputTypes(InputType.convolutional(4, 4, 2))
                        .addLayer("c1", same(3), "in")
                        .addLayer("b1", new BatchNormalization.Builder().build(), "c1")
                        .addLayer("a1", new ActivationLayer(Activation.SOFTPLUS), "b1")
                        .addLayer("c2", same(3), "a1")
                        .addLayer("b2", new BatchNormalization.Builder().build(), "c2")
                        .addVertex(
                            "sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a1", "b2")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "sum")
                        .addLayer("out", output(2), "pool")
                        .setOutputs("out"))
            .byDifferences(),
        new Case(
            "LSTM classifier",
            type ->
                Networks.network(
                    type,
                    7,
                    InputType.recurrent(4, 4),
                    new Bidirectional(Bidirectional.Mode.CONCAT, lstm(3)),
                    new LastTimeStep(lstm(4)),
                    output(3)),
            series,
            Networks.gaussian(6, 3, 3)),
        graph(
            "LSTM tagger in a graph, masked",
            new MultiDataSet(
                new INDArray[] {series},
                new INDArray[] {Networks.gaussian(8, 3, 2, 4)},
                new INDArray[] {MASK},
                new INDArray[] {MASK}),
            g ->
                g.addInputs("in")
                    .setInputTypes(InputType.recurrent(4, 4))
                    .addLayer("first", lstm(3), "in")
                    .addLayer("second", lstm(4), "first")
                    .addVertex(
                        "sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "in", "second")
                    .addLayer("out", seriesOutput(4), "sum")
                    .setOutputs("out")),
        graph(
            "words",
            data(
                Nd4j.createFromArray(new double[][] {{3, 1, 3, 8}, {0, 3, 3, 3}, {1, 8, 2, 2}}),
                two),
            g ->
                g.addInputs("in")
                    .addLayer(
                        "words",
                        new EmbeddingSequenceLayer.Builder().nIn(9).nOut(3).inputLength(4).build(),
                        "in")
                    .addLayer("last", new LastTimeStep(wide(lstm(3), 3)), "words")
                    .addLayer("out", wide(output(2), 3), "last")
                    .setOutputs("out")),
        graph(
                "transformer block",
                data(series, two),
                g ->
                    g.addInputs("in")
                        .setInputTypes(InputType.recurrent(4, 4))
                        .addLayer("attention", attention(), "in")
                        .addVertex(
                            "first",
                            new ElementWiseVertex(ElementWiseVertex.Op.Add),
                            "in",
                            "attention")
                        .addLayer(
                            "norm",
                            new DenseLayer.Builder()
                                .nOut(5)
                                .hasLayerNorm(true)
                                .activation(Activation.TANH)
                                .build(),
                            "first")
                        .addLayer("dense", dense(4), "norm")
                        .addVertex(
                            "series",
                            new PreprocessorVertex(new FeedForwardToRnnPreProcessor()),
                            "dense")
                        .addVertex(
                            "second",
                            new ElementWiseVertex(ElementWiseVertex.Op.Add),
                            "first",
                            "series")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "second")
                        .addLayer("out", output(2), "pool")
                        .setOutputs("out"))
            .byDifferences(),
        graph(
                "attention of one series to another",
                new MultiDataSet(
                    new INDArray[] {series, Networks.gaussian(9, 3, 3, 5)}, new INDArray[] {two}),
                g ->
                    g.addInputs("queries", "keys")
                        .setInputTypes(InputType.recurrent(4, 4), InputType.recurrent(3, 5))
                        .addLayer("series", lstm(3), "keys")
                        .addVertex(
                            "attention",
                            new AttentionVertex.Builder()
                                .nInQueries(4)
                                .nInKeys(3)
                                .nInValues(3)
                                .nOut(4)
                                .nHeads(2)
                                .headSize(2)
                                .projectInput(true)
                                .build(),
                            "queries",
                            "series",
                            "series")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "attention")
                        .addLayer("out", output(2), "pool")
                        .setOutputs("out"))
            .byDifferences(),
        graph(
            "frames: recurrent, convolution, recurrent",
            data(Networks.gaussian(10, 2, 9, 3), Networks.gaussian(11, 2, 2, 3)),
            g ->
                g.addInputs("in")
                    .addLayer(
                        "conv",
                        wide(convolution(2, 2).build(), 1),
                        new RnnToCnnPreProcessor(3, 3, 1),
                        "in")
                    .addLayer("lstm", wide(lstm(3), 8), new CnnToRnnPreProcessor(2, 2, 2), "conv")
                    .addLayer("out", seriesOutput(3), "lstm")
                    .setOutputs("out")),
        graph(
            "preprocessors one after the other",
            data(Networks.gaussian(12, 2, 9, 3), Networks.gaussian(13, 2, 2, 3)),
            g ->
                g.addInputs("in")
                    .addLayer(
                        "dense",
                        wide(dense(4), 9),
                        new ComposableInputPreProcessor(
                            new RnnToCnnPreProcessor(3, 3, 1),
                            new CnnToFeedForwardPreProcessor(3, 3, 1)),
                        "in")
                    .addLayer("lstm", wide(lstm(3), 4), new FeedForwardToRnnPreProcessor(), "dense")
                    .addLayer("out", seriesOutput(3), "lstm")
                    .setOutputs("out")));
  }
}
