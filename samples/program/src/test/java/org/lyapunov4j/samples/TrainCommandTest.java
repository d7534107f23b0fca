// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Section;
import org.lyapunov4j.dl4j.record.NoteLine;
import org.lyapunov4j.dl4j.record.RunLine;
import org.lyapunov4j.dl4j.record.RunRecord;

class TrainCommandTest {
  private static final List<String> SMALL =
      List.of(
          "train",
          "--examples=12",
          "--hidden=8",
          "--batch-size=4",
          "--iterations=25",
          "--interval=10");

  @TempDir private Path folder;

  @Test
  void trainsAndKeepsEveryRecord() throws IOException {
    Path records = folder.resolve("run.jsonl");
    Path plot = folder.resolve("run.png");

    Outcome outcome = train("--out=" + records, "--plot=" + plot);

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    RunRecord record = RunRecord.read(records);
    assertThat(record.unreadable()).isZero();
    RunLine run = record.run().orElseThrow();
    assertThat(run.examples()).isEqualTo(12);
    assertThat(run.outputs()).isEqualTo(10);
    assertThat(run.precision()).isEqualTo("DOUBLE");
    Map<String, Object> description = record.notes().get(0).details();
    assertThat(description.get("layers")).isEqualTo(List.of(64, 8, 10));
    List<CheckpointDocument> checkpoints = record.checkpoints();
    assertThat(checkpoints)
        .extracting(CheckpointDocument::iteration)
        .containsExactly(0, 10, 20, 24);
    CheckpointDocument last = checkpoints.get(3);
    assertThat(last.number("probeLoss")).isLessThan(checkpoints.get(0).number("probeLoss"));
    assertThat(last.number("examples")).isEqualTo(12);
    assertThat(last.text("sampling")).contains("iid");
    assertThat(last.number("batchSize")).isEqualTo(4);
    assertThat(last.number("sharpness")).isPositive();
    assertThat(last.number("exponent.low")).isLessThan(last.number("exponent.high"));
    assertThat(last.number("edgeRatio")).isPositive();
    assertThat(record.notes().get(1).details().get("reason")).isEqualTo("COMPLETED");
    assertThat(record.end().orElseThrow().checkpoints()).isEqualTo(4);
    assertThat(coloursOf(plot)).hasSizeGreaterThan(5);
  }

  @Test
  void aPipedTableHasPlainLines() {
    Outcome outcome = train();

    assertThat(outcome.out()).doesNotContain("\r", "\u001b");
    assertThat(outcome.lines())
        .anyMatch(
            line ->
                line.matches(
                    " *iteration +loss +η/η_c \\[95 % interval\\] +λ .* +sharpness/limit"
                        + " +verdict"));
    String number = "[-+.e\\d]+";
    String interval = "\\[" + number + ", (" + number + "|∞)\\]";
    String exponent = "(" + number + " ± " + number + "|between " + number + " and 0)";
    assertThat(
            outcome.lines().stream()
                .filter(
                    line ->
                        line.matches(
                            " *\\d+ +"
                                + number
                                + " +"
                                + number
                                + " "
                                + interval
                                + " +"
                                + exponent
                                + " +"
                                + number
                                + " +[A-Z_]+")))
        .hasSize(4);
    assertThat(outcome.lines()).anyMatch(line -> line.startsWith("completed after 25 iterations"));
  }

  /** The run of the README's picture: its options are the defaults. */
  @Test
  void withoutOptionsItIsTheRunOfThePicture() {
    assertThat(Outcome.of("train", "--iterations=1").out())
        .contains("30 examples", "64-32-32-32-32-10 GELU", "learning rate 0.5, batch size 1 ")
        .contains("η/η_c")
        .containsPattern("STABLE");
  }

  @Test
  void theEconomyTierHasTheBoundOfTheEdgeRatio() throws IOException {
    Path plot = folder.resolve("run.png");
    Outcome outcome = train("--tier=economy", "--plot=" + plot);

    assertThat(outcome.err()).isEmpty();
    assertThat(
            outcome.lines().stream()
                .filter(line -> line.matches(" *\\d+ +\\S+ +≤ \\d+\\.\\d+ .*[A-Z_]+")))
        .hasSize(4);
    assertThat(coloursOf(plot)).hasSizeGreaterThan(5);
  }

  @Test
  void aSeedFixesTheRun() throws IOException {
    List<List<CheckpointDocument>> runs = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      Path records = folder.resolve(name);
      train("--out=" + records, "--seed=5");
      runs.add(RunRecord.read(records).checkpoints());
    }

