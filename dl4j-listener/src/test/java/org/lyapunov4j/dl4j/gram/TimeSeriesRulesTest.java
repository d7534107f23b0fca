// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class TimeSeriesRulesTest extends ConformanceKit {
  private static final INDArray SERIES = Networks.gaussian(1, 3, 2, 4);
  private static final INDArray LABELS = Networks.gaussian(2, 3, 2);
  private static final INDArray SERIES_LABELS = Networks.gaussian(3, 3, 2, 4);
  private static final INDArray INDICES =
      Nd4j.createFromArray(new double[][] {{3, 1, 3, 8}, {0, 3, 3, 3}, {1, 8, 2, 2}});
  private static final INDArray MASK =
      Nd4j.createFromArray(new double[][] {{1, 1, 1, 1}, {1, 1, 0, 0}, {1, 1, 1, 0}});

  private static Layer lstm() {
    return new LSTM.Builder().nOut(3).activation(Activation.TANH).build();
  }

  private static Layer simple() {
    return new SimpleRnn.Builder().nOut(3).activation(Activation.TANH).build();
  }

  @SuppressWarnings("deprecation") // Deeplearning4j keeps the LSTM with peepholes
  private static Layer peepholes() {
    return new GravesLSTM.Builder().nOut(3).activation(Activation.TANH).build();
  }

  /** The series with zeros at the start of one, in the middle and at the end of others. */
  private static INDArray padded() {
    INDArray series = SERIES.dup();
    for (int[] step : new int[][] {{0, 0}, {0, 1}, {1, 2}, {2, 3}}) {
      series
          .get(NDArrayIndex.point(step[0]), NDArrayIndex.all(), NDArrayIndex.point(step[1]))
          .assign(0);
    }
    return series;
  }

  private static Layer seriesOutput() {
    return new RnnOutputLayer.Builder(LossFunction.MSE)
        .nOut(2)
        .activation(Activation.SIGMOID)
        .build();
  }

  private static Layer output() {
    return new OutputLayer.Builder(LossFunction.MSE).nOut(2).activation(Activation.SIGMOID).build();
  }

  private static Case series(String name, MultiDataSet data, Layer... layers) {
    return new Case(
        name,
        type -> Networks.network(type, 7, InputType.recurrent(2, 4, RNNFormat.NCW), layers),
        data,
        false);
  }

  private static EmbeddingSequenceLayer.Builder embedding(RNNFormat format) {
    return new EmbeddingSequenceLayer.Builder()
        .nIn(9)
        .nOut(3)
        .inputLength(4)
        .outputDataFormat(format)
        .activation(Activation.TANH);
  }

  private static Case indices(String name, INDArray mask, Layer embedding) {
    return new Case(
        name,
        type ->
            Networks.network(
                type,
                7,
                embedding,
                new SimpleRnn.Builder().nIn(3).nOut(3).activation(Activation.TANH).build(),
                new RnnOutputLayer.Builder(LossFunction.MSE)
                    .nIn(3)
                    .nOut(2)
                    .dataFormat(RNNFormat.NCW)
                    .activation(Activation.SIGMOID)
                    .build()),
        new MultiDataSet(
            new INDArray[] {INDICES},
            new INDArray[] {SERIES_LABELS},
            mask == null ? null : new INDArray[] {mask},
            mask == null ? null : new INDArray[] {mask}),
        false);
  }

  private static MultiDataSet whole(INDArray labels) {
    return new MultiDataSet(SERIES, labels);
  }

  private static MultiDataSet masked(INDArray labels, INDArray labelsMask) {
    return new MultiDataSet(
        new INDArray[] {SERIES},
        new INDArray[] {labels},
        new INDArray[] {MASK},
        labelsMask == null ? null : new INDArray[] {labelsMask});
  }

  @Override
  @SuppressWarnings("deprecation") // Deeplearning4j keeps the LSTM with peepholes
  List<Case> cases() {
    return List.of(
        series("LSTM, output at every step", whole(SERIES_LABELS), lstm(), seriesOutput()),
        series("simple, output at every step", whole(SERIES_LABELS), simple(), seriesOutput()),
        series("last time step", whole(LABELS), new LastTimeStep(lstm()), output()),
        series("pooled", whole(LABELS), lstm(), new GlobalPoolingLayer(PoolingType.AVG), output()),
        series(
            "bidirectional, concatenated",
            whole(SERIES_LABELS),
            new Bidirectional(Bidirectional.Mode.CONCAT, lstm()),
            seriesOutput()),
        series(
            "bidirectional, added",
            whole(SERIES_LABELS),
            new Bidirectional(Bidirectional.Mode.ADD, simple()),
            seriesOutput()),
        series(
            "bidirectional, multiplied",
            whole(SERIES_LABELS),
            simple(),
            new Bidirectional(Bidirectional.Mode.MUL, lstm()),
            seriesOutput()),
        series(
            "bidirectional, averaged, last step",
            masked(LABELS, null),
            new DenseLayer.Builder().nOut(3).activation(Activation.TANH).build(),
            new LastTimeStep(new Bidirectional(Bidirectional.Mode.AVERAGE, simple())),
            output()),
        series(
            "masked by value",
            new MultiDataSet(padded(), LABELS),
            new LastTimeStep(new MaskZeroLayer(simple(), 0)),
            output()),
        series(
                "LSTM masked by value",
                new MultiDataSet(padded(), SERIES_LABELS),
                new MaskZeroLayer(lstm(), 0),
                seriesOutput())
            .byDifferences(),
        series(
                "LSTM with peepholes masked by value",
                new MultiDataSet(padded(), SERIES_LABELS),
                new MaskZeroLayer(peepholes(), 0),
                seriesOutput())
            .byDifferences(),
        series(
            "dense at every step",
            whole(SERIES_LABELS),
            lstm(),
            new TimeDistributed(
                new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.TANH).build(),
                RNNFormat.NCW),
            seriesOutput()),
        series(
            "other activations",
            whole(SERIES_LABELS),
            new LSTM.Builder()
                .nOut(3)
                .activation(Activation.SOFTSIGN)
                .gateActivationFunction(Activation.HARDSIGMOID)
                .build(),
            new LSTM.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
            new SimpleRnn.Builder().nOut(3).activation(Activation.IDENTITY).build(),
            new SimpleRnn.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
            seriesOutput()),
        series(
            "frozen below, stacked",
            whole(SERIES_LABELS),
            new FrozenLayer(lstm()),
            peepholes(),
            new FrozenLayerWithBackprop(lstm()),
            simple(),
            new FrozenLayerWithBackprop(new Bidirectional(Bidirectional.Mode.CONCAT, simple())),
            seriesOutput()),
        series(
            "LSTM with peepholes, stacked",
            masked(LABELS, null),
            peepholes(),
            new LastTimeStep(peepholes()),
            output()),
        series(
            "both directions with peepholes",
            whole(SERIES_LABELS),
            new GravesBidirectionalLSTM.Builder().nOut(3).activation(Activation.TANH).build(),
            seriesOutput()),
        series("LSTM with peepholes", whole(SERIES_LABELS), peepholes(), seriesOutput()),
        series(
            "dense between time steps",
            whole(SERIES_LABELS),
            lstm(),
            new DenseLayer.Builder().nOut(3).activation(Activation.TANH).build(),
            simple(),
            seriesOutput()),
        series(
            "time series loss",
            whole(SERIES_LABELS),
            new LSTM.Builder().nOut(2).activation(Activation.TANH).build(),
            new RnnLossLayer.Builder(LossFunction.MSE).activation(Activation.SIGMOID).build()),
        series("masked features and labels", masked(SERIES_LABELS, MASK), lstm(), seriesOutput()),
        series(
            "masked, dense between",
            masked(SERIES_LABELS, MASK),
            simple(),
            new DenseLayer.Builder().nOut(3).activation(Activation.SIGMOID).build(),
            lstm(),
            seriesOutput()),
        series("masked, last time step", masked(LABELS, null), new LastTimeStep(lstm()), output()),
        series(
            "masked, pooled",
            masked(LABELS, null),
            simple(),
            new GlobalPoolingLayer(PoolingType.MAX),
            output()),
        series(
            "masked, bidirectional",
            masked(LABELS, null),
            new Bidirectional(Bidirectional.Mode.CONCAT, lstm()),
            new GlobalPoolingLayer(PoolingType.AVG),
            output()),
        series(
                "self-attention",
                whole(LABELS),
                new SelfAttentionLayer.Builder()
                    .nOut(4)
                    .nHeads(2)
                    .headSize(2)
                    .projectInput(true)
                    .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                output())
            .byDifferences(),
        indices("embedded", null, embedding(RNNFormat.NCW).hasBias(true).build()),
        indices("embedded, masked", MASK, embedding(RNNFormat.NCW).build()),
        new Case(
            "embedded, time steps first",
            type ->
                Networks.network(
                    type,
                    7,
                    embedding(RNNFormat.NWC).hasBias(true).build(),
                    new LastTimeStep(
                        new SimpleRnn.Builder()
                            .nIn(3)
                            .nOut(3)
                            .dataFormat(RNNFormat.NWC)
                            .activation(Activation.TANH)
                            .build()),
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.SIGMOID)
                        .build()),
            INDICES.reshape(3, 1, 4),
            LABELS),
        new Case(
            "time steps first",
            type ->
                Networks.network(
                    type,
                    7,
                    InputType.recurrent(2, 4, RNNFormat.NWC),
                    new LSTM.Builder()
                        .nOut(3)
                        .dataFormat(RNNFormat.NWC)
                        .activation(Activation.TANH)
                        .build(),
                    new LastTimeStep(
                        new SimpleRnn.Builder()
                            .nOut(3)
                            .dataFormat(RNNFormat.NWC)
                            .activation(Activation.TANH)
                            .build()),
                    output()),
            SERIES.permute(0, 2, 1).dup('c'),
            LABELS));
  }
}
