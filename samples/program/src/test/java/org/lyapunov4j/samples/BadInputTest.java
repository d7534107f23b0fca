// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.samples.io.NpyFile;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Bad input of every kind: status 2, one short line, and no file of the user's is touched. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BadInputTest {
  private static final int LONGEST = 300;

  @TempDir private Path folder;
  private Path gram;

  @BeforeEach
  void gram() throws IOException {
    gram = folder.resolve("G.npy");
    NpyFile.write(gram, new double[][] {{1, 0.5}, {0.5, 1}});
  }

  private static Outcome refused(String... args) {
    Outcome outcome = Outcome.of(args);
    assertThat(outcome.err().lines().toList()).as(String.join(" ", args)).hasSize(1);
    assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.err().strip().length()).as(outcome.err()).isLessThanOrEqualTo(LONGEST);
    assertThat(outcome.err()).doesNotContain("(null)").doesNotContain("Exception");
    return outcome;
  }

  private static String[] train(String... further) {
    List<String> args =
        new ArrayList<>(
            List.of("train", "--data", "chebyshev:2", "--examples", "4", "--hidden", "3"));
    args.addAll(List.of("--iterations", "4", "--interval", "2", "--tier", "economy"));
    args.addAll(List.of(further));
    return args.toArray(String[]::new);
  }

  private Path foreign(String name) throws IOException {
    return Files.writeString(folder.resolve(name), "years of work");
  }

  @Test
  void trainDestroysNothing() throws IOException {
    for (String option : List.of("--out", "--plot", "--openmetrics")) {
      Path thesis = foreign("thesis" + option + ".txt");
      refused(train(option, thesis.toString()));
      assertThat(thesis).hasContent("years of work");
    }
  }

  @Test
  void metricsOfAnEarlierRunAreReplaced() throws IOException {
    Path file = Files.createFile(folder.resolve("run.om"));
    for (int i = 0; i < 2; i++) {
      assertThat(Outcome.of(train("--openmetrics", file.toString())).status()).isZero();
      assertThat(file).content().startsWith("# TYPE lyapunov_").endsWith("# EOF\n");
    }
  }

  @Test
  void analyzeDestroysNothing() throws IOException {
    Path model = model("1.zip");
    Path other = foreign("cfg.json");
    refused(analyze(model, "--record", other.toString()));
    refused(
        analyze(
            model, "--record", folder.resolve("r.jsonl").toString(), "--report", other.toString()));
    assertThat(other).hasContent("years of work");
  }

  @Test
  void anExistingRecordIsReplacedOnlyWhenAsked() throws IOException {
    Path record = folder.resolve("run.jsonl");
    assertThat(Outcome.of(train("--out", record.toString())).status()).isZero();
    byte[] before = Files.readAllBytes(record);
    assertThat(refused(train("--out", record.toString())).err()).contains("--overwrite");
    assertThat(Files.readAllBytes(record)).isEqualTo(before);
    assertThat(Outcome.of(train("--out", record.toString(), "--overwrite")).status()).isZero();
    assertThat(RunRecord.read(record).checkpoints()).hasSize(3);
    Path thesis = foreign("thesis.txt");
    refused(train("--out", thesis.toString(), "--overwrite"));
    assertThat(thesis).hasContent("years of work");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--out", "--plot", "--openmetrics"})
  void aDeviceIsNoFile(String option) throws Exception {
    Path device = Path.of("/dev/null");
    assumeTrue(Files.exists(device));
    refused(train(option, device.toString()));
    assertThat(Files.isRegularFile(device)).isFalse();
    Path fifo = folder.resolve("fifo.png");
    assumeTrue(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor() == 0);
    refused(train(option, fifo.toString()));
    refused(
        "gram", "--model", "m.zip", "--features", "f", "--labels", "l", "--out", fifo.toString());
  }

  @Test
  void aLinkIsWrittenThrough() throws IOException {
    Path target = Files.writeString(folder.resolve("target.png"), "");
    Path link = Files.createSymbolicLink(folder.resolve("link.png"), target);
    assertThat(Outcome.of(train("--plot", link.toString())).status()).isZero();
    assertThat(Files.isSymbolicLink(link)).isTrue();
    assertThat(Files.size(target)).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"x.pdf", "x", "x.png.exe"})
  void aPictureIsNamedAsWhatItIs(String name) {
    Path file = folder.resolve(name);
    assertThat(refused(train("--plot", file.toString())).err()).contains(".png");
    refused("what-if", "--gram", gram.toString(), "--plot", file.toString());
    assertThat(file).doesNotExist();
  }

  @Test
  void whereNothingCanBeMadeIsSaidAtOnce() throws IOException {
    assumeTrue(Files.isDirectory(Path.of("/proc")));
    refused(train("--plot", "/proc/x.png"));
    refused(train("--out", "/proc/x.jsonl"));
    Path record = folder.resolve("run.jsonl");
    Outcome.of(train("--out", record.toString()));
    refused(
        "report", record.toString(), "--out", folder + "/x.html", "--pictures", gram.toString());
    assertThat(folder.resolve("x.html")).doesNotExist();
    refused("report", record.toString(), "--out", record.toString());
    assertThat(RunRecord.read(record).checkpoints()).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"99999999", "99999,99999", "2000000000,2000000000"})
  void aNetworkThatNoMemoryHolds(String hidden) {
    assertThat(refused("train", "--hidden", hidden).err()).contains("--hidden");
  }

  @Test
  void aTableOfAnotherEncoding() throws IOException {
    Path table =
        Files.write(
            folder.resolve("t.csv"), "1,2\n\u00e4,4\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(exponent(table).err()).contains("UTF-8");
  }

  @Test
  void aLineWithoutAnEnd() throws IOException {
    Path table = folder.resolve("long.csv");
    Files.writeString(table, "1,".repeat(25_000_000));
    assertThat(exponent(table).err()).contains("line");
    Files.writeString(table, "\"" + "1\n".repeat(25_000_000));
    exponent(table);
  }

  @Test
  void aMessageIsShortHoweverLongTheInput() throws IOException {
    String name = "x".repeat(240);
    exponent(folder.resolve(name).resolve(name).resolve(name).resolve(name + ".npy"));
    refused(train("--activation", "y".repeat(2000)));
    refused("train", "z".repeat(5000));
    exponent(folder.resolve("\u001b[2J.npy"));
    assertThat(exponent(folder.resolve("\u001b[2J.npy")).err()).doesNotContain("\u001b");
  }

  @Test
  void digitsAreThoseOfAscii() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Duser.language=ar",
                "-Duser.country=EG",
                "-cp",
                System.getProperty("java.class.path"),
                "org.lyapunov4j.samples.Main",
                "exponent",
                "--gram",
                gram.toString(),
                "--learning-rate",
                "0.1",
                "--batch-size",
                "1")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    assertThat(out.chars().filter(c -> Character.isDigit(c) && c > 127).count()).isZero();
  }

  private Outcome exponent(Path file) {
    return refused(
        "exponent", "--gram", file.toString(), "--learning-rate", "0.1", "--batch-size", "1");
  }

  // ---- models

  /** Its static initialiser is what must not run. */
  public static final class Trap {
    static {
      System.setProperty("lyapunov4j.trap", "sprung");
    }

    private Trap() {}
  }

  private Path model(String name) throws IOException {
    MultiLayerNetwork network =
        DenseNetwork.initialised(
            new DenseNetwork(List.of(3), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
                .configuration(2, 1, new Sgd(0.1), 1));
    Path file = folder.resolve(name);
    ModelSerializer.writeModel(network, file.toFile(), true);
    NpyFile.write(folder.resolve("X.npy"), new double[][] {{1, 2}, {2, 1}, {0, 1}});
    NpyFile.write(folder.resolve("Y.npy"), new double[][] {{1}, {2}, {0}});
    return file;
  }

  private Path with(Path model, String name, String entry, UnaryOperator<byte[]> change)
      throws IOException {
    Path file = folder.resolve(name);
    try (ZipFile zip = new ZipFile(model.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
      for (ZipEntry each : zip.stream().toList()) {
        out.putNextEntry(new ZipEntry(each.getName()));
        try (InputStream in = zip.getInputStream(each)) {
          byte[] bytes = in.readAllBytes();
          out.write(each.getName().equals(entry) ? change.apply(bytes) : bytes);
        }
      }
    }
    return file;
  }

  private String[] analyze(Path model, String... further) {
    List<String> args = new ArrayList<>(List.of("analyze", model.toString()));
    args.addAll(List.of("--features", folder + "/X.npy", "--labels", folder + "/Y.npy"));
    args.addAll(List.of("--batch-size", "1", "--tier", "economy"));
    args.addAll(List.of(further));
    return args.toArray(String[]::new);
  }

  private Outcome gram(Path model) {
    return refused(
        "gram",
        "--model",
        model.toString(),
        "--features",
        folder + "/X.npy",
        "--labels",
        folder + "/Y.npy",
        "--out",
        folder + "/out.npy");
  }

  private static byte[] text(byte[] json, String from, String to) {
    return new String(json, StandardCharsets.UTF_8)
        .replaceFirst(from, to)
        .getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aClassIsNotLoadedBecauseAFileNamesIt() throws IOException {
    String trap = "org.lyapunov4j.samples.BadInputTest\\$Trap";
    for (String from :
        List.of(
            "org.nd4j.linalg.activations.impl.ActivationTanH",
            "org.nd4j.linalg.learning.config.Sgd",
            "org.deeplearning4j.nn.conf.layers.DenseLayer")) {
      Path model =
          with(model("m.zip"), "t.zip", "configuration.json", json -> text(json, from, trap));
      assertThat(gram(model).err()).contains("Trap");
      refused(analyze(model));
    }
    Path escaped =
        with(
            model("m.zip"),
            "t.zip",
            "configuration.json",
            json ->
                text(
                    json,
                    "\"@class\" : \"org.nd4j.linalg.learning.config.Sgd",
                    "\"\\\\u0040class\" : \"" + trap));
    gram(escaped);
    assertThat(System.getProperty("lyapunov4j.trap")).isNull();
  }

  @Test
  void aDamagedModelIsNamedAndTheOthersAreAnalysed() throws IOException {
    Path good = model("good.zip");
    byte[] notUtf = {0, 3, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0, 0, 0, 0};
    List<Path> damaged =
        List.of(
            with(good, "a.zip", "coefficients.bin", bytes -> notUtf),
            with(
                good,
                "c.zip",
                "configuration.json",
                json -> "[".repeat(100_000).getBytes(StandardCharsets.UTF_8)),
            with(
                good,
                "d.zip",
                "configuration.json",
                json -> text(json, "\\{", "{\"a\":" + "[".repeat(50_000))),
            with(
                good,
                "e.zip",
                "configuration.json",
                json -> text(json, "\"nout\" : 3", "\"nout\" : 4")),
            with(
                good,
                "f.zip",
                "configuration.json",
                json -> text(json, "DenseLayer", "NoSuchLayer")));
    for (Path model : damaged) {
      gram(model);
      List<String> args = new ArrayList<>(List.of(analyze(model)));
      args.add(1, good.toString());
      Outcome outcome = Outcome.of(args.toArray(String[]::new));
      assertThat(outcome.status()).as(model + outcome.err()).isEqualTo(2);
      assertThat(outcome.err()).contains(model.getFileName().toString());
      assertThat(outcome.out()).contains("iteration");
    }
  }

  // ---- records

  @Test
  void aDamagedLineIsLeftOutOfTheReport() throws IOException {
    Path record = folder.resolve("run.jsonl");
    assertThat(Outcome.of(train("--out", record.toString())).status()).isZero();
    List<String> lines = Files.readAllLines(record);
    int last = 0;
    for (int i = 0; i < lines.size(); i++) {
      last = lines.get(i).startsWith("{\"type\":\"checkpoint\"") ? i : last;
    }
    Path broken = folder.resolve("broken.jsonl");
    for (String field :
        List.of(
            "stability",
            "exponent",
            "verdict",
            "gdExponent",
            "step",
            "time",
            "sampling",
            "batchSharpness",
            "tier",
            "evidence")) {
      List<String> changed = new ArrayList<>(lines);
      changed.set(last, lines.get(last).replaceAll("\"" + field + "\":", "\"gone\":"));
      Files.write(broken, changed);
      Outcome outcome = Outcome.of("report", broken.toString(), "--out", folder + "/r.html");
      assertThat(outcome.status()).as(field + ": " + outcome.err()).isZero();
    }
  }
}
