// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;

/** In one JVM; what more of them change is the subject of the cluster test. */
class SparkStabilityTest {
  private static final DataSet DATA = Runs.data(12, 3, 5);
  private static JavaSparkContext spark;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    spark =
        new JavaSparkContext(
            new SparkConf()
                .setMaster("local[2]")
                .setAppName("test")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1")
                // the stricter of Spark's serialisers, which a host may have chosen
                .set("spark.serializer", "org.apache.spark.serializer.KryoSerializer"));
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static SparkStability stability() {
    return SparkStability.on(spark)
        .batchSize(Runs.BATCH)
        .tier(Tier.ECONOMY)
        .seed(3)
        .maxEpochs(Runs.EPOCHS);
  }

  @Test
  void checkpointsOfAFolderAreThoseOfOneJvm() throws IOException {
    List<Path> models = Runs.save(folder, Runs.network(3, 6, 1), DATA, 3);
    for (Tier tier : List.of(Tier.ECONOMY, Tier.FULL)) {
      SparkResults<CheckpointDocument> results =
          stability().tier(tier).analyze(List.of(folder.toString()), DATA.toMultiDataSet());
      assertThat(results.complete()).isTrue();
      assertThat(results.refused()).isEmpty();
      List<CheckpointDocument> found = List.copyOf(results.found().values());
      assertThat(found).hasSize(3);
      for (int i = 0; i < 3; i++) {
        assertThat(Runs.numbers(found.get(i)))
            .isEqualTo(Runs.numbers(Runs.alone(models.get(i), DATA, tier, 3)));
      }
    }
  }

  @Test
  void damagedModelsAreNamedAndTheOthersGoOn() throws IOException {
    List<Path> models = Runs.save(folder, Runs.network(3, 6, 1), DATA, 3);
    byte[] whole = Files.readAllBytes(models.get(1));
    Files.write(models.get(1), java.util.Arrays.copyOf(whole, whole.length / 2));
    Files.writeString(folder.resolve("note.zip"), "no archive");
    ModelSerializer.writeModel(Runs.network(5, 6, 1), folder.resolve("other.zip").toFile(), true);
    SparkResults<CheckpointDocument> results =
        stability().analyze(List.of(folder.toString()), DATA.toMultiDataSet());
    assertThat(results.complete()).isTrue();
    assertThat(results.found().keySet()).anyMatch(name -> name.startsWith("model-0"));
    assertThat(results.found()).hasSize(2);
    assertThat(results.refused()).hasSize(3);
    assertThat(results.refused().values())
        .anyMatch(reason -> reason.contains("model-1.zip") && reason.contains("writeModel"))
        .anyMatch(reason -> reason.contains("note.zip") && reason.contains("coefficients.bin"))
        .anyMatch(reason -> reason.contains("other.zip") && reason.contains("3"));
  }

