// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.samples.ShellBlock.Command;
import org.lyapunov4j.samples.io.NpyFile;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The commands of the documentation that do not say how long they take, run by a shell as they are
 * written, in a folder that holds what they read: {@code X.npy}, {@code Y.npy}, {@code G.npy},
 * {@code model.zip}, {@code checkpoints/} and {@code first-run.jsonl}.
 */
@DisabledOnOs(OS.WINDOWS)
class DocumentedCommandsIT {
  private static final int EXAMPLES = 12;
  private static final int OUTPUTS = 10;

  @TempDir private static Path files;

  @BeforeAll
  static void makeWhatCommandsRead() throws IOException {
    double[][] x = table(4);
    double[][] y = table(OUTPUTS);
    NpyFile.write(files.resolve("X.npy"), x);
    NpyFile.write(files.resolve("Y.npy"), y);
    MultiLayerNetwork network = network();
    Path checkpoints = Files.createDirectory(files.resolve("checkpoints"));
    network.setListeners(
        new CheckpointListener.Builder(checkpoints.toFile())
            .saveEveryNIterations(2)
            .keepAll()
            .build());
    for (int i = 0; i < 5; i++) {
      network.fit(new DataSet(Nd4j.createFromArray(x), Nd4j.createFromArray(y)));
    }
    network.save(files.resolve("model.zip").toFile());
    run("gram --model model.zip --features X.npy --labels Y.npy --out G.npy");
    run(
        "analyze checkpoints --features X.npy --labels Y.npy --batch-size 4 --record first-run.jsonl");
  }

  static List<ShellBlock> blocks() throws IOException {
    return ShellBlock.all().stream()
        .map(
            block ->
                new ShellBlock(
                    block.page(),
                    block.commands().stream()
                        .filter(
                            command ->
                                command.starts(DocumentedCommandsTest.JAR)
                                    && !command.saysHowLong())
                        .toList()))
        .filter(block -> !block.commands().isEmpty())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void runs(ShellBlock block, @TempDir Path folder) throws IOException, InterruptedException {
    copyFilesTo(folder);
    Path jar = folder.resolve(DocumentedCommandsTest.JAR);
    Files.createDirectories(jar.getParent());
    Files.createSymbolicLink(jar, Path.of(System.getProperty("lyapunov4j.jar")));
    String script =
        block.commands().stream().map(Command::line).collect(Collectors.joining("\n", "", "\n"));
    ProcessBuilder shell =
        new ProcessBuilder("sh", "-e", "-c", script)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("output").toFile());
    shell
        .environment()
        .merge(
            "PATH",
            Path.of(System.getProperty("java.home"), "bin").toString(),
            (path, bin) -> bin + File.pathSeparator + path);
    Process process = shell.start();

    boolean ended = process.waitFor(2, TimeUnit.MINUTES);
    process.destroyForcibly();
    Files.delete(jar);

    String output = Files.readString(folder.resolve("output"));
    assertThat(ended).as("a command that takes long must say so: %s", output).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
  }

  private static void run(String command) {
    String[] words = command.split(" ");
    for (int i = 1; i < words.length; i++) {
      if (words[i].matches("checkpoints|\\S+\\.\\w+")) {
        words[i] = files.resolve(words[i]).toString();
      }
    }
    Outcome outcome = Outcome.of(words);
    assertThat(outcome.status()).as(outcome.err()).isZero();
  }

  private static void copyFilesTo(Path folder) throws IOException {
    try (var paths = Files.walk(files)) {
      for (Path file : paths.filter(Files::isRegularFile).toList()) {
        Path copy = folder.resolve(files.relativize(file));
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
  }

  private static double[][] table(int columns) {
    return IntStream.range(0, EXAMPLES)
        .mapToObj(
            i ->
                IntStream.range(0, columns).mapToDouble(j -> Math.sin(1 + i * 3 + j * 7)).toArray())
        .toArray(double[][]::new);
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1))
                .list()
                .layer(new DenseLayer.Builder().nIn(4).nOut(8).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(8)
                        .nOut(OUTPUTS)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }
}
