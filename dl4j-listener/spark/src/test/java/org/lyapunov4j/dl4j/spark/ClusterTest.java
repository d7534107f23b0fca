// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;

/** Executors and drivers in processes of their own, all on this machine. */
@Tag("programs")
class ClusterTest {
  private static final DataSet DATA = Runs.data(40, 3, 5);
  private static final int MODELS = 8;

  @TempDir private Path folder;

  @Test
  void aLostExecutorAndADamagedModelChangeNothingElse() throws Exception {
    List<Path> models = Runs.save(folder.resolve("models"), Runs.network(3, 6, 1), DATA, MODELS);
    Files.write(models.get(2), Arrays.copyOf(Files.readAllBytes(models.get(2)), 300));
    List<ProcessHandle> killed = new ArrayList<>();
    SparkResults<CheckpointDocument> results;
    try (Cluster cluster = new Cluster(folder.resolve("spark"));
        JavaSparkContext spark =
            new JavaSparkContext(cluster.configuration("local-cluster[2,1,1024]"))) {
      results =
          SparkStability.on(spark)
              .batchSize(Runs.BATCH)
              .tier(Tier.STANDARD)
              .seed(3)
              .maxEpochs(Runs.EPOCHS)
              .progress(
                  progress -> {
                    if (killed.isEmpty() && Cluster.executors().size() == 2) {
                      killed.add(Cluster.executors().get(0));
                      killed.get(0).destroyForcibly();
                    }
                  })
              .analyze(List.of(folder.resolve("models").toString()), DATA.toMultiDataSet());
    }
    assertThat(killed).hasSize(1).noneMatch(ProcessHandle::isAlive);
    assertThat(results.complete()).isTrue();
    assertThat(results.refused()).hasSize(1);
    assertThat(results.refused().values()).first().asString().contains("model-2.zip");
    List<Path> whole = new ArrayList<>(models);
    whole.remove(2);
    List<CheckpointDocument> found = List.copyOf(results.found().values());
    assertThat(found).hasSize(MODELS - 1);
    for (int i = 0; i < whole.size(); i++) {
      assertThat(Runs.numbers(found.get(i)))
          .isEqualTo(Runs.numbers(Runs.alone(whole.get(i), DATA, Tier.STANDARD, 3)));
    }
  }

  @Test
  void aStandaloneClusterDrawsTheGridOfOneJvm() throws Exception {
    GramMatrix gram = StabilityAnalysis.of(Runs.network(3, 6, 2), DATA).gram().gram();
    List<Double> rates = List.of(0.01, 0.1);
    List<Integer> batches = List.of(2, 8, 20, 40);
    SparkResults<CheckpointDocument> results;
    try (Cluster cluster = new Cluster(folder.resolve("spark"))) {
      String master = cluster.standalone(freePort(), 2);
      try (JavaSparkContext spark =
          new JavaSparkContext(cluster.configuration(master).set("spark.cores.max", "2"))) {
        results =
            SparkStability.on(spark)
                .tier(Tier.STANDARD)
                .seed(3)
                .maxEpochs(Runs.EPOCHS)
                .whatIf(gram, SgdStep.of(0, 1), rates, batches);
      }
    }
    Function<SgdStep, StabilityReport> alone =
        StabilityAnalyzer.builder().seed(3).threads(1).maxEpochs(Runs.EPOCHS).build().on(gram);
    assertThat(results.refused()).isEmpty();
    assertThat(results.found()).hasSize(8);
    for (int batch : batches) {
      for (double rate : rates) {
        assertThat(results.found().get("rate-" + rate + "-batch-" + batch))
            .isEqualTo(CheckpointDocument.of(alone.apply(SgdStep.of(rate, batch))));
      }
    }
  }

  @Test
  void aDriverThatIsStartedAgainKeepsWhatWasDone() throws Exception {
    Runs.save(folder.resolve("models"), Runs.network(3, 6, 1), DATA, MODELS);
    Path data = folder.resolve("data.bin");
    DATA.save(data.toFile());
    Path kept = folder.resolve("kept");
    String[] args = {
      "analyze",
      "--models",
      folder.resolve("models").toString(),
      "--data",
      data.toString(),
      "--batch-size",
      "4",
      "--keep",
      kept.toString()
    };
    try (Cluster cluster = new Cluster(folder.resolve("spark"))) {
      Process first = cluster.driver(folder.resolve("first.log"), args);
      while (first.isAlive() && results(kept).size() < 2) {
        Thread.sleep(5);
      }
      first.destroyForcibly().waitFor();
      Map<String, String> before = results(kept);
      assertThat(before).hasSizeBetween(2, MODELS - 1);

      Process second = cluster.driver(folder.resolve("second.log"), args);
      assertThat(second.waitFor(5, TimeUnit.MINUTES)).isTrue();
      assertThat(Files.readString(folder.resolve("second.log")))
          .contains(MODELS + " results in " + kept + ", 0 refused");
      assertThat(second.exitValue()).isZero();
      // their times would differ had they been computed again
      assertThat(results(kept)).hasSize(MODELS).containsAllEntriesOf(before);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static Map<String, String> results(Path kept) throws IOException {
    Map<String, String> results = new TreeMap<>();
    if (Files.isDirectory(kept)) {
      try (Stream<Path> files = Files.list(kept)) {
        for (Path file :
            files.filter(one -> one.getFileName().toString().matches("model.*json")).toList()) {
          results.put(file.getFileName().toString(), Files.readString(file));
        }
      }
    }
    return results;
  }
}