  @Test
  void aGridIsThatOfOneJvm() throws IOException {
    GramMatrix wide = gram();
    float[][] rows = new float[wide.size()][wide.size()];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < rows.length; j++) {
        rows[i][j] = (float) wide.get(i, j);
      }
    }
    GramMatrix narrow = GramMatrix.adopt(rows, wide.examples(), wide.outputs());
    for (GramMatrix gram : List.of(wide, narrow)) {
      List<Double> rates = List.of(0.01, 0.1, 0.3);
      for (List<Integer> batches : List.of(List.of(4), List.of(2, 4, 12))) {
        SparkResults<CheckpointDocument> results =
            stability().tier(Tier.STANDARD).whatIf(gram, SgdStep.of(0, 1), rates, batches);
        Function<SgdStep, StabilityReport> alone =
            StabilityAnalyzer.builder()
                .tier(Tier.STANDARD)
                .seed(3)
                .threads(1)
                .maxEpochs(Runs.EPOCHS)
                .build()
                .on(gram);
        assertThat(results.found()).hasSize(rates.size() * batches.size());
        for (int batch : batches) {
          for (double rate : rates) {
            assertThat(results.found().get("rate-" + rate + "-batch-" + batch))
                .isEqualTo(CheckpointDocument.of(alone.apply(SgdStep.of(rate, batch))));
          }
        }
      }
    }
  }

  @Test
  void membersOfAnEnsembleAreThoseOfOneJvm() throws IOException {
    MultiLayerNetwork network = Runs.network(3, 6, 2);
    network.fit(DATA);
    DataSet other = Runs.data(9, 3, 17);
    SparkResults<CheckpointDocument> results =
        stability()
            .ensemble(network, List.of(DATA.toMultiDataSet(), other.toMultiDataSet()), 1, -2);
    assertThat(results.found().keySet())
        .containsExactly("probe-0-seed-1", "probe-0-seed--2", "probe-1-seed-1", "probe-1-seed--2");
    results
        .found()
        .forEach(
            (name, line) ->
                assertThat(Runs.numbers(line))
                    .isEqualTo(
                        Runs.numbers(
                            Runs.alone(
                                network,
                                name.startsWith("probe-0") ? DATA : other,
                                Tier.ECONOMY,
                                name.endsWith("-1") ? 1 : -2))));
  }

  @Test
  void trajectoriesAreThoseOfOneJvm() throws IOException {
    GramMatrix gram = gram();
    SgdStep step = SgdStep.of(0.1, 4);
    SparkResults<CheckpointDocument> results = stability().trajectories(gram, step, 40, 8, 7, 8, 9);
    assertThat(results.refused()).isEmpty();
    for (long seed = 7; seed < 10; seed++) {
      assertThat(results.found().get("seed-" + seed))
          .isEqualTo(
              CheckpointDocument.of(
                  FiniteTimeEstimator.builder()
                      .seed(seed)
                      .threads(1)
                      .trajectories(8)
                      .build()
                      .estimate(gram, step, 40)));
    }
  }

  @Test
  void whatIsKeptIsNotComputedAgain() throws IOException {
    List<Path> models = Runs.save(folder.resolve("models"), Runs.network(3, 6, 1), DATA, 4);
    Path kept = folder.resolve("kept");
    List<String> places = models.stream().map(Path::toString).toList();
    SparkStability cut = stability().keep(kept.toString());
    List<SparkStability.Progress> seen = new ArrayList<>();
    SparkResults<CheckpointDocument> first =
        cut.progress(seen::add)
            .cancelled(() -> !seen.isEmpty())
            .analyze(places, DATA.toMultiDataSet());
    assertThat(first.complete()).isFalse();
    assertThat(first.found()).isNotEmpty().hasSizeLessThan(4);
    assertThat(results(kept)).hasSameSizeAs(first.found().keySet());

    SparkResults<CheckpointDocument> second =
        stability().keep(kept.toString()).analyze(places, DATA.toMultiDataSet());
    assertThat(second.complete()).isTrue();
    assertThat(second.found()).hasSize(4).containsAllEntriesOf(first.found());
    // a torn file of a driver that died while it wrote is no result
    Files.writeString(kept.resolve("_torn.json"), "{");
    Map<String, byte[]> before = contents(kept);
    List<SparkStability.Progress> again = new ArrayList<>();
    SparkResults<CheckpointDocument> third =
        stability()
            .keep(kept.toString())
            .progress(again::add)
            .analyze(places, DATA.toMultiDataSet());
    // times would differ had they been computed again
    assertThat(third.found()).isEqualTo(second.found());
    assertThat(contents(kept)).containsExactlyInAnyOrderEntriesOf(before);
    assertThat(again.get(3)).isEqualTo(new SparkStability.Progress(again.get(3).latest(), 4, 0, 4));

    assertThatThrownBy(
            () -> stability().seed(4).keep(kept.toString()).analyze(places, DATA.toMultiDataSet()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("seed 4")
        .hasMessageContaining("seed 3")
        .hasMessageContaining("another folder");
  }

  @Test
  void wrongUseIsRefusedAtOnce() throws IOException {
    assertThatThrownBy(() -> stability().batchSize(0)).hasMessageContaining("at least 1, got 0");
    assertThatThrownBy(() -> stability().maxEpochs(-1)).hasMessageContaining("at least 1, got -1");
    assertThatThrownBy(() -> stability().keep(" ")).hasMessageContaining("got ' '");
    assertThatThrownBy(() -> SparkStability.on(spark).analyze(List.of("x"), DATA.toMultiDataSet()))
        .hasMessageContaining("call batchSize(B)");
    assertThatThrownBy(
            () -> stability().analyze(List.of(folder + "/nowhere"), DATA.toMultiDataSet()))
        .hasMessageContaining("nowhere")
        .hasMessageContaining("check the path");
    assertThatThrownBy(() -> stability().analyze(List.of(folder.toString()), DATA.toMultiDataSet()))
        .hasMessageContaining(".zip files")
        .hasMessageContaining(folder.toString());
    assertThatThrownBy(
            () -> stability().ensemble(Runs.network(3, 6, 2), List.of(DATA.toMultiDataSet())))
        .hasMessageContaining("seeds must be at least one");
  }

  private static GramMatrix gram() {
    Runs.oneNativeThread();
    return StabilityAnalysis.of(Runs.network(3, 6, 2), DATA).gram().gram();
  }

  private static List<String> results(Path kept) throws IOException {
    return contents(kept).keySet().stream().filter(name -> name.matches("model.*json")).toList();
  }

  private static Map<String, byte[]> contents(Path kept) throws IOException {
    Map<String, byte[]> contents = new java.util.TreeMap<>();
    try (Stream<Path> files = Files.list(kept)) {
      for (Path file : files.toList()) {
        contents.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return contents;
  }
}
