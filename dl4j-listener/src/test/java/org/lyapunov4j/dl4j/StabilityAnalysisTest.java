// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class StabilityAnalysisTest {
  private static final int BATCH = 4;
  private static final DataSet DATA = Networks.data(5, 12, 3, 2, DataType.DOUBLE);
  private static final AnalysisSettings SETTINGS =
      AnalysisSettings.of(Tier.ECONOMY)
          .withSeed(3)
          .withBatchSize(BATCH)
          .withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);

  @TempDir private Path folder;

  private static Stream<IUpdater> updaters() {
    return Stream.of(
        new Sgd(new ExponentialSchedule(ScheduleType.ITERATION, 0.2, 0.9)),
        new Nesterovs(0.02, 0.8),
        new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 0.01, 0.5)),
        new RmsProp(0.01));
  }

  private static MultiLayerNetwork network(IUpdater updater) {
    return Networks.regression(Networks.configuration(updater, DataType.DOUBLE), 3, 4, 2);
  }

  private static LyapunovListener.Builder listener() {
    return LyapunovListener.builder(DATA).settings(SETTINGS).strict(true);
  }

  private static StabilityAnalysis analysis(Model model) {
    return StabilityAnalysis.of(model, DATA, SETTINGS);
  }

  private static ListDataSetIterator<DataSet> iterator() {
    return new ListDataSetIterator<>(DATA.asList(), BATCH);
  }

  private static final Set<String> OF_THE_LISTENER =
      Set.of("run", "time", "loss", "step", "stepRemarks", "gramMillis", "analysisMillis");

  /** All but times, and what only the listener saw of training. */
  private static CheckpointDocument numbers(Checkpoint checkpoint) {
    CheckpointDocument all = CheckpointDocument.of(checkpoint);
    return CheckpointDocument.of(
        CheckpointDocument.fields(),
        all.entries().stream().filter(entry -> !OF_THE_LISTENER.contains(entry.key())).toList());
  }

  private static void assertSame(Checkpoint analysed, Checkpoint listened) {
    assertThat(numbers(analysed)).isEqualTo(numbers(listened));
    assertThat(analysed.assumptions()).isEqualTo(listened.assumptions());
    assertThat(analysed.step().remarks()).contains("sampling as told: reshuffled every epoch");
    assertThat(analysed.loss()).isNaN();
  }

  @ParameterizedTest
  @MethodSource("updaters")
  void aModelSavedInAnIterationGivesWhatTheListenerGaveThere(IUpdater updater) throws IOException {
    MultiLayerNetwork network = network(updater);
    LyapunovListener listener = listener().frequency(3).build();
    CheckpointListener saver =
        new CheckpointListener.Builder(folder.toFile()).saveEveryNIterations(3).keepAll().build();
    network.setListeners(saver, listener);
    network.fit(iterator(), 4);
    listener.close();

    List<Checkpoint> history = listener.history(); // 0, 3, 6, 9; the saver leaves out 0
    assertThat(history).hasSize(4);
    for (int i = 1; i < history.size(); i++) {
      MultiLayerNetwork restored =
          ModelSerializer.restoreMultiLayerNetwork(
              CheckpointListener.getFileForCheckpoint(folder.toFile(), i - 1), true);
      assertSame(analysis(restored).run(), history.get(i));
    }
    assertThat(history.get(1).stability().exponent().point().orElseThrow())
        .isNotEqualTo(history.get(2).stability().exponent().point().orElseThrow());
  }

  @ParameterizedTest
  @MethodSource("updaters")
  void atTheEndOfAnEpochTheStepTakenLastIsTheOneBefore(IUpdater updater) throws IOException {
    MultiLayerNetwork network = network(updater);
    LyapunovListener listener = listener().schedule(Schedule.everyEpochs(1)).build();
    network.setListeners(
        new CheckpointListener.Builder(folder.toFile()).saveEveryNEpochs(1).keepAll().build(),
        listener);
    network.fit(iterator(), 2);
    listener.close();

    MultiLayerNetwork restored =
        ModelSerializer.restoreMultiLayerNetwork(
            CheckpointListener.getFileForCheckpoint(folder.toFile(), 1), true);
    Checkpoint listened = listener.history().get(1);
    assertThat(restored.getIterationCount()).isEqualTo(6);
    assertThat(listened.iteration()).isEqualTo(5);
    assertSame(analysis(restored).iteration(5).run(), listened);
  }

  @Test
  void theStepToComeHasTheRateToCome() {
    MultiLayerNetwork network =
        network(new Sgd(new ExponentialSchedule(ScheduleType.ITERATION, 0.2, 0.5)));
    network.fit(DATA);
    network.fit(DATA);
    assertThat(analysis(network).step().sgd().learningRate()).isCloseTo(0.2 / 4, within(1e-15));
    assertThat(analysis(network).iteration(1).step().sgd().learningRate())
        .isCloseTo(0.2 / 2, within(1e-15));
  }

  @Test
  void aGraphWithAdamGivesWhatTheListenerGave() throws IOException {
    ComputationGraph graph = graph();
    LyapunovListener listener =
        listener().frequency(2).settings(SETTINGS.withTier(Tier.FULL)).build();
    graph.setListeners(
        listener,
        new CheckpointListener.Builder(folder.toFile()).saveEveryNIterations(2).keepAll().build());
    for (int i = 0; i < 5; i++) {
      graph.fit(DATA);
    }
    listener.close();

    ComputationGraph restored =
        ModelSerializer.restoreComputationGraph(
            CheckpointListener.getFileForCheckpoint(folder.toFile(), 1), true);
    Checkpoint alone = StabilityAnalysis.of(restored, DATA, SETTINGS.withTier(Tier.FULL)).run();
    Checkpoint followed = listener.history().get(2);
    // the listener's η_c starts from that of the checkpoint before
    assertThat(withoutEdge(alone)).isEqualTo(withoutEdge(followed));
    double edge = alone.stability().criticalLearningRate().orElseThrow().value();
    assertThat(followed.stability().criticalLearningRate().orElseThrow().value())
        .isCloseTo(edge, withinPercentage(2));
  }

  private static List<CheckpointDocument.Entry> withoutEdge(Checkpoint checkpoint) {
    return numbers(checkpoint).entries().stream()
        .filter(entry -> !entry.key().matches("(criticalLearningRate|edgeRatio).*"))
        .filter(entry -> !entry.key().equals("evidence"))
        .toList();
  }

  private static ComputationGraph graph() {
    ComputationGraph graph =
        new ComputationGraph(
            Networks.configuration(new Adam(0.01), DataType.DOUBLE)
                .graphBuilder()
                .addInputs("in")
                .addLayer(
                    "out",
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "in")
                .setOutputs("out")
                .build());
    graph.init();
    graph.setParams(Nd4j.linspace(-1, 1, graph.numParams(), DataType.DOUBLE));
    return graph;
  }

  /** f = w·x with the loss (f − y)²: G = 2xxᵀ, whatever w; gradient descent's μ in closed form. */
  @Test
  void aLinearModelHasItsClosedForm() {
    MultiLayerNetwork linear =
        Networks.initialise(
            Networks.configuration(new Sgd(0.05), DataType.DOUBLE)
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(1)
                        .nOut(1)
                        .hasBias(false)
                        .activation(Activation.IDENTITY)
                        .build())
                .build(),
            1);
    DataSet points =
        new DataSet(
            Nd4j.createFromArray(new double[][] {{1}, {2}, {3}}),
            Nd4j.createFromArray(new double[][] {{0}, {1}, {0}}));
    AnalysisSettings single = AnalysisSettings.standard().withSeed(0);
    StabilityAnalysis analysis = StabilityAnalysis.of(linear, points, single.withBatchSize(3));

    double sharpness = 2 * (1 + 4 + 9) / 3.0;
    Checkpoint checkpoint = analysis.run();
    assertThat(checkpoint.stability().sharpness()).isCloseTo(sharpness, within(1e-12));
    assertThat(checkpoint.stability().exponent().point().orElseThrow())
        .isCloseTo(Math.log(1 - 0.05 * sharpness), within(1e-12));
    assertThat(analysis.gram().gram().get(1, 2)).isCloseTo(2 * 2 * 3, within(1e-12));

    // One example at a time: the residual along x shrinks by 1 − η·2x² of the example drawn.
    double lambda =
        (Math.log(Math.abs(1 - 0.1)) + Math.log(Math.abs(1 - 0.4)) + Math.log(Math.abs(1 - 0.9)))
            / 3;
    LyapunovEstimate estimate =
        (LyapunovEstimate)
            StabilityAnalysis.of(linear, points, single.withBatchSize(1))
                .run()
                .stability()
                .exponent();
    assertThat(estimate.value()).isCloseTo(lambda, within(4 * estimate.standardError()));
    assertThat(estimate.standardError()).isLessThan(0.1);
  }

  @Test
  void whatTheModelCannotTellMustBeTold() {
    MultiLayerNetwork network = network(new Sgd(0.1));
    assertThatIllegalStateException()
        .isThrownBy(() -> StabilityAnalysis.of(network, DATA).run())
        .withMessageContaining("withBatchSize(B)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AnalysisSettings.standard().withBatchSize(0))
        .withMessageContaining("got 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StabilityAnalysis.of(network, DATA).iteration(-1))
        .withMessageContaining("got -1");
    assertThat(
            StabilityAnalysis.of(
                    network, DATA, AnalysisSettings.standard().withSeed(0).withBatchSize(100))
                .run()
                .step()
                .toString())
        .contains("larger than the probe's 12 examples", "with replacement");
    assertThat(
            StabilityAnalysis.of(
                    network, DATA, AnalysisSettings.standard().withSeed(0).withBatchSize(12))
                .run()
                .step()
                .toString())
        .contains("sampling assumed: independent");
  }

  @Test
  void anAdaptiveUpdaterWithoutItsStateIsRefused() throws IOException {
    MultiLayerNetwork network = network(new Adam(0.01));
    network.fit(DATA);
    Path file = folder.resolve("model.zip");
    ModelSerializer.writeModel(network, file.toFile(), false);
    MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(file.toFile(), true);
    assertThatIllegalStateException()
        .isThrownBy(() -> analysis(restored).run())
        .withMessageContaining("no state");
    assertThat(Files.size(file)).isPositive();
  }

  @Test
  void itCanBeCancelledAndRunAgain() {
    AtomicInteger asked = new AtomicInteger();
    StabilityAnalysis analysis =
        analysis(network(new Sgd(0.1))).cancelled(() -> asked.incrementAndGet() > 2);
    assertThatExceptionOfType(CancellationException.class).isThrownBy(analysis::run);
    assertThatExceptionOfType(CancellationException.class).isThrownBy(analysis::gram);
    assertThat(numbers(analysis.cancelled(() -> false).run()))
        .isEqualTo(numbers(analysis(network(new Sgd(0.1))).run()));
  }

  @Test
  void theModelIsOnlyRead() {
    MultiLayerNetwork network = network(new Adam(0.01));
    MultiLayerNetwork twin = network(new Adam(0.01));
    for (int i = 0; i < 3; i++) {
      network.fit(DATA);
      twin.fit(DATA);
      analysis(network).run();
    }
    assertThat(network.params()).isEqualTo(twin.params());
    assertThat(network.getUpdater().getStateViewArray())
        .isEqualTo(twin.getUpdater().getStateViewArray());
  }
}