    for (int i = 0; i < 4; i++) {
      CheckpointDocument first = runs.get(0).get(i);
      CheckpointDocument second = runs.get(1).get(i);
      assertThat(first.entries(Section.FINDINGS))
          .isEqualTo(second.entries(Section.FINDINGS))
          .isNotEmpty();
      assertThat(first.number("probeLoss")).isEqualTo(second.number("probeLoss"));
    }
  }

  @Test
  void aRunThatDivergesEndsEarlyAndSaysSo() throws IOException {
    Path records = folder.resolve("run.jsonl");

    Outcome outcome = train("--learning-rate=1e9", "--iterations=5000", "--out=" + records);

    assertThat(outcome.status()).isZero();
    List<NoteLine> notes = RunRecord.read(records).notes();
    assertThat(notes.get(notes.size() - 1).details().get("reason")).isEqualTo("DIVERGED");
    assertThat(Files.readString(records)).doesNotContain("NaN");
  }

  @Test
  void trainsARegressionInFloatByEpochs() {
    Outcome outcome =
        Outcome.of(
            "train",
            "--data=chebyshev:3",
            "--hidden=6,5",
            "--activation=sigmoid",
            "--loss=l2",
            "--precision=float",
            "--learning-rate=0.01",
            "--batch-size=8",
            "--sampling=epoch",
            "--epochs=4",
            "--interval=5");

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).contains("1-6-5-1 SIGMOID", "reshuffled every epoch", "float");
    assertThat(outcome.lines()).anyMatch(line -> line.startsWith("completed after 12 iterations"));
  }

  @Test
  void metricsAreServedWhileAndAfterTraining() throws Exception {
    StringWriter out = new StringWriter();
    Thread training =
        new Thread(
            () ->
                Main.commandLine()
                    .setOut(new PrintWriter(out, true))
                    .execute(small("--metrics-port=0", "--keep-serving")));
    training.start();

    URI metrics =
        URI.create(await(() -> match(out, "serving (http://127\\.0\\.0\\.1:\\d+/metrics)")));
    String body =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .build()
            .send(
                HttpRequest.newBuilder(metrics).timeout(Duration.ofSeconds(60)).build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    training.interrupt();
    training.join(30_000);

    assertThat(body).containsPattern("(?m)^lyapunov_exponent[^ ]*\\{.*\\} -?\\d");
    assertThat(body).containsPattern("(?m)^lyapunov_sharpness[^ ]*\\{.*\\} \\d");
    assertThat(training.isAlive()).isFalse();
  }

  private static String match(StringWriter out, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(out.toString());
    return matcher.find() ? matcher.group(1) : null;
  }

  private static <T> T await(Supplier<T> answer) throws InterruptedException {
    for (int i = 0; i < 600; i++) {
      T found = answer.get();
      if (found != null) {
        return found;
      }
      Thread.sleep(100);
    }
    throw new AssertionError("no answer within a minute");
  }

  @Test
  void aPortInUseIsRefused() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Outcome outcome = train("--metrics-port=" + taken.getLocalPort());

      assertThat(outcome.status()).isEqualTo(2);
      assertThat(outcome.err().lines()).hasSize(1);
      assertThat(outcome.err())
          .contains("cannot listen on 127.0.0.1, port " + taken.getLocalPort())
          .contains("choose a free port");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--data=numbers            | data must be digits, chebyshev[:DEGREE], mnist:DIR,"
            + " cifar10:FILE",
        "--data=mnist:/no/such/dir | the folder of the IDX files must exist",
        "--data=cifar10:/no/file   | the file must exist",
        "--examples=0              | --examples must be at least 1, got 0",
        "--examples=1798           | --examples must be at most 1797, what these data hold, got"
            + " 1798",
        "--targets=words           | --targets must be one-hot or scalar, got 'words'",
        "--hidden=8,0              | --hidden must be widths of at least 1, got 0",
        "--activation=none         | --activation",
        "--loss=hinge              | expected one of [MSE, L2]",
        "--precision=int           | --precision must be double or float, got INT",
        "--learning-rate=-1        | --learning-rate must be positive and finite, got -1.0",
        "--batch-size=13           | --batch-size must be 1 to the number of examples 12, got 13",
        "--batch-size=0            | --batch-size must be 1 to the number of examples 12, got 0",
        "--threads=0              | --threads must be at least 1, got 0",
        "--iterations=0            | --iterations must be at least 1, got 0",
        "--interval=0              | --interval must be at least 1, got 0",
        "--epochs=3                | --iterations and --epochs must not come together, got 25 and"
            + " 3",
        "--metrics-port=65536      | --metrics-port must be 0 to 65535, got 65536",
        "--metrics-host=0.0.0.0    | --metrics-host must come with --metrics-port",
        "--keep-serving            | --keep-serving must come with --metrics-port",
        "--out=/no/such/dir/a      | must be a file in a folder that exists",
        "--plot=/no/such/dir/a.png | must be a file in a folder that exists",
      })
  void refusesBadInputInOneLine(String option, String complaint) {
    Outcome outcome = train(option);

    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).startsWith("lyapunov4j train: ").contains(complaint);
  }

  /** The small run with some options replaced or added. */
  private static Outcome train(String... options) {
    return Outcome.of(small(options));
  }

  private static String[] small(String... options) {
    List<String> args = new ArrayList<>(SMALL);
    for (String option : options) {
      String name = option.split("=", 2)[0] + "=";
      args.removeIf(arg -> arg.startsWith(name));
      args.add(option);
    }
    return args.toArray(String[]::new);
  }

  private static Set<Integer> coloursOf(Path plot) throws IOException {
    BufferedImage image = ImageIO.read(plot.toFile());
    assertThat(image.getWidth()).isEqualTo(1000);
    Set<Integer> colours = new HashSet<>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        colours.add(image.getRGB(x, y));
      }
    }
    return colours;
  }
}
