// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Section;
import org.lyapunov4j.dl4j.record.EdgeFiles;
import org.lyapunov4j.dl4j.record.EdgeState;
import org.lyapunov4j.dl4j.record.RunLine;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

class RecordOfARunTest {
  private static final AnalysisSettings SETTINGS =
      AnalysisSettings.standard().withSeed(7).withAnalyzer(analyzer -> analyzer.maxEpochs(16));

  private final DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);

  @TempDir private Path folder;

  @Test
  void saysWhatWasWatchedAndWithWhat() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener listener = builder(file).run("a").build();
    listener.note(Map.of("machine", "laptop"));
    train(network(), listener, 0, 4);
    listener.close();
    RunRecord record = RunRecord.read(file);
    RunLine run = record.run().orElseThrow();
    assertThat(record.lines().get(0)).isEqualTo(run);
    assertThat(run.schema()).isEqualTo(2);
    assertThat(run.run()).isEqualTo("a");
    assertThat(run.model()).isEqualTo(MultiLayerNetwork.class.getName());
    assertThat(run.parameters()).isEqualTo(network().numParams());
    assertThat(run.precision()).isEqualTo("DOUBLE");
    assertThat(run.examples()).isEqualTo(12);
    assertThat(run.outputs()).isEqualTo(2);
    assertThat(run.seed()).isEqualTo(7);
    assertThat(run.probe()).isEqualTo(ProbeSet.of(data).hash()).hasSize(64);
    assertThat(run.step()).contains("SGD, learning rate 0.05, batch size 4");
    assertThat(run.provenance().jvm()).contains(System.getProperty("java.vm.version"));
    assertThat(record.notes())
        .extracting(n -> n.details())
        .containsExactly(Map.of("machine", "laptop"));
    assertThat(record.checkpoints())
        .extracting(CheckpointDocument::iteration)
        .containsExactly(0, 2);
    assertThat(record.end().orElseThrow().checkpoints()).isEqualTo(2);
  }

  /** A run that is stopped, saved, loaded and resumed has the checkpoints of one that was not. */
  @Test
  void aResumedRunIsTheSameRun() throws IOException {
    Path whole = folder.resolve("whole.jsonl");
    LyapunovListener uninterrupted = builder(whole).trajectory(true).build();
    train(network(), uninterrupted, 0, 11);
    uninterrupted.close();

    Path parts = folder.resolve("parts.jsonl");
    LyapunovListener first = builder(parts).trajectory(true).build();
    MultiLayerNetwork network = network();
    train(network, first, 0, 5);
    first.close();
    Path saved = folder.resolve("model.zip");
    ModelSerializer.writeModel(network, saved.toFile(), true);
    LyapunovListener second = builder(parts).trajectory(true).build();
    assertThat(second.run()).isEqualTo(first.run());
    train(ModelSerializer.restoreMultiLayerNetwork(saved.toFile(), true), second, 5, 11);
    second.close();

    List<CheckpointDocument> expected = RunRecord.read(whole).checkpoints();
    List<CheckpointDocument> resumed = RunRecord.read(parts).checkpoints();
    assertThat(resumed).hasSize(6).hasSameSizeAs(expected);
    for (int i = 0; i < resumed.size(); i++) {
      CheckpointDocument a = resumed.get(i);
      CheckpointDocument b = expected.get(i);
      assertThat(a.iteration()).isEqualTo(b.iteration());
      assertThat(a.entries(Section.FINDINGS)).isEqualTo(b.entries(Section.FINDINGS)).isNotEmpty();
      assertThat(a.entries("batchSharpness")).isEqualTo(b.entries("batchSharpness")).isNotEmpty();
      assertThat(a.number("probeLoss")).isEqualTo(b.number("probeLoss"));
      assertThat(a.entries("trajectory")).isEqualTo(b.entries("trajectory"));
    }
    assertThat(resumed.get(5).number("trajectory.cumulativeSteps")).isEqualTo(10);
    assertThat(RunRecord.read(parts).resumptions())
        .extracting(r -> r.iteration())
        .containsExactly(6);
  }

  /** What lies beside a record is a hint where to look: no bad one stops or fools a run. */
  @ParameterizedTest
  @ValueSource(strings = {"", "{", "{}", "[]", "{\"momentum\":\"Lookahead\"}", "other size"})
  void aDamagedEdgeIsSearchedForAfresh(String damage) throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = builder(file).build();
    MultiLayerNetwork network = network();
    train(network, first, 0, 3);
    first.close();
    EdgeState state = EdgeFiles.read(file).orElseThrow();
    EdgeTrack track = state.track();
    assertThat(track.edge().value())
        .isEqualTo(first.history().get(1).stability().criticalLearningRate().orElseThrow().value());
    if (damage.equals("other size")) {
      Tangent one = Tangent.of(new double[] {1});
      EdgeFiles.write(
          file,
          new EdgeState(
              new EdgeTrack(
                  track.edge(), track.step(), track.scale(), track.isCertified(), Optional.of(one)),
              state.trend()));
    } else {
      Files.writeString(file.resolveSibling("run.jsonl.edge"), damage);
    }
    LyapunovListener second = builder(file).build();
    train(network, second, 3, 5);
    second.close();
    assertThat(second.failures()).isZero();
    assertThat(RunRecord.read(file).checkpoints()).hasSize(3);
    assertThat(RunRecord.read(file).checkpoints().get(2).number("edgeRatio")).isPositive();
  }

  static Stream<Arguments> trajectories() {
    return Stream.of(
        Arguments.of(new Sgd(0.05), TrajectoryExponent.Curvature.GAUSS_NEWTON, 1),
        Arguments.of(new Sgd(0.05), TrajectoryExponent.Curvature.GAUSS_NEWTON, 6),
        Arguments.of(new Nesterovs(0.01, 0.9), TrajectoryExponent.Curvature.GAUSS_NEWTON, 5),
        Arguments.of(new Adam(0.01), TrajectoryExponent.Curvature.GAUSS_NEWTON, 6),
        Arguments.of(new Nesterovs(0.01, 0.9), TrajectoryExponent.Curvature.HESSIAN, 6),
        Arguments.of(new Sgd(0.05), TrajectoryExponent.Curvature.HESSIAN, 1),
        Arguments.of(new Adam(0.01), TrajectoryExponent.Curvature.HESSIAN, 4));
  }

  /**
   * Between checkpoints, after the first and at one: the window across it is the same, bit by bit.
   */
  @ParameterizedTest
  @MethodSource("trajectories")
  void theWindowAcrossARestartIsThatOfOneRun(
      IUpdater updater, TrajectoryExponent.Curvature curvature, int stop) throws IOException {
    Path whole = folder.resolve("whole.jsonl");
    LyapunovListener uninterrupted = quick(whole).trajectory(curvature).build();
    train(network(updater), uninterrupted, 0, 11);
    uninterrupted.close();

    Path parts = folder.resolve("parts.jsonl");
    LyapunovListener first = quick(parts).trajectory(curvature).build();
    MultiLayerNetwork network = network(updater);
    train(network, first, 0, stop);
    first.close();
    Path saved = folder.resolve("model.zip");
    ModelSerializer.writeModel(network, saved.toFile(), true);
    LyapunovListener second = quick(parts).trajectory(curvature).build();
    train(ModelSerializer.restoreMultiLayerNetwork(saved.toFile(), true), second, stop, 11);
    second.close();

    List<CheckpointDocument> expected = RunRecord.read(whole).checkpoints();
    List<CheckpointDocument> resumed = RunRecord.read(parts).checkpoints();
    assertThat(resumed).hasSize(6);
    assertThat(resumed)
        .extracting(line -> line.entries("trajectory"))
        .isEqualTo(expected.stream().map(line -> line.entries("trajectory")).toList());
    assertThat(resumed.get(5).number("trajectory.drawn")).isEqualTo(2);
    assertThat(resumed.get(5).text("trajectory.curvature")).contains(curvature.name());
  }

  /** Parameters that the vector never came to: it is not carried on from there. */
  @Test
  void withTheHessianOtherParametersAreAnotherTrajectory() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = quick(file).trajectory(TrajectoryExponent.Curvature.HESSIAN).build();
    MultiLayerNetwork network = network();
    train(network, first, 0, 5);
    first.close();
    network.params().muli(1.001);
    LyapunovListener second = quick(file).trajectory(TrajectoryExponent.Curvature.HESSIAN).build();
    train(network, second, 5, 11);
    second.close();
    List<CheckpointDocument> lines = RunRecord.read(file).checkpoints();
    assertThat(lines.get(2).number("trajectory.cumulativeSteps")).isEqualTo(4);
    assertThat(lines.get(5).number("trajectory.cumulativeSteps")).isEqualTo(4);
    assertThat(second.failures()).isZero();
  }

  /** With another curvature another vector starts. */
  @Test
  void anotherCurvatureIsAnotherTrajectory() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = quick(file).trajectory(true).build();
    MultiLayerNetwork network = network();
    train(network, first, 0, 5);
    first.close();
    LyapunovListener second = quick(file).trajectory(TrajectoryExponent.Curvature.HESSIAN).build();
    train(network, second, 5, 11);
    second.close();
    List<CheckpointDocument> lines = RunRecord.read(file).checkpoints();
    assertThat(lines.get(5).number("trajectory.cumulativeSteps")).isEqualTo(4);
  }

  @Test
  void stepsThatWereLostAreRecordedAnew() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = builder(file).trajectory(true).build();
    train(network(), first, 0, 7);
    first.close();
    LyapunovListener second = builder(file).trajectory(true).build();
    train(network(), second, 0, 5);
    second.close();
    RunRecord record = RunRecord.read(file);
    assertThat(record.checkpoints())
        .extracting(CheckpointDocument::iteration)
        .containsExactly(0, 2, 4);
    assertThat(record.checkpoints().get(2).number("trajectory.cumulativeSteps")).isEqualTo(4);
    assertThat(second.failures()).isZero();
  }

  @Test
  void refusesAnotherProbeSeedOrModel() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = builder(file).build();
    train(network(), first, 0, 1);
    first.close();
    byte[] before = Files.readAllBytes(file);
    DataSet other = Networks.data(6, 12, 3, 2, DataType.DOUBLE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LyapunovListener.builder(other).settings(SETTINGS).record(file).build())
        .withMessageContaining("must be continued with the probe with the SHA-256");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(file).settings(SETTINGS.withSeed(8)).build())
        .withMessageContaining("the seed 7, got 8");
    LyapunovListener larger = builder(file).build();
    train(
        Networks.regression(Networks.configuration(new Sgd(0.05), DataType.DOUBLE), 3, 6, 2),
        larger,
        0,
        1);
    assertThat(larger.isOff()).isTrue();
    larger.close();
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
  }

  @Test
  void refusesAFileThatCannotBeWritten() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(folder.resolve("no/such/folder")).build())
        .withMessageContaining("must be a file that can be written");
    assertThatIllegalArgumentException().isThrownBy(() -> builder(folder).build());
  }

  private LyapunovListener.Builder quick(Path file) {
    return builder(file)
        .settings(SETTINGS.withTier(Tier.ECONOMY).withComparison(SizeComparison.NONE))
        .strict(true);
  }

  private LyapunovListener.Builder builder(Path file) {
    return LyapunovListener.builder(data)
        .settings(SETTINGS)
        .frequency(2)
        .clock(() -> Instant.parse("2026-01-01T00:00:00Z"))
        .record(file);
  }

  private static MultiLayerNetwork network() {
    return network(new Sgd(0.05));
  }

  private static MultiLayerNetwork network(IUpdater updater) {
    return Networks.regression(Networks.configuration(updater, DataType.DOUBLE), 3, 5, 2);
  }

  private void train(MultiLayerNetwork network, LyapunovListener listener, int from, int to) {
    List<DataSet> batches = data.batchBy(4);
    network.setListeners(listener);
    for (int t = from; t < to; t++) {
      network.fit(batches.get(t % batches.size()));
    }
  }
}
