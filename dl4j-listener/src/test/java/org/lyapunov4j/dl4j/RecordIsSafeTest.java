// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.pause.PauseDetector;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** A record loses nothing, and nothing that is not ours is lost to it. */
class RecordIsSafeTest {
  private final DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);

  @TempDir private Path folder;

  record Unfit(String name, Map<String, ?> details) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Unfit> unfit() {
    Map<String, Object> cyclic = new HashMap<>();
    cyclic.put("self", cyclic);
    List<Object> cyclicList = new ArrayList<>();
    cyclicList.add(cyclicList);
    return Stream.of(
        new Unfit("when", Map.of("when", LocalDate.EPOCH)),
        new Unfit("maybe", Map.of("maybe", Optional.of(1))),
        new Unfit("took", Map.of("took", Duration.ZERO)),
        new Unfit("self", cyclic),
        new Unfit("list", Map.of("list", cyclicList)),
        new Unfit("thread", Map.of("a", Map.of("thread", Thread.currentThread()))),
        new Unfit("null", Collections.singletonMap(null, 1)));
  }

  @ParameterizedTest
  @MethodSource("unfit")
  void aNoteThatIsNoJsonIsRefusedAlone(Unfit note) throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener listener = builder(file).build();
    MultiLayerNetwork network = network();
    train(network, listener, 0, 2);
    listener.note(note.details());
    listener.note(Map.of("later", 1));
    train(network, listener, 2, 8);
    listener.close();
    RunRecord record = RunRecord.read(file);
    assertThat(record.checkpoints()).hasSize(8);
    assertThat(record.notes()).extracting(n -> n.details()).containsExactly(Map.of("later", 1));
    assertThat(record.end()).isPresent();
    assertThat(listener.failures()).isEqualTo(1);
    LyapunovListener strict = builder(folder.resolve("strict.jsonl")).strict(true).build();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> strict.note(note.details()))
        .withMessageContaining(note.name())
        .withMessageNotContaining("\n");
    strict.close();
  }

  @Test
  void aNoteIsWhatItWasWhenItWasMade() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener listener = builder(file).build();
    List<Object> rates = new ArrayList<>(List.of(0.5, 1e300, 3L, true, "λ", 'c'));
    Map<String, Object> details = new LinkedHashMap<>(Map.of("rates", rates));
    details.put("absent", null);
    details.put("array", new double[] {1, Double.POSITIVE_INFINITY});
    listener.note(details);
    rates.clear();
    train(network(), listener, 0, 1);
    listener.close();
    assertThat(RunRecord.read(file).notes().get(0).details())
        .containsEntry("rates", List.of(0.5, 1e300, 3, true, "λ", "c"))
        .containsEntry("array", List.of(1.0, "Infinity"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anInterruptEndsNoRecord(boolean background) throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener.Builder builder = builder(file).trajectory(true);
    LyapunovListener listener = (background ? builder.background(Backlog.WAIT) : builder).build();
    MultiLayerNetwork network = network();
    train(network, listener, 0, 2);
    listener.flush();
    Thread.currentThread().interrupt();
    listener.note(Map.of("interrupted", true));
    assertThat(Thread.interrupted()).isTrue();
    train(network, listener, 2, 4);
    listener.flush();
    Thread.currentThread().interrupt();
    listener.close();
    assertThat(Thread.interrupted()).isTrue();
    RunRecord record = RunRecord.read(file);
    assertThat(record.checkpoints()).hasSize(4);
    assertThat(record.notes()).hasSize(1);
    assertThat(record.end()).isPresent();
    assertThat(listener.failures()).isZero();
  }

  @Test
  void aRecordIsOpenedByAnInterruptedThread() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = builder(file).trajectory(true).build();
    train(network(), first, 0, 2);
    first.close();
    Thread.currentThread().interrupt();
    LyapunovListener second;
    try {
      second = builder(file).trajectory(true).build();
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    train(network(), second, 0, 3);
    second.close();
    assertThat(RunRecord.read(file).checkpoints()).hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"no line end", "a: 1", "{\"name\": \"cfg\"}", "{}", "\u0000\u0001", "{\n}\n"})
  void whatIsNotOursIsNotTouched(String content) throws IOException {
    Path file = folder.resolve("thesis.txt");
    Files.writeString(file, content);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(file).build())
        .withMessageContaining("must be new or the record of a run");
    assertThat(Files.readString(file)).isEqualTo(content);
  }

  @Test
  void whatWasAddedToARecordIsNotCutOff() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = builder(file).build();
    train(network(), first, 0, 1);
    first.close();
    String content = Files.readString(file) + "my remarks";
    Files.writeString(file, content);
    assertThatIllegalArgumentException().isThrownBy(() -> builder(file).build());
    assertThat(Files.readString(file)).isEqualTo(content);
  }

  @Test
  void aDeviceIsNoRecord() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(Path.of("/dev/null")).build())
        .withMessageContaining("must be a regular file");
  }

  /** Of every kind of meter, the one with this name throws. */
  private static MeterRegistry throwing(String name) {
    return new SimpleMeterRegistry() {
      @Override
      protected Timer newTimer(
          Meter.Id id, DistributionStatisticConfig config, PauseDetector detector) {
        if (id.getName().equals(name)) {
          throw new IllegalStateException("injected");
        }
        return super.newTimer(id, config, detector);
      }

      @Override
      public Meter remove(Meter meter) {
        if (name.equals("remove")) {
          throw new IllegalStateException("injected");
        }
        return super.remove(meter);
      }
    };
  }

  @Test
  void aFailedBuildLeavesNothing() throws IOException {
    Path file = folder.resolve("run.jsonl");
    SimpleMeterRegistry good = new SimpleMeterRegistry();
    MeterRegistry bad = throwing("lyapunov.checkpoint.compute");
    assertThatThrownBy(() -> builder(file).run("r").registry(good).registry(bad).build())
        .hasMessageContaining("injected");
    assertThat(good.getMeters()).isEmpty();
    assertThat(bad.getMeters()).isEmpty();
    assertThat(file).doesNotExist();
    LyapunovListener other = builder(folder.resolve("other.jsonl")).run("r").registry(good).build();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(file).run("r").registry(good).build())
        .withMessageContaining("another name");
    other.close();
    assertThat(good.getMeters()).isEmpty();
    LyapunovListener listener = builder(file).run("r").registry(good).build();
    train(network(), listener, 0, 1);
    listener.close();
    assertThat(RunRecord.read(file).end()).isPresent();
  }

  @Test
  void closeSurvivesARegistryThatThrows() throws IOException {
    Path file = folder.resolve("run.jsonl");
    SimpleMeterRegistry good = new SimpleMeterRegistry();
    LyapunovListener listener = builder(file).registry(throwing("remove")).registry(good).build();
    train(network(), listener, 0, 1);
    listener.close();
    assertThat(RunRecord.read(file).end()).isPresent();
    assertThat(good.getMeters()).isEmpty();
    // at the checkpoint, whose level has no kernel gauges, and at the end
    assertThat(listener.failures()).isEqualTo(2);
    builder(file).build().close();
  }

  @Test
  void aRecordThatIsDeletedOrCutGoesOnBesideIt() throws IOException {
    for (boolean deleted : List.of(true, false)) {
      Path file = folder.resolve(deleted + ".jsonl");
      LyapunovListener listener = builder(file).run("r").build();
      MultiLayerNetwork network = network();
      train(network, listener, 0, 2);
      if (deleted) {
        Files.delete(file);
      } else {
        try (RandomAccessFile other = new RandomAccessFile(file.toFile(), "rw")) {
          other.setLength(10);
        }
      }
      train(network, listener, 2, 5);
      listener.close();
      RunRecord record = RunRecord.read(folder.resolve(deleted + "-2.jsonl"));
      assertThat(record.run().orElseThrow().run()).isEqualTo("r");
      assertThat(record.checkpoints()).hasSize(3);
      assertThat(record.end()).isPresent();
      assertThat(listener.failures()).isEqualTo(1);
      assertThat(Files.exists(file)).isNotEqualTo(deleted);
    }
  }

  @Test
  void notesWithoutACheckpointAreKept() throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener listener = builder(file).run("r").build();
    listener.note(Map.of("a", 1));
    listener.close();
    RunRecord record = RunRecord.read(file);
    assertThat(record.run().orElseThrow().run()).isEqualTo("r");
    assertThat(record.notes()).hasSize(1);
    assertThat(record.end()).isPresent();
    LyapunovListener later = builder(file).build();
    train(network(), later, 0, 1);
    later.close();
    assertThat(RunRecord.read(file).checkpoints()).hasSize(1);
    assertThat(later.failures()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no json",
        "{\"iteration\":30}",
        "{\"iteration\":1,\"index\":0,\"cumulativeSteps\":1,\"logNorm\":0,\"position\":\"AAAA\"}",
        "{\"iteration\":1,\"index\":0,\"logNorm\":0,\"position\":\"AAAAAAAAAAA=\"}",
        "{\"iteration\":1,\"index\":0,\"cumulativeSteps\":1,\"logNorm\":0,\"position\":\"AAAAAAAA8D8=\"}",
        "{\"iteration\":1,\"index\":0,\"cumulativeSteps\":1,\"logNorm\":0,\"position\":\"AAAAAAAA8H8=\"}",
        "{\"iteration\":1,\"index\":0,\"cumulativeSteps\":1,\"logNorm\":0,\"position\":\"§\"}",
        "{\"iteration\":1,\"index\":2147483647,\"cumulativeSteps\":-1,\"logNorm\":0,\"position\":\"AAAAAAAA8D8=\"}",
        "[[[[[[[[[[[["
      })
  void withADamagedTangentARunStartsWithout(String content) throws IOException {
    Path file = folder.resolve("run.jsonl");
    LyapunovListener first = builder(file).trajectory(true).build();
    train(network(), first, 0, 2);
    first.close();
    Files.writeString(folder.resolve("run.jsonl.tangent"), content);
    LyapunovListener second = builder(file).trajectory(true).build();
    train(network(), second, 0, 4);
    second.close();
    RunRecord record = RunRecord.read(file);
    assertThat(record.checkpoints()).hasSize(4);
    assertThat(record.checkpoints().get(3).number("trajectory.cumulativeSteps")).isEqualTo(3);
    assertThat(second.failures()).isZero();
  }

  private LyapunovListener.Builder builder(Path file) {
    return LyapunovListener.builder(data)
        .settings(
            AnalysisSettings.standard()
                .withSeed(0)
                .withAnalyzer(settings -> settings.maxEpochs(4).threads(1).spectrumLimit(0)))
        .frequency(1)
        .record(file);
  }

  private static MultiLayerNetwork network() {
    return Networks.regression(Networks.configuration(new Sgd(0.05), DataType.DOUBLE), 3, 5, 2);
  }

  private void train(MultiLayerNetwork network, LyapunovListener listener, int from, int to) {
    List<DataSet> batches = data.batchBy(4);
    network.setListeners(listener);
    for (int t = from; t < to; t++) {
      network.fit(batches.get(t % batches.size()));
    }
  }
}
