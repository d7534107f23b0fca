// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class FeedForwardRulesTest extends ConformanceKit {
  private static final INDArray FEATURES = Networks.gaussian(1, 5, 4);
  private static final INDArray LABELS = Networks.gaussian(2, 5, 3);

  static Layer dense(int in, int out) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(Activation.TANH).build();
  }

  static Layer output(int in, int out) {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nIn(in)
        .nOut(out)
        .activation(Activation.SIGMOID)
        .build();
  }

  private static Case stack(String name, Layer... layers) {
    return new Case(
        name,
        type -> Networks.network(type, 7, InputType.feedForward(4), layers),
        FEATURES,
        LABELS);
  }

  private static MultiDataSet masked(INDArray mask) {
    return new MultiDataSet(
        new INDArray[] {FEATURES}, new INDArray[] {LABELS}, null, new INDArray[] {mask});
  }

  @Override
  List<Case> cases() {
    return List.of(
        stack("dense", dense(4, 5), output(5, 3)),
        stack(
            "layer normalisation",
            dense(4, 6),
            new DenseLayer.Builder()
                .nIn(6)
                .nOut(5)
                .hasLayerNorm(true)
                .activation(Activation.TANH)
                .build(),
            output(5, 3)),
        stack(
            "layer normalisation twice, no bias",
            new DenseLayer.Builder()
                .nIn(4)
                .nOut(6)
                .hasLayerNorm(true)
                .hasBias(false)
                .activation(Activation.SOFTMAX)
                .build(),
            new DenseLayer.Builder()
                .nIn(6)
                .nOut(2)
                .hasLayerNorm(true)
                .activation(Activation.SIGMOID)
                .build(),
            output(2, 3)),
        stack(
                "batch normalisation",
                dense(4, 6),
                new BatchNormalization.Builder().nIn(6).nOut(6).build(),
                output(6, 3))
            .byDifferences(),
        stack(
            "parametric rectifier",
            dense(4, 6),
            new PReLULayer.Builder().inputShape(6).build(),
            output(6, 3)),
        stack(
            "element-wise multiplication",
            dense(4, 6),
            new ElementWiseMultiplicationLayer.Builder()
                .nIn(6)
                .nOut(6)
                .activation(Activation.TANH)
                .build(),
            output(6, 3)),
        new Case(
            "masked examples",
            type -> Networks.network(type, 7, dense(4, 5), output(5, 3)),
            masked(Nd4j.createFromArray(new double[][] {{1}, {0}, {1}, {1}, {0}})),
            false),
        new Case(
            "masked outputs",
            type -> Networks.network(type, 7, dense(4, 5), output(5, 3)),
            masked(
                Nd4j.createFromArray(
                    new double[][] {{1, 0, 1}, {0, 0, 0}, {1, 1, 1}, {0, 0, 1}, {1, 1, 0}})),
            false),
        stack("frozen below", new FrozenLayer(dense(4, 6)), dense(6, 5), output(5, 3)),
        stack(
            "frozen between", dense(4, 6), new FrozenLayerWithBackprop(dense(6, 5)), output(5, 3)),
        new Case(
            "embedding",
            type ->
                Networks.network(
                    type,
                    7,
                    new EmbeddingLayer.Builder()
                        .nIn(9)
                        .nOut(4)
                        .hasBias(true)
                        .activation(Activation.TANH)
                        .build(),
                    output(4, 3)),
            Nd4j.createFromArray(new double[][] {{3}, {0}, {3}, {8}, {5}}),
            LABELS));
  }
}
