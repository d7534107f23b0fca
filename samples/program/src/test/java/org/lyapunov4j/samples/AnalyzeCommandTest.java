// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Section;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.samples.io.NpyFile;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class AnalyzeCommandTest {
  /** Numbers of a line that depend on the clock. */
  private static final String TIMES =
      "\"(started|time)\":\"[^\"]*\"|\"(gramMillis|analysisMillis)\":\\d+";

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path features;
  private static Path labels;
  private static List<CheckpointDocument> listened;

  @BeforeAll
  static void train() throws IOException {
    double[][] x = new double[8][2];
    double[][] y = new double[8][2];
    for (int i = 0; i < 8; i++) {
      x[i] = new double[] {Math.sin(i + 1), Math.cos(2 * i)};
      y[i] = new double[] {Math.sin(3 * i), i % 2};
    }
    features = shared.resolve("X.npy");
    labels = shared.resolve("Y.npy");
    NpyFile.write(features, x);
    NpyFile.write(labels, y);
    DataSet data = new DataSet(Nd4j.createFromArray(x), Nd4j.createFromArray(y));
    Path record = shared.resolve("live.jsonl");
    MultiLayerNetwork network = network(4);
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(AnalysisSettings.standard().withBatchSize(2))
            .frequency(2)
            .record(record)
            .build();
    network.setListeners(saver(shared.resolve("run")), listener);
    for (int i = 0; i < 9; i++) {
      network.fit(data);
    }
    listener.close();
    listened = RunRecord.read(record).checkpoints();
  }

  private static TrainingListener saver(Path where) throws IOException {
    Files.createDirectories(where);
    return new CheckpointListener.Builder(where.toFile()).saveEveryNIterations(2).keepAll().build();
  }

  private static MultiLayerNetwork network(int hidden) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(7)
                .dataType(DataType.DOUBLE)
                .updater(new Adam(new ExponentialSchedule(ScheduleType.ITERATION, 0.05, 0.9)))
                .list()
                .layer(
                    new DenseLayer.Builder()
                        .nIn(2)
                        .nOut(hidden)
                        .activation(Activation.TANH)
                        .build())
                .layer(output(hidden))
                .build());
    network.init();
    return network;
  }

  private static OutputLayer output(int in) {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nIn(in)
        .nOut(2)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static Outcome run(Object... more) {
    List<String> args =
        new ArrayList<>(
            List.of("analyze", "--features=" + features, "--labels=" + labels, "--batch-size=2"));
    Stream.of(more).map(Object::toString).forEach(args::add);
    return Outcome.of(args.toArray(String[]::new));
  }

  private static Path checkpoint(int number) {
    return shared.resolve("run/checkpoint_" + number + "_MultiLayerNetwork.zip");
  }

  private static List<String> withoutTimes(Path record) throws IOException {
    return Files.readAllLines(record).stream().map(line -> line.replaceAll(TIMES, "")).toList();
  }

  @Test
  void aFolderGivesWhatTheListenerRecorded() throws IOException {
    Path record = folder.resolve("run.jsonl");
    Path page = folder.resolve("run.html");
    Outcome outcome = run(shared.resolve("run"), "--record=" + record, "--report=" + page);

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    List<CheckpointDocument> analysed = RunRecord.read(record).checkpoints();
    assertThat(analysed).extracting(CheckpointDocument::iteration).containsExactly(2, 4, 6, 8);
    for (int i = 0; i < analysed.size(); i++) {
      CheckpointDocument live = listened.get(i + 1);
      CheckpointDocument found = analysed.get(i);
      assertThat(found.entries(Section.FINDINGS))
          .isEqualTo(live.entries(Section.FINDINGS))
          .isNotEmpty();
      assertThat(found.parts("probeSizes")).isEqualTo(live.parts("probeSizes"));
      assertThat(found.entries("batchSharpness")).isEqualTo(live.entries("batchSharpness"));
      assertThat(found.number("probeLoss")).isEqualTo(live.number("probeLoss"));
      assertThat(found.number("epoch")).isEqualTo(live.number("epoch"));
    }
    assertThat(RunRecord.read(record).end().orElseThrow().checkpoints()).isEqualTo(4);
    assertThat(outcome.lines().stream().filter(line -> !line.startsWith("note: ")))
        .hasSize(6)
        .first()
        .asString()
        .contains("verdict");
    assertThat(outcome.lines().stream().filter(line -> line.startsWith("note: ")))
        .containsExactlyElementsOf(
            analysed.stream()
                .flatMap(document -> document.cautions().stream())
                .distinct()
                .map("note: "::concat)
                .toList());
    assertThat(page).content().contains("<html", "analyze");
  }

  @Test
  void theNumberOfThreadsChangesNothing() throws IOException {
    Path one = folder.resolve("one.jsonl");
    Path two = folder.resolve("two.jsonl");
    assertThat(run(shared.resolve("run"), "--record=" + one, "--threads=1").status()).isZero();
    assertThat(run(shared.resolve("run"), "--record=" + two, "--threads=2").status()).isZero();
    assertThat(withoutTimes(one)).hasSize(6).isEqualTo(withoutTimes(two));
  }

  @Test
  void aTornRecordIsContinuedAsIfItHadNotBeenCut() throws IOException {
    Path whole = folder.resolve("whole.jsonl");
    Path cut = folder.resolve("cut.jsonl");
    run(shared.resolve("run"), "--record=" + whole, "--tier=economy");
    List<String> lines = Files.readAllLines(whole);
    Files.writeString(
        cut, String.join("\n", lines.subList(0, 3)) + "\n" + lines.get(3).substring(0, 40));

    Outcome outcome = run(shared.resolve("run"), "--record=" + cut, "--tier=economy");

    assertThat(outcome.status()).isZero();
    assertThat(outcome.out()).contains("2 of these are in the record already");
    List<String> continued = withoutTimes(cut);
    assertThat(continued.subList(0, 5)).isEqualTo(withoutTimes(whole).subList(0, 5));
    assertThat(continued.get(5)).contains("\"checkpoints\":2");
    assertThat(run(shared.resolve("run"), "--record=" + cut, "--tier=economy").status()).isZero();
    assertThat(withoutTimes(cut)).isEqualTo(continued);
  }

  @Test
  void aGapIsFilledAndReadInOrder() throws IOException {
    Path record = folder.resolve("run.jsonl");
    run(checkpoint(2), checkpoint(0), "--record=" + record, "--tier=economy");
    run(shared.resolve("run"), "--record=" + record, "--tier=economy");
    assertThat(RunRecord.read(record).checkpoints())
        .extracting(CheckpointDocument::iteration)
        .containsExactly(2, 4, 6, 8);
  }

  @Test
  void aRecordOfOtherSettingsIsNotContinued() {
    Path record = folder.resolve("run.jsonl");
    run(checkpoint(0), "--record=" + record, "--tier=economy");
    for (String other : List.of("--seed=5", "--tier=full", "--sampling=epoch")) {
      Outcome outcome =
          run(
              checkpoint(1),
              "--record=" + record,
              other.contains("tier") ? other : "--tier=economy",
              other.contains("tier") ? "--seed=1" : other);
      assertThat(outcome.status()).isEqualTo(2);
      assertThat(outcome.err())
          .contains(
              "the record must be continued with the " + other.substring(0, other.indexOf('=')));
    }
  }

  @Test
  void badModelsAreNamedAndTheOthersGoOn() throws IOException {
    Path text = Files.writeString(folder.resolve("text.zip"), "no zip");
    Path torn = folder.resolve("torn.zip");
    byte[] bytes = Files.readAllBytes(checkpoint(1));
    Files.write(torn, java.util.Arrays.copyOf(bytes, bytes.length / 2));
    Path other = folder.resolve("other.zip");
    ModelSerializer.writeModel(network(5), other.toFile(), true);
    MultiLayerNetwork stateless = network(4);
    stateless.setIterationCount(100);
    Path without = folder.resolve("without.zip");
    ModelSerializer.writeModel(stateless, without.toFile(), false);
    Path empty = archive(Map.of("readme.txt", new byte[3]));
    Path copy = Files.copy(checkpoint(1), folder.resolve("copy.zip"));
    Path gone = folder.resolve("gone.zip");
    MultiLayerNetwork late = network(5);
    late.setIterationCount(50);
    ModelSerializer.writeModel(late, other.toFile(), true);

    Outcome outcome =
        run(text, torn, checkpoint(1), other, without, empty, copy, gone, "--tier=economy");

    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err().lines())
        .hasSize(7)
        .anyMatch(line -> line.contains("text.zip: a model must be a zip archive"))
        .anyMatch(line -> line.contains("torn.zip: "))
        .anyMatch(line -> line.contains("other.zip: all models must have the architecture"))
        .anyMatch(
            line -> line.contains("without.zip: the updater of ") && line.contains("no state"))
        .anyMatch(line -> line.contains("must hold configuration.json"))
        .anyMatch(line -> line.contains("copy.zip: every model must be of another iteration"))
        .anyMatch(line -> line.contains("gone.zip: the model must be a readable file"));
    assertThat(outcome.lines()).hasSize(3).element(1).asString().contains("4  ");
    assertThat(outcome.lines().get(2)).startsWith("note: warming up");
  }

  @Test
  void whatCannotBeMeantIsRefusedAtOnce() throws IOException {
    Path model = checkpoint(0);
    assertThat(run(model, "--batch-size=0").err()).contains("--batch-size");
    assertThat(run(model, "--threads=0").err()).contains("--threads must be at least 1, got 0");
    assertThat(run(model, "--report=x.html").err()).contains("--record");
    assertThat(run(Files.createDirectory(folder.resolve("none"))).err()).contains("got none");
    assertThat(run(model, "--record=" + folder).err()).contains("--record must be a regular file");
    Path wide = folder.resolve("wide.npy");
    NpyFile.write(wide, new double[8][5]);
    Outcome wrong =
        Outcome.of(
            "analyze", "--batch=2", "--features=" + wide, "--labels=" + labels, model.toString());
    assertThat(wrong.status()).isEqualTo(2);
    assertThat(wrong.err().lines()).hasSize(1);
  }

  @Test
  void aCheckpointThatDoesNotFitTheMemoryIsRefused() throws IOException {
    Path x = folder.resolve("x.npy");
    NpyFile.write(x, new double[300][2]);
    Outcome outcome =
        Outcome.of(
            "analyze",
            "--batch=2",
            "--features=" + x,
            "--labels=" + x,
            "--memory=8",
            checkpoint(0).toString());
    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err()).contains("a checkpoint needs about 11,5").contains("--memory allows");
  }

  @Test
  void aGraphIsAnalysedToo() throws IOException {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1))
                .graphBuilder()
                .addInputs("in")
                .addLayer("out", output(2), "in")
                .setOutputs("out")
                .build());
    graph.init();
    Path file = folder.resolve("graph.zip");
    ModelSerializer.writeModel(graph, file.toFile(), true);
    assertThat(run(file).status()).isZero();
  }

  /** Deserialising is what runs; nobody may. */
  private static final class Trap implements Serializable {
    private static final long serialVersionUID = 1;
    private static volatile boolean sprung;

    private Object readResolve() {
      sprung = true;
      return this;
    }
  }

  private Path archive(Map<String, byte[]> entries) throws IOException {
    Path file = Files.createTempFile(folder, "made", ".zip");
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> entry : new TreeMap<>(entries).entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
      }
    }
    return file;
  }

  private static Map<String, byte[]> entries(Path file) throws IOException {
    Map<String, byte[]> entries = new TreeMap<>();
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : java.util.Collections.list(zip.entries())) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    return entries;
  }

  @Test
  void serialisedObjectsInAnArchiveAreNeverRead() throws IOException {
    ByteArrayOutputStream serialised = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(serialised)) {
      out.writeObject(new Trap());
    }
    Map<String, byte[]> entries = entries(checkpoint(0));
    for (String name : List.of("preprocessor.bin", "normalizer.bin", "objects/x")) {
      entries.put(name, serialised.toByteArray());
    }
    Path file = archive(entries);

    assertThat(run(file, "--tier=economy").status()).isZero();
    Path out = folder.resolve("G.npy");
    assertThat(
            Outcome.of(
                    "gram",
                    "--model=" + file,
                    "--features=" + features,
                    "--labels=" + labels,
                    "--out=" + out)
                .status())
        .isZero();
    assertThat(Trap.sprung).isFalse();
    assertThatThrownBy(() -> ModelSerializer.restoreMultiLayerNetwork(file.toFile()))
        .isInstanceOf(ClassCastException.class);
    assertThat(Trap.sprung).isTrue();
  }

  @Test
  void arraysThatLieAboutTheirSizeAreRefused() throws IOException {
    byte[] honest = entries(checkpoint(0)).get("coefficients.bin");
    assertRefused(head(1L << 40, 1L << 40, "DOUBLE", 1), "at most");
    assertRefused(head(22, 22, "DOUBLE", 1), "must hold 176 bytes of numbers, got 0");
    assertRefused(head(22, 23, "DOUBLE", 1), "a shape of other than 23 numbers");
    assertRefused(head(22, 22, "DOUBLE", 1000), "a stride of 1000");
    assertRefused(head(22, 22, "UTF8", 1), "type");
    assertRefused(new byte[] {0, 3, 'a'}, "its beginning only");
    assertRefused(java.util.Arrays.copyOf(honest, honest.length - 8), "bytes of numbers, got");
    assertRefused(java.util.Arrays.copyOf(honest, honest.length + 8), "got more");
  }

  private void assertRefused(byte[] array, String why) throws IOException {
    Map<String, byte[]> entries = entries(checkpoint(0));
    entries.put("coefficients.bin", array);
    Outcome outcome = run(archive(entries));
    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).contains("coefficients.bin").contains(why);
  }

  private static byte[] head(long side, long length, String type, long stride) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeUTF("LONG_SHAPE");
    out.writeLong(6);
    out.writeUTF("LONG");
    for (long word : new long[] {1, side, stride, 0, 1, 'c'}) {
      out.writeLong(word);
    }
    out.writeUTF("MIXED_DATA_TYPES");
    out.writeLong(length);
    out.writeUTF(type);
    return bytes.toByteArray();
  }

  @Test
  void theMiniBatchLossIsUnknown() throws IOException {
    Path record = folder.resolve("run.jsonl");
    run(checkpoint(0), "--record=" + record, "--tier=economy");
    CheckpointDocument line = RunRecord.read(record).checkpoints().get(0);
    assertThat(line.has("loss")).isTrue();
    assertThat(line.number("loss")).isNaN();
    assertThat(Json.line(line)).contains("\"loss\":null");
  }
}
