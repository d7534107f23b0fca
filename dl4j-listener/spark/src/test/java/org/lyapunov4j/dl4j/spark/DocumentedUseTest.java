// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.ProbeSet;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.nd4j.linalg.dataset.DataSet;

/** The code that docs/spark.md shows. */
class DocumentedUseTest {
  @TempDir private Path folder;

  @Test
  void foldersAreAnalysed() throws IOException {
    DataSet data = Runs.data(8, 3, 5);
    Path models = folder.resolve("models");
    Runs.save(models, Runs.network(3, 4, 1), data, 2);
    SparkConf local =
        new SparkConf()
            .setMaster("local[1]")
            .setAppName("test")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.host", "127.0.0.1")
            .set("spark.driver.bindAddress", "127.0.0.1");
    try (JavaSparkContext spark = new JavaSparkContext(local)) {
      assertThat(analyze(spark, models.toString(), folder + "/kept", data).found()).hasSize(2);
    }
  }

  private static SparkResults<CheckpointDocument> analyze(
      JavaSparkContext spark, String models, String kept, DataSet data) throws IOException {
    // snippet: spark-analyze
    SparkResults<CheckpointDocument> results =
        SparkStability.on(spark)
            .batchSize(4)
            .keep(kept)
            .progress(seen -> System.err.println(seen))
            .analyze(List.of(models), data.toMultiDataSet());
    results.refused().forEach((name, reason) -> System.err.println(name + ": " + reason));
    // end
    return results;
  }

  /** Compiled against Deeplearning4j's training on Spark, which does not run on this Spark. */
  static List<Checkpoint> train(
      SparkDl4jMultiLayer sparkNet, JavaRDD<DataSet> rdd, ProbeSet probe, int epochs) {
    // snippet: spark-training
    AnalysisSettings settings = AnalysisSettings.standard().withBatchSize(32);
    List<Checkpoint> checkpoints = new ArrayList<>();
    for (int epoch = 0; epoch < epochs; epoch++) {
      sparkNet.fit(rdd);
      checkpoints.add(StabilityAnalysis.of(sparkNet.getNetwork(), probe, settings).run());
    }
    // end
    return checkpoints;
  }
}
