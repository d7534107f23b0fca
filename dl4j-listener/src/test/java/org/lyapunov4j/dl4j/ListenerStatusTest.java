// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus.State;
import org.lyapunov4j.dl4j.metrics.MetricsSink;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The right network is watched, and where there is no checkpoint there is a reason. */
class ListenerStatusTest {
  private final DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  private LyapunovListener.Builder builder() {
    return LyapunovListener.builder(data)
        .settings(
            AnalysisSettings.standard().withSeed(0).withAnalyzer(settings -> settings.maxEpochs(4)))
        .frequency(1)
        .registry(registry);
  }

  private static MultiLayerNetwork network(IUpdater updater) {
    return Networks.regression(Networks.configuration(updater, DataType.DOUBLE), 3, 5, 2);
  }

  private void train(MultiLayerNetwork network, LyapunovListener listener) {
    network.setListeners(listener);
    data.batchBy(4).forEach(network::fit);
  }

  private void requireState(LyapunovListener listener, State state) {
    assertThat(listener.status().state()).isEqualTo(state);
    for (State each : State.values()) {
      String reason = each.name().toLowerCase(Locale.ROOT);
      assertThat(
              registry
                  .get(MetricsSink.LISTENER_STATUS)
                  .tag(MetricsSink.REASON_TAG, reason)
                  .gauge()
                  .value())
          .isEqualTo(each == state ? 1 : 0);
    }
  }

  @Test
  void thatACheckpointIsThere() {
    LyapunovListener listener = builder().build();
    requireState(listener, State.WAITING);
    assertThat(listener.status().reason()).isNotEmpty();
    train(network(new Sgd(0.05)), listener);
    requireState(listener, State.WATCHING);
    assertThat(listener.status())
        .isEqualTo(new ListenerStatus(listener.run(), State.WATCHING, "", 3, 0, 0, 0, 0));
    listener.close();
    assertThat(listener.status().state()).isEqualTo(State.CLOSED);
  }

  @Test
  void whyARefusedModelHasNone() {
    LyapunovListener listener =
        LyapunovListener.builder(Networks.data(1, 4, 7, 2, DataType.DOUBLE))
            .settings(AnalysisSettings.standard().withSeed(0))
            .frequency(1)
            .registry(registry)
            .build();
    train(network(new Sgd(0.05)), listener);
    requireState(listener, State.REFUSED);
    assertThat(listener.status().reason()).contains("7");
    listener.close();
    assertThat(listener.status().state()).isEqualTo(State.REFUSED);
  }

  @Test
  void whoAskedIsToldOfEveryChangeOnce() {
    List<ListenerStatus> told = new ArrayList<>();
    LyapunovListener listener =
        builder()
            .run("told")
            .onStatus(
                status -> {
                  throw new IllegalStateException("injected");
                })
            .onStatus(told::add)
            .build();
    train(network(new Sgd(0.05)), listener);
    listener.close();
    listener.close();
    assertThat(told)
        .extracting(ListenerStatus::state)
        .containsExactly(State.WAITING, State.WATCHING, State.CLOSED);
    assertThat(told).extracting(ListenerStatus::run).containsOnly("told");
    assertThat(listener.history()).hasSize(3);
    assertThat(listener.failures()).isEqualTo(3);
  }

  @Test
  void ifStrictAnObserverThatFailsLeavesNothingBehind() {
    assertThatThrownBy(
            () ->
                builder()
                    .strict(true)
                    .onStatus(
                        status -> {
                          throw new IllegalStateException("injected");
                        })
                    .build())
        .hasMessage("injected");
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void whyAFailedOrSkippedOneIsNotThere() {
    boolean[] fails = {true};
    LyapunovListener listener =
        builder()
            .atEachStage(
                stage -> {
                  if (fails[0] && stage == Stage.GRAM) {
                    throw new IllegalStateException("injected");
                  }
                })
            .build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    train(network, listener);
    requireState(listener, State.FAILED);
    assertThat(listener.status().reason()).contains("injected");
    fails[0] = false;
    train(network, listener);
    requireState(listener, State.WATCHING);
    listener.close();
    LyapunovListener poor = builder().budget(1e-9).build();
    train(network(new Sgd(0.05)), poor);
    requireState(poor, State.SKIPPED);
    assertThat(poor.status().reason()).contains("time");
    poor.close();
  }

  @Test
  void pretrainingIsPassedOverAndSupervisedStepsAreWatched() {
    MultiLayerNetwork network =
        Networks.initialise(
            Networks.configuration(new Sgd(0.05), DataType.DOUBLE)
                .list()
                .layer(new AutoEncoder.Builder().nIn(3).nOut(5).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(5)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build(),
            3);
    LyapunovListener listener = builder().build();
    network.setListeners(listener);
    network.pretrain(new ListDataSetIterator<>(data.batchBy(4), 1));
    assertThat(listener.history()).isEmpty();
    assertThat(listener.isOff()).isFalse();
    data.batchBy(4).forEach(network::fit);
    assertThat(listener.history()).hasSize(3);
    assertThat(listener.status().elsewhere()).isZero();
    listener.close();
  }

  @Test
  void otherNetworksArePassedOverAndCounted() {
    LyapunovListener listener = builder().build();
    for (MultiLayerNetwork network :
        List.of(network(new Sgd(0.05)), network(new Sgd(0.1)), network(new Sgd(0.2)))) {
      train(network, listener);
    }
    assertThat(listener.history()).hasSize(3);
    assertThat(listener.status().elsewhere()).isEqualTo(6);
    listener.close();
  }
}
