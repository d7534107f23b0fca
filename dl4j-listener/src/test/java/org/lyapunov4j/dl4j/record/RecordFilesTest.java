// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class RecordFilesTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final List<RecordLine> LINES =
      List.of(
          run(1),
          checkpoint(0),
          checkpoint(10),
          new NoteLine(NOW, Map.of("λ", "größer", "n", 3)),
          new ResumeLine(10, NOW, Provenance.current(), "SGD"),
          checkpoint(10),
          checkpoint(20),
          new EndLine(NOW, 2, 0, 1, 0));

  @TempDir private Path folder;

  private static RunLine run(int schema) {
    return new RunLine(
        schema, "a", NOW, Provenance.current(), "model", 7, "DOUBLE", 2, 1, "0f", 5, "SGD");
  }

  private static CheckpointLine checkpoint(int iteration) {
    return checkpoint(iteration, SgdStep.of(0.2, 1));
  }

  private static CheckpointLine checkpoint(int iteration, SgdStep step) {
    GramMatrix gram = GramMatrix.of(new double[][] {{1, 0}, {0, 3}}, 2, 1);
    StabilityReport report = StabilityAnalyzer.builder().maxEpochs(16).build().analyze(gram, step);
    return new CheckpointLine(
        CheckpointDocument.of(
            new Checkpoint(
                "a",
                iteration,
                0,
                NOW,
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Tier.STANDARD,
                new TrainingStep(step, List.of()),
                List.of(),
                report,
                Optional.of(new EdgeForecast(500, 420, 640)),
                List.of(report, report),
                Optional.of(
                    BatchSharpness.estimate(
                        gram, new double[] {1, 2}, step, 8, new RandomStream(1))),
                Optional.of(new TrajectoryExponent.Window(0, 10, 4, -0.5, 10, -0.5)),
                Optional.of(
                    FiniteTimeEstimator.builder().residual(1, 2).build().estimate(gram, step, 10)),
                32,
                Duration.ofMillis(20),
                Duration.ofMillis(30))));
  }

  private Path write(List<RecordLine> lines) throws IOException {
    Path file = folder.resolve("run.jsonl");
    try (RecordWriter writer = RecordWriter.open(file)) {
      for (RecordLine line : lines) {
        writer.append(line);
      }
    }
    return file;
  }

  @Test
  void whatIsReadIsWhatWasWrittenToTheLastBit() throws IOException {
    RunRecord record = RunRecord.read(write(LINES));
    assertThat(record.lines()).isEqualTo(LINES);
    assertThat(record.unreadable()).isZero();
    assertThat(record.run()).contains((RunLine) LINES.get(0));
    assertThat(record.end()).contains((EndLine) LINES.get(7));
  }

  /** A jar of everything has one manifest, which is not Deeplearning4j's. */
  @Test
  void theVersionOfDeeplearning4jIsItsOwn() {
    assertThat(Provenance.current().deeplearning4j()).isEqualTo("1.0.0-M2.1");
  }

  /** μ was a bare number, and an exponent had no sign. */
  @Test
  void aRecordOfSchemaOneStillOpens() throws IOException {
    RunRecord record;
    try (InputStream old = getClass().getResourceAsStream("schema-1.jsonl")) {
      record = RunRecord.parse(old.readAllBytes());
    }
    assertThat(record.unreadable()).isZero();
    assertThat(record.run().orElseThrow().schema()).isEqualTo(1);
    CheckpointDocument first = record.checkpoints().get(0);
    assertThat(values(first, "exponent"))
        .containsExactly(
            entry("exponent.value", -0.11157177565710485),
            entry("exponent.standardError", 0.013254474888218315),
            entry("exponent.low", -0.13860445541654962),
            entry("exponent.high", -0.08453909589766008),
            entry("exponent.sign", "NEGATIVE"),
            entry("exponent.steps", 64L));
    assertThat(values(first, "gdExponent"))
        .containsExactlyElementsOf(exactly(-0.10536051565782628));
    CheckpointDocument second = record.checkpoints().get(1);
    assertThat(values(second, "gdExponent"))
        .containsExactlyElementsOf(exactly(Double.NEGATIVE_INFINITY));
    assertThat(second.number("exponent.value")).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(second.text("exponent.sign")).contains("NEGATIVE");
  }

  private static List<Map.Entry<String, Object>> values(CheckpointDocument document, String path) {
    return document.entries(path).stream()
        .map(each -> Map.entry(each.key(), each.value().content()))
        .toList();
  }

  private static List<Map.Entry<String, Object>> exactly(double value) {
    return List.of(
        entry("gdExponent.value", value),
        entry("gdExponent.standardError", 0.0),
        entry("gdExponent.low", value),
        entry("gdExponent.high", value),
        entry("gdExponent.sign", "NEGATIVE"));
  }

  private static Map.Entry<String, Object> entry(String key, Object value) {
    return Map.entry(key, value);
  }

  /** Biases that do not decay, by which λ and μ are bounds alone. */
  @Test
  void aBoundHasNoValueButAReason() throws IOException {
    SgdStep step = SgdStep.of(0.2, 1).withL2(0.1).withDecayInPart(true);
    CheckpointLine bounded = checkpoint(0, step);
    RunRecord record = RunRecord.read(write(List.of(run(2), bounded)));
    assertThat(record.checkpoints()).containsExactly(bounded.document());
    for (String bound : List.of("exponent", "gdExponent")) {
      CheckpointDocument document = bounded.document();
      assertThat(document.has(bound + ".value")).isFalse();
      assertThat(document.has(bound + ".standardError")).isFalse();
      assertThat(document.has(bound + ".branch")).isFalse();
      assertThat(document.has(bound + ".steps")).isFalse();
      assertThat(document.number(bound + ".low")).isNegative();
      assertThat(document.number(bound + ".high")).isZero();
      assertThat(document.text(bound + ".sign")).contains("NEGATIVE");
      assertThat(document.text(bound + ".reason").orElseThrow()).contains("do not decay");
    }
    assertThat(Json.line(bounded)).doesNotContain("\"value\":null");
  }

  @Test
  void aResumptionReplacesTheStepsThatWereLost() throws IOException {
    RunRecord record = RunRecord.read(write(LINES));
    assertThat(record.checkpoints())
        .containsExactly(
            ((CheckpointLine) LINES.get(1)).document(),
            ((CheckpointLine) LINES.get(5)).document(),
            ((CheckpointLine) LINES.get(6)).document());
  }

  @Test
  void aRecordTornAtAnyByteKeepsItsWholeLines() throws IOException {
    byte[] whole = Files.readAllBytes(write(LINES.subList(0, 5)));
    List<RecordLine> lines = RunRecord.parse(whole).lines();
    int complete = 0;
    for (int length = 0; length <= whole.length; length++) {
      RunRecord torn = RunRecord.parse(Arrays.copyOf(whole, length));
      complete += length > 0 && whole[length - 1] == '\n' ? 1 : 0;
      assertThat(torn.lines()).isEqualTo(lines.subList(0, complete));
      assertThat(torn.unreadable()).isZero();
    }
    assertThat(complete).isEqualTo(5);
  }

  /** Opened again, a torn record goes on after its last whole line. */
  @Test
  void aTornRecordIsContinued() throws IOException {
    byte[] whole = Files.readAllBytes(write(LINES.subList(0, 3)));
    Path file = folder.resolve("torn.jsonl");
    for (int cut = 1; cut < whole.length; cut += 97) {
      Files.write(file, Arrays.copyOf(whole, whole.length - cut));
      try (RecordWriter writer = RecordWriter.open(file)) {
        writer.append(writer.before().lines().isEmpty() ? LINES.get(0) : LINES.get(4));
      }
      RunRecord read = RunRecord.read(file);
      assertThat(read.unreadable()).isZero();
      int survived = read.lines().size() - 1;
      assertThat(read.lines().subList(0, survived)).isEqualTo(LINES.subList(0, survived));
      assertThat(Files.readString(file)).endsWith("\n");
    }
  }

  @Test
  void whatALaterVersionAddedIsLeftOut() throws IOException {
    Path file = write(LINES.subList(0, 2));
    String future =
        "{\"type\":\"forecast\",\"x\":[1]}\n"
            + Json.line(LINES.get(2)).replaceFirst("\\{", "{\"colour\":{\"deep\":[null]},")
            + "\nno json\n\n{\"type\":\"checkpoint\",\"iteration\":[]}\n";
    Files.writeString(file, future, StandardOpenOption.APPEND);
    RunRecord record = RunRecord.read(file);
    assertThat(record.lines()).isEqualTo(LINES.subList(0, 3));
    assertThat(record.unreadable()).isEqualTo(3);
  }

  @Property(tries = 300)
  void noDamageMakesTheReaderFail(@ForAll @IntRange(max = 100_000) int seed) {
    RandomStream random = new RandomStream(seed);
    String text =
        Json.line(LINES.get(0)) + "\n" + Json.line(LINES.get(1)) + "\n" + Json.line(LINES.get(7));
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i <= random.nextInt(20); i++) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    RunRecord record = RunRecord.parse(bytes);
    assertThat(record.length()).isLessThanOrEqualTo(bytes.length);
  }

  @Test
  void aRecordIsReadableWhileItIsWritten() throws IOException {
    Path file = folder.resolve("live.jsonl");
    try (RecordWriter writer = RecordWriter.open(file)) {
      for (int i = 0; i < LINES.size(); i++) {
        writer.append(LINES.get(i));
        assertThat(RunRecord.read(file).lines()).isEqualTo(LINES.subList(0, i + 1));
      }
    }
  }

  @Test
  void thereIsOneWriter() throws IOException {
    Path file = folder.resolve("run.jsonl");
    try (RecordWriter writer = RecordWriter.open(file)) {
      assertThat(writer.before().lines()).isEmpty();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> RecordWriter.open(file))
          .withMessageContaining("must have one writer");
    }
    RecordWriter.open(file).close();
  }

  @Test
  void refusesWhatIsNoRecordOfThisVersion() throws IOException {
    Path other = folder.resolve("other");
    Files.writeString(other, "a,b\n1,2\n");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RecordWriter.open(other))
        .withMessageContaining("name another file");
    assertThat(Files.readString(other)).isEqualTo("a,b\n1,2\n");
    Path later = write(List.of(run(RunLine.SCHEMA + 1)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RecordWriter.open(later))
        .withMessageContaining("must have schema 2 or earlier, got 3");
  }

  /** Fails after so many bytes, once, as a full disk does that is cleaned up later. */
  private static final class FullDisk implements RecordWriter.Destination {
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private int room;
    private int good;

    @Override
    public void append(byte[] bytes) throws IOException {
      int fits = Math.min(room, bytes.length);
      content.write(bytes, 0, fits);
      room -= fits;
      if (fits < bytes.length) {
        room = Integer.MAX_VALUE;
        throw new IOException("no space left on device");
      }
      good = content.size();
    }

    @Override
    public void cutBack() {
      byte[] kept = Arrays.copyOf(content.toByteArray(), good);
      content.reset();
      content.writeBytes(kept);
    }

    @Override
    public void close() {}
  }

  @Test
  void aDiskThatFillsUpAtAnyByteCostsOneLine() throws IOException {
    List<RecordLine> lines = List.of(LINES.get(3), LINES.get(4), LINES.get(7));
    int length = 0;
    for (RecordLine line : lines) {
      length += Json.line(line).length() + 1;
    }
    for (int room = 0; room < length; room += 3) {
      FullDisk disk = new FullDisk();
      disk.room = room;
      List<RecordLine> written = new ArrayList<>();
      try (RecordWriter writer = new RecordWriter(new RunRecord(List.of(), 0, 0), disk)) {
        for (RecordLine line : lines) {
          try {
            writer.append(line);
            written.add(line);
          } catch (IOException full) {
            assertThat(full).hasMessageContaining("no space");
          }
        }
      }
      assertThat(written).hasSize(2);
      RunRecord read = RunRecord.parse(disk.content.toByteArray());
      assertThat(read.lines()).isEqualTo(written);
      assertThat(read.unreadable()).isZero();
      assertThat(read.length()).isEqualTo(disk.content.size());
    }
  }

  @Test
  private static TangentState state(int i) {
    SgdStep step =
        new SgdStep(
            0.1 * i,
            3,
            MiniBatchSampling.SHUFFLED_EPOCHS,
            List.of(
                    Momentum.NONE,
                    new Momentum.HeavyBall(0.9),
                    new Momentum.Nesterov(0.8),
                    new Momentum.MovingAverage(0.7),
                    new Momentum.NesterovAverage(0.6))
                .get(i),
            1e-3,
            0.3,
            i == 1,
            2e-3);
    TrajectoryExponent.State carried =
        TrajectoryExponent.State.of(
            i,
            10L * i,
            -1.0 / i,
            i == 3,
            new double[] {Math.PI, -0.1 * i, Double.MIN_VALUE},
            i == 1 ? null : new double[] {0, 1e300, 1.0 / 3});
    return new TangentState(
        10 * i,
        i == 0 ? Optional.empty() : Optional.of(carried),
        i == 2 ? TrajectoryExponent.Curvature.HESSIAN : TrajectoryExponent.Curvature.GAUSS_NEWTON,
        step,
        new double[] {-0.0, i / 7.0, 1e-310},
        i == 1 ? null : new double[] {0, 1, Math.E},
        new TreeMap<>(Map.of(10 * i + 1, new int[] {0, 5, 2}, 10 * i + 3, new int[] {1})),
        i == 2 ? new TangentState.Progress(7, 3, -1.0 / 3, true, 11, 0.7, 1e-10) : null);
  }

  @Test
  void theTangentIsReplacedAsAWholeAndReadBackToTheLastBit() throws IOException {
    TrajectoryFile file = new TrajectoryFile(folder.resolve("run.jsonl"));
    assertThat(file.read()).isEmpty();
    for (int i = 0; i < 5; i++) {
      file.write(state(i));
      assertThat(file.read()).contains(state(i));
    }
    assertThat(file.read().orElseThrow()).isNotEqualTo(state(3));
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(folder.resolve("run.jsonl.tangent"));
    }
  }

  /** Those that carried coefficients, and those that had no parameters. */
  @Test
  void theTangentOfOldIsLeftAlone() throws IOException {
    Path file = folder.resolve("run.jsonl.tangent");
    for (String old :
        List.of(
            "{\"iteration\":30,\"index\":2,\"steps\":10,\"growth\":-0.5,\"cumulativeSteps\":30,"
                + "\"cumulativeGrowth\":-1.5,\"tangent\":[0.25,-3.0]}",
            "{\"iteration\":30,\"index\":2,\"cumulativeSteps\":30,\"logNorm\":-1.0,"
                + "\"annihilated\":false,\"position\":\"AAAAAAAA8D8=\"}")) {
      Files.writeString(file, old);
      assertThat(new TrajectoryFile(folder.resolve("run.jsonl")).read()).isEmpty();
      assertThat(Files.readString(file)).isEqualTo(old);
    }
  }

  @Test
  void aDamagedTangentIsRefused() throws IOException {
    Path file = folder.resolve("run.jsonl.tangent");
    TrajectoryFile tangent = new TrajectoryFile(folder.resolve("run.jsonl"));
    tangent.write(state(1));
    String good = Files.readString(file);
    for (String part :
        List.of("\"parameters\":\"", "\"sampling\":\"", "\"curvature\":\"", "\"momentum\":\"")) {
      Files.writeString(file, good.replace(part, part + "?"));
      assertThatIOException().isThrownBy(tangent::read);
    }
    Files.writeString(file, good.substring(0, good.length() / 2));
    assertThatIOException().isThrownBy(tangent::read);
  }

  @Test
  void aFileWithoutATangentIsRefused() throws IOException {
    Files.writeString(folder.resolve("run.jsonl.tangent"), "{\"iteration\":30}");
    assertThatIOException()
        .isThrownBy(() -> new TrajectoryFile(folder.resolve("run.jsonl")).read())
        .withMessageContaining("no tangent vector");
  }
}
