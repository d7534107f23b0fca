// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.function.DoubleSupplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.Networks;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** One step of training with SameDiff layers against differences of the score. */
class GradientFactorsTest {
  private static final StepReader READER = new StepReader(MiniBatchSampling.IID_SUBSETS);
  private static final double RATE = 0.05;
  private static final int SERIES = 2;

  private final DataSet data =
      new DataSet(
          series(1),
          series(2).get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1), NDArrayIndex.all()).dup());

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void everySameDiffLayerDoublesTheGradientOfItselfAndBelow(int attentions) {
    ListBuilder list = Networks.configuration(new Sgd(RATE), DataType.DOUBLE).list().layer(lstm());
    for (int i = 0; i < attentions; i++) {
      list.layer(attention());
    }
    MultiLayerNetwork network = Networks.initialise(list.layer(output()).build(), 5);
    INDArray parameterWeights = READER.parameterWeights(network, 0, 0).orElseThrow();
    assertThat(parameterWeights.getDouble(0)).isEqualTo(Math.pow(2, attentions));
    assertThat(parameterWeights.getDouble(parameterWeights.length() - 1)).isEqualTo(1);
    assertThat(READER.read(network, 0, 0, SERIES).remarks())
        .anyMatch(r -> r.contains(" with " + (1 << attentions) + " times the gradient"));
    requireTheStep(network, parameterWeights, () -> network.score(data), () -> network.fit(data));
  }

  @Test
  void aSameDiffVertexDoublesTheGradientOfItselfAndBelow() {
    ComputationGraph graph = graph(false);
    INDArray parameterWeights = READER.parameterWeights(graph, 0, 0).orElseThrow();
    assertThat(parameterWeights.getDouble(0)).isEqualTo(2);
    requireTheStep(graph, parameterWeights, () -> graph.score(data), () -> graph.fit(data));
  }

  @Test
  void refusesAPathAroundASameDiffVertex() {
    ComputationGraph graph = graph(true);
    assertThatThrownBy(() -> READER.read(graph, 0, 0, SERIES))
        .isInstanceOf(UnsupportedTrainingException.class)
        .hasMessageContaining("A path around a SameDiff layer or vertex above LSTM 'lstm'");
  }

  private static void requireTheStep(
      Model model, INDArray parameterWeights, DoubleSupplier score, Runnable fit) {
    INDArray theta = model.params().dup();
    INDArray expected = gradient(model, score).muli(parameterWeights).muli(-RATE).addi(theta);
    model.setParams(theta);
    fit.run();
    INDArray moved = model.params().sub(theta);
    assertThat(model.params().sub(expected).norm2Number().doubleValue())
        .isLessThan(1e-7 * moved.norm2Number().doubleValue());
  }

  private static INDArray gradient(Model model, DoubleSupplier score) {
    INDArray theta = model.params().dup();
    INDArray gradient = theta.mul(0);
    double h = 1e-4;
    for (long p = 0; p < theta.length(); p++) {
      double sum = 0;
      for (int s : new int[] {-2, -1, 1, 2}) {
        INDArray moved = theta.dup();
        moved.putScalar(p, theta.getDouble(p) + s * h);
        model.setParams(moved);
        sum += (Math.abs(s) == 1 ? 8 : -1) * Integer.signum(s) * score.getAsDouble();
      }
      gradient.putScalar(p, sum / (12 * h));
    }
    return gradient;
  }

  private static ComputationGraph graph(boolean around) {
    GraphBuilder builder =
        Networks.configuration(new Sgd(RATE), DataType.DOUBLE)
            .graphBuilder()
            .addInputs("in")
            .addLayer("lstm", lstm(), "in")
            .addVertex(
                "attention",
                new AttentionVertex.Builder()
                    .nInQueries(2)
                    .nInKeys(2)
                    .nInValues(2)
                    .nOut(2)
                    .nHeads(1)
                    .projectInput(true)
                    .build(),
                "lstm",
                "lstm",
                "lstm");
    if (around) {
      builder.addVertex(
          "sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "lstm", "attention");
    }
    ComputationGraph graph =
        new ComputationGraph(
            builder
                .addLayer("out", output(), around ? "sum" : "attention")
                .setOutputs("out")
                .build());
    graph.init();
    graph.setParams(Networks.nearby(graph.params().mul(0), 0.6, new RandomStream(6)));
    return graph;
  }

  private static LSTM lstm() {
    return new LSTM.Builder().nIn(2).nOut(2).activation(Activation.TANH).build();
  }

  private static SelfAttentionLayer attention() {
    return new SelfAttentionLayer.Builder().nIn(2).nOut(2).nHeads(1).projectInput(true).build();
  }

  private static RnnOutputLayer output() {
    return new RnnOutputLayer.Builder(LossFunction.MSE)
        .nIn(2)
        .nOut(1)
        .dataFormat(RNNFormat.NCW)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static INDArray series(long seed) {
    return Networks.data(seed, SERIES, 6, 1, DataType.DOUBLE)
        .getFeatures()
        .reshape('c', SERIES, 2, 3);
  }
}
