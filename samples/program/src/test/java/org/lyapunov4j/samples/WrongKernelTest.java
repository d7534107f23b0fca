// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.samples.io.ArrayFile;
import org.lyapunov4j.samples.io.NpyFile;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The packaged program with the OpenBLAS that ND4J brings ahead of its own, and those kernels of it
 * that are wrong. They need a processor with AVX-512, the second ones with bfloat16 as well.
 */
@Tag("programs")
class WrongKernelTest {
  private static final Path KERNELS = Path.of("../../core/src/test/resources/org/lyapunov4j/ntk");

  @TempDir private Path folder;

  @BeforeAll
  static void theProgramIsPackaged() {
    assertThat(Path.of(System.getProperty("lyapunov4j.jar")))
        .as("the packaged program; run `mvn package` before")
        .exists();
  }

  @ParameterizedTest
  @CsvSource({
    "SKYLAKEX, g04.npy, 4",
    "SKYLAKEX, g18.npy, 4",
    "COOPERLAKE, g04.npy, 4",
    "COOPERLAKE, g10.npy, 4"
  })
  void theNumbersAreThoseMadeOutsideThisProject(String kernel, String file, int batchSize)
      throws IOException, InterruptedException {
    JsonNode known = known(file, batchSize);
    JsonNode below = known.get("cases").get(1);

    JsonNode found =
        json(
            kernel,
            0,
            "exponent",
            "--gram=" + KERNELS.resolve(file),
            "--outputs=" + known.get("outputs"),
            "--learning-rate=" + below.get("eta"),
            "--batch-size=" + batchSize,
            "--tier=standard");

    double meanSquareRate = known.get("etaMeanSquare").doubleValue();
    double criticalLow = known.get("etaCriticalLow").doubleValue();
    double criticalHigh = known.get("etaCriticalHigh").doubleValue();
    assertThat(found.at("/meanSquare/criticalLearningRate").doubleValue())
        .isCloseTo(meanSquareRate, within(2e-3 * meanSquareRate));
    assertThat(found.at("/meanSquare/exponent").doubleValue()).isNegative();
    assertThat(found.at("/verdict").textValue()).isEqualTo("STABLE");
    // two 95 % intervals, which may miss each other by a little
    assertThat(found.at("/criticalLearningRate/low").doubleValue()).isLessThan(1.01 * criticalHigh);
    assertThat(found.at("/criticalLearningRate/high").doubleValue())
        .isGreaterThan(0.99 * criticalLow);
    assertThat(found.at("/remarks/0").textValue())
        .contains("eigendecomposition", "LAPACK's dsyevd", "took its place");
    assertThat(Files.readString(folder.resolve("err")))
        .containsOnlyOnce("OpenBLAS 0.3.19, " + kernel + " kernels")
        .contains("OPENBLAS_CORETYPE=HASWELL");
  }

  private static JsonNode known(String file, int batchSize) throws IOException {
    for (JsonNode row :
        new ObjectMapper().readTree(KERNELS.resolve("exponents.json").toFile()).get("rows")) {
      if (row.get("gram").textValue().equals(file)
          && row.get("batchSize").intValue() == batchSize) {
        return row;
      }
    }
    throw new AssertionError("no row " + file + " " + batchSize);
  }

  /** f = w·x + b, so that G_ij = x_i·x_j + 1. */
  @Test
  void theGramMatrixOfWrongProductsIsFormedAgain() throws IOException, InterruptedException {
    int examples = 400;
    double[][] x = new double[examples][300];
    RandomStream random = new RandomStream(5);
    for (double[] row : x) {
      for (int p = 0; p < row.length; p++) {
        row[p] = random.nextGaussian();
      }
    }
    NpyFile.write(folder.resolve("X.npy"), x);
    NpyFile.write(folder.resolve("Y.npy"), new double[examples][1]);
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .dataType(DataType.DOUBLE)
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(300)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    network.save(folder.resolve("model.zip").toFile());

    JsonNode found =
        json(
            "COOPERLAKE",
            0,
            "gram",
            "--plain",
            "--model=" + folder.resolve("model.zip"),
            "--features=" + folder.resolve("X.npy"),
            "--labels=" + folder.resolve("Y.npy"),
            "--out=" + folder.resolve("G.npy"));

    assertThat(found.get("assumptions").toString()).contains("Java took their place");
    double[][] gram = ArrayFile.readMatrix(folder.resolve("G.npy").toString()).doubles();
    for (int i = 0; i < examples; i++) {
      for (int j = 0; j < examples; j++) {
        double expected = 1;
        for (int p = 0; p < 300; p++) {
          expected += x[i][p] * x[j][p];
        }
        assertThat(gram[i][j]).isCloseTo(expected, within(1e-10));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"SKYLAKEX, 'LAPACK''s dsyevd, eigenvectors'", "COOPERLAKE, 'ND4J''s gemm, DOUBLE'"})
  void theDoctorFindsIt(String kernel, String routine) throws IOException, InterruptedException {
    JsonNode found = json(kernel, 1, "doctor");

    assertThat(found.get("openBlas").textValue()).isEqualTo("OpenBLAS 0.3.19");
    assertThat(found.get("kernel").textValue()).isEqualTo(kernel);
    assertThat(found.get("right").booleanValue()).isFalse();
    assertThat(found.get("routines"))
        .filteredOn(node -> node.get("name").textValue().equals(routine))
        .singleElement()
        .satisfies(node -> assertThat(node.get("wrongAt")).isNotEmpty());
  }

  private JsonNode json(String kernel, int status, String... arguments)
      throws IOException, InterruptedException {
    Path cpu = Path.of("/proc/cpuinfo");
    String flag = kernel.equals("SKYLAKEX") ? " avx512f" : " avx512_bf16";
    assumeTrue(
        Files.isReadable(cpu) && Files.readString(cpu).contains(flag), "a processor with" + flag);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", classPath(), "org.lyapunov4j.samples.Main"));
    command.addAll(List.of(arguments));
    command.add("--format=json");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile());
    builder.environment().put("OPENBLAS_CORETYPE", kernel);
    assertThat(builder.start().waitFor())
        .as(Files.readString(folder.resolve("err")))
        .isEqualTo(status);
    return new ObjectMapper().readTree(folder.resolve("out").toFile());
  }

  /** ND4J's own OpenBLAS, then the program. */
  private static String classPath() throws IOException {
    try (Stream<Path> older = Files.list(Path.of(System.getProperty("lyapunov4j.olderOpenBlas")))) {
      return Stream.concat(
              older.sorted().map(Path::toString), Stream.of(System.getProperty("lyapunov4j.jar")))
          .reduce((a, b) -> a + File.pathSeparator + b)
          .orElseThrow();
    }
  }
}
