// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.samples.io.ArrayFile;
import org.lyapunov4j.samples.io.NpyFile;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The packaged program, started as a user starts it. */
class JarIT {
  @TempDir private Path folder;

  @Test
  void standardOutputIsTheJsonAlone() throws IOException, InterruptedException {
    Path gram = folder.resolve("G.npy");
    NpyFile.write(gram, new double[][] {{1, 0.5}, {0.5, 1}});

    int status =
        start(
                "exponent",
                "--gram=" + gram,
                "--learning-rate=0.5",
                "--batch-size=1",
                "--format=json")
            .waitFor();

    assertThat(err()).isEmpty();
    assertThat(status).isZero();
    assertThat(new ObjectMapper().readTree(out()).get("verdict").textValue()).isEqualTo("STABLE");
  }

  @Test
  void badInputIsOneLineAndStatusTwo() throws IOException, InterruptedException {
    int status =
        start("exponent", "--gram=absent", "--learning-rate=1", "--batch-size=1").waitFor();

    assertThat(status).isEqualTo(2);
    assertThat(out()).isEmpty();
    assertThat(err())
        .isEqualToIgnoringNewLines(
            "lyapunov4j exponent: absent: the file must exist; check the path");
  }

  @Test
  void theGramMatrixOfASavedModelIsWritten() throws IOException, InterruptedException {
    Path gram = folder.resolve("G.npy");
    NpyFile.write(folder.resolve("X.npy"), new double[][] {{0.3, 0.2}, {0.4, 0.5}, {1.2, 0.2}});
    NpyFile.write(folder.resolve("Y.npy"), new double[3][1]);

    int status =
        start(
                "gram",
                "--model=" + linearModel(),
                "--features=" + folder.resolve("X.npy"),
                "--labels=" + folder.resolve("Y.npy"),
                "--plain",
                "--out=" + gram,
                "--format=json")
            .waitFor();

    assertThat(err()).isEmpty();
    assertThat(status).isZero();
    assertThat(new ObjectMapper().readTree(out()).isObject()).isTrue();
    double[][] written = ArrayFile.readMatrix(gram.toString()).doubles();
    assertThat(written[0]).containsExactly(new double[] {1.13, 1.22, 1.40}, within(1e-12));
    assertThat(written[1]).containsExactly(new double[] {1.22, 1.41, 1.58}, within(1e-12));
    assertThat(written[2]).containsExactly(new double[] {1.40, 1.58, 2.48}, within(1e-12));
  }

  private Path linearModel() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .dataType(DataType.DOUBLE)
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(2)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    Path file = folder.resolve("model.zip");
    network.save(file.toFile());
    return file;
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void whatWasMeasuredOutlivesAnInterruption() throws IOException, InterruptedException {
    Path records = folder.resolve("run.jsonl");
    Path plot = folder.resolve("run.png");
    Process process =
        start(
            "train",
            "--examples=10",
            "--hidden=8",
            "--iterations=100000000",
            "--interval=50",
            "--out=" + records,
            "--plot=" + plot);
    while (process.isAlive() && out().lines().filter(line -> line.contains("±")).count() < 4) {
      Thread.sleep(50);
    }

    process.destroy();

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(err()).isEmpty();
    assertThat(out()).contains("interrupted after").doesNotContain("\u001b");
    List<String> lines = Files.readAllLines(records);
    assertThat(lines).hasSizeGreaterThan(4);
    assertThat(lines.get(lines.size() - 1)).startsWith("{\"type\":\"end\"");
    assertThat(lines.get(lines.size() - 2)).contains("INTERRUPTED");
    assertThat(plot).isNotEmptyFile();
  }

  private Process start(String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 24) {
      // ND4J's native bindings; the JVM warns about them on standard error otherwise
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.add("-jar");
    command.add(System.getProperty("lyapunov4j.jar"));
    command.addAll(List.of(args));
    return new ProcessBuilder(command)
        .redirectOutput(file("out"))
        .redirectError(file("err"))
        .start();
  }

  private File file(String name) {
    return folder.resolve(name).toFile();
  }

  private String out() throws IOException {
    return Files.readString(file("out").toPath());
  }

  private String err() throws IOException {
    return Files.readString(file("err").toPath());
  }
}
