// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.nd4j.linalg.dataset.DataSet;

class SparkMainTest {
  @TempDir private Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void wrongUsageIsNamedBeforeAJobStarts() throws IOException {
    refused("must be analyze or what-if, got nothing");
    refused("must be analyze or what-if, got gram", "gram");
    refused("got --model", "analyze", "--model", "x");
    refused("--models must be followed by a value", "analyze", "--models", "--data");
    refused("analyze needs --keep", "analyze --models m --data d --batch-size 4".split(" "));
    refused("given once", "analyze --data a --data b".split(" "));
    String grid = "what-if --model m --data d --keep k ";
    refused(
        "--learning-rates must be finite numbers above 0, got '-1'",
        (grid + "--learning-rates 0.1,-1 --batch-sizes 4").split(" "));
    refused(
        "--batch-sizes must be whole numbers of at least 1, got ''",
        (grid + "--learning-rates 0.1 --batch-sizes 4,").split(" "));
    refused(
        "--tier must be economy, standard or full, got 'fast'",
        (grid + "--learning-rates 0.1 --batch-sizes 4 --tier fast").split(" "));
    refused(
        "sampling must be one of",
        (grid + "--learning-rates 0.1 --batch-sizes 4 --sampling x").split(" "));
  }

  @Test
  void theDefaultSeedIsThatOfTheListener() throws IOException {
    assertThat(run(new SparkConf(false))).isEqualTo(SparkMain.USAGE);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .containsPattern("--seed +default " + AnalysisSettings.standard().seed() + "\n");
  }

  private void refused(String message, String... args) throws IOException {
    err.reset();
    // a context without a master could not start
    assertThat(run(new SparkConf(false), args)).isEqualTo(SparkMain.USAGE);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains(message).contains("usage: analyze");
  }

  @Test
  void modelsAndGridsAreKeptInFiles() throws IOException {
    DataSet data = Runs.data(8, 3, 5);
    Path model = Runs.save(folder.resolve("models"), Runs.network(3, 4, 1), data, 1).get(0);
    Files.writeString(folder.resolve("models/broken.zip"), "no archive");
    Path examples = folder.resolve("data.bin");
    data.save(examples.toFile());
    SparkConf local =
        new SparkConf()
            .setMaster("local[1]")
            .setAppName("test")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.host", "127.0.0.1")
            .set("spark.driver.bindAddress", "127.0.0.1");
    String common = " --data " + examples + " --tier economy --max-epochs 100 --keep " + folder;
    String analyze = "analyze --batch-size 4 --models " + model.getParent() + common + "/a";
    assertThat(run(local, analyze.split(" "))).isEqualTo(SparkMain.REFUSED);
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("1 results in").contains("1 refused");
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("broken.zip");

    String grid =
        "what-if --learning-rates 0.1,0.2 --batch-sizes 2 --model " + model + common + "/g";
    assertThat(run(local, grid.split(" "))).isZero();
    assertThat(folder.resolve("g/rate-0.2-batch-2.json")).content().contains("\"verdict\"");
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("2 of 2, 0 refused");
  }

  private int run(SparkConf configuration, String... args) throws IOException {
    return SparkMain.run(
        args,
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        configuration);
  }
}
