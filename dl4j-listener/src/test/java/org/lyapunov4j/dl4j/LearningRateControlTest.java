// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class LearningRateControlTest {
  private static final AnalysisSettings SETTINGS =
      AnalysisSettings.standard()
          .withSeed(7)
          .withBatchSize(12)
          .withAnalyzer(analyzer -> analyzer.maxEpochs(16));

  private final DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);

  @Test
  void refusesNonsense() {
    for (double fraction : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> LearningRateControl.lowerTo(fraction))
          .withMessageContaining("must be positive and finite, got " + fraction);
    }
  }

  @ParameterizedTest
  @CsvSource({"false, 0.5, true", "false, 1e-3, false", "true, 1e-3, true", "true, 0.5, true"})
  void setsTheRateToAFractionOfTheCriticalOne(boolean raises, double rate, boolean acts) {
    MultiLayerNetwork network = network(rate);
    LyapunovListener listener =
        builder()
            .frequency(100)
            .intervene(
                raises ? LearningRateControl.holdAt(0.25) : LearningRateControl.lowerTo(0.25))
            .build();
    network.setListeners(listener);
    fit(network, 1);
    double critical =
        listener.history().get(0).stability().criticalLearningRate().orElseThrow().value();
    double expected = acts ? 0.25 * critical : rate;
    assertThat(network.getLearningRate(0)).isCloseTo(expected, within(1e-9));
    assertThat(network.getLearningRate(1)).isCloseTo(expected, within(1e-9));
    INDArray before = network.params().dup();
    fit(network, 1);
    assertThat(before.equals(network.params())).isFalse();
    assertThat(listener.failures()).isZero();
    listener.close();
  }

  /** The rate that the next checkpoint reads is the one that was set, and momentum goes on. */
  @Test
  void theRateIsThatOfTheNextStepAndTheUpdaterKeepsItsState() {
    MultiLayerNetwork network = network(0.5);
    LyapunovListener listener =
        builder().frequency(1).intervene(LearningRateControl.lowerTo(0.5)).build();
    network.setListeners(listener);
    fit(network, 1);
    INDArray velocity = network.getUpdater().getStateViewArray().dup();
    assertThat(velocity.norm2Number().doubleValue()).isPositive();
    double rate = network.getLearningRate(0);
    fit(network, 1);
    Checkpoint second = listener.history().get(1);
    assertThat(second.step().sgd().learningRate()).isEqualTo(rate);
    MultiLayerNetwork reference = network(0.5);
    fit(reference, 1);
    reference.setLearningRate(rate);
    assertThat(reference.getUpdater().getStateViewArray()).isEqualTo(velocity);
    fit(reference, 1);
    assertThat(values(network.params())).isEqualTo(values(reference.params()));
    listener.close();
  }

  @Test
  void withoutAnInterventionTheRateStays() {
    MultiLayerNetwork network = network(0.5);
    LyapunovListener listener = builder().frequency(1).build();
    network.setListeners(listener);
    fit(network, 3);
    assertThat(network.getLearningRate(0)).isEqualTo(0.5);
    listener.close();
  }

  @Test
  void theEconomyTierKnowsNoCriticalRate() {
    MultiLayerNetwork network = network(0.5);
    LyapunovListener listener =
        builder()
            .settings(SETTINGS.withTier(Tier.ECONOMY))
            .frequency(1)
            .intervene(LearningRateControl.lowerTo(0.1))
            .build();
    network.setListeners(listener);
    fit(network, 2);
    assertThat(network.getLearningRate(0)).isEqualTo(0.5);
    listener.close();
  }

  /** It acts in the training thread, wherever the checkpoint was computed. */
  @Test
  void actsInTheTrainingThreadOnCheckpointsFromTheBackground() {
    MultiLayerNetwork network = network(0.5);
    List<String> threads = new java.util.ArrayList<>();
    LyapunovListener listener =
        builder()
            .schedule(Schedule.onRequest())
            .background(Backlog.WAIT)
            .intervene((model, checkpoint) -> threads.add(Thread.currentThread().getName()))
            .intervene(LearningRateControl.lowerTo(0.25))
            .build();
    network.setListeners(listener);
    listener.requestCheckpoint();
    fit(network, 1);
    listener.flush();
    assertThat(network.getLearningRate(0)).isEqualTo(0.5);
    fit(network, 1);
    assertThat(network.getLearningRate(0)).isLessThan(0.5);
    assertThat(threads).containsExactly(Thread.currentThread().getName());
    listener.close();
  }

  @Test
  void graphsToo() {
    ComputationGraph graph =
        new ComputationGraph(
            Networks.configuration(new Nesterovs(0.5, 0.5), DataType.DOUBLE)
                .graphBuilder()
                .addInputs("in")
                .addLayer("first", new DenseLayer.Builder().nIn(3).nOut(5).build(), "in")
                .addLayer(
                    "out",
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(5)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build(),
                    "first")
                .setOutputs("out")
                .build());
    graph.init();
    LyapunovListener listener =
        builder().frequency(100).intervene(LearningRateControl.lowerTo(0.01)).build();
    graph.setListeners(listener);
    graph.fit(data);
    double critical =
        listener.history().get(0).stability().criticalLearningRate().orElseThrow().value();
    assertThat(graph.getLearningRate("first")).isCloseTo(0.01 * critical, within(1e-9));
    assertThat(graph.getLearningRate("out")).isCloseTo(0.01 * critical, within(1e-9));
    listener.close();
  }

  private LyapunovListener.Builder builder() {
    return LyapunovListener.builder(data).settings(SETTINGS);
  }

  private void fit(MultiLayerNetwork network, int steps) {
    for (int i = 0; i < steps; i++) {
      network.fit(data);
    }
  }

  private static List<Double> values(INDArray array) {
    return DoubleStream.of(array.toDoubleVector()).boxed().toList();
  }

  private static MultiLayerNetwork network(double rate) {
    return Networks.regression(
        Networks.configuration(new Nesterovs(rate, 0.5), DataType.DOUBLE), 3, 5, 2);
  }
}
