// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * What docs/guide.md says of bits: equal for one number of native threads, near for another. In
 * processes of their own, because OpenBLAS crashes when it gets more threads than it began with.
 */
class ThreadCountTest {
  @TempDir private Path folder;

  @Test
  void oneNumberOfThreadsGivesTheSameBitsAndAnotherNearOnes() throws Exception {
    String[] one = numbers(1);
    String[] two = numbers(2);
    assertThat(numbers(1)).isEqualTo(one);
    double sharpness = Double.parseDouble(one[1]);
    assertThat(Double.parseDouble(two[1])).isCloseTo(sharpness, within(1e-13 * sharpness));
    assertThat(Double.parseDouble(two[2]))
        .isCloseTo(Double.parseDouble(one[2]), within(1e-6 * Double.parseDouble(one[3])));
  }

  private String[] numbers(int threads) throws Exception {
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-cp",
                System.getProperty("java.class.path"),
                ThreadCountTest.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().put("OMP_NUM_THREADS", String.valueOf(threads));
    Process process = builder.start();
    try {
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
    String last = lines.get(lines.size() - 1);
    assertThat(last).startsWith("numbers ");
    return last.substring("numbers ".length()).split(" ", -1);
  }

  /** Prints the hash of a Gram matrix, its sharpness, λ and the error of λ. */
  public static void main(String[] args) {
    DataSet data = Networks.data(5, 100, 30, 2, DataType.DOUBLE);
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(new Sgd(0.01), DataType.DOUBLE), 30, 64, 2);
    try (NtkGram engine = NtkGram.builder(network).probe(data).build()) {
      GramMatrix gram = engine.compute(network.params()).gram();
      StabilityReport report =
          StabilityAnalyzer.builder().maxEpochs(4).build().analyze(gram, SgdStep.of(0.01, 10));
      System.out.println(
          "numbers "
              + Arrays.deepHashCode(gram.toArray())
              + " "
              + report.sharpness()
              + " "
              + report.exponent().point().orElseThrow()
              + " "
              + report.exponent().error().orElseThrow());
    }
  }
}
