// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.record.CheckpointModule;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

/** A web endpoint may return a checkpoint: any mapper writes what the record of the run holds. */
class CheckpointJsonTest {
  private static final ObjectMapper PLAIN =
      new ObjectMapper().registerModule(new CheckpointModule());

  @TempDir private Path folder;

  @Test
  void aMapperWithTheModuleWritesWhatTheRecordHolds() throws Exception {
    for (IUpdater updater : List.of(new Sgd(0.05), new Nesterovs(0.01, 0.9), new RmsProp(0.01))) {
      for (Tier tier : Tier.values()) {
        Path record = folder.resolve(updater.getClass().getSimpleName() + tier + ".jsonl");
        List<Checkpoint> history = train(updater, tier, record);
        List<JsonNode> lines =
            Files.readAllLines(record).stream()
                .map(CheckpointJsonTest::parse)
                .filter(line -> line.has("iteration") && line.has("loss"))
                .toList();
        assertThat(lines).hasSameSizeAs(history).isNotEmpty();
        for (int i = 0; i < lines.size(); i++) {
          assertThat(parse(write(history.get(i)))).isEqualTo(lines.get(i));
        }
        assertThat(parse(write(Map.of("latest", history))).get("latest")).hasSize(lines.size());
      }
    }
  }

  private static List<Checkpoint> train(IUpdater updater, Tier tier, Path record) {
    DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(updater, DataType.DOUBLE), 3, 5, 2);
    try (LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(
                AnalysisSettings.of(tier)
                    .withSeed(0)
                    .withAnalyzer(settings -> settings.maxEpochs(4)))
            .frequency(2)
            .record(record)
            .build()) {
      network.setListeners(listener);
      data.batchBy(4).forEach(network::fit);
      assertThat(listener.failures()).isZero();
      return listener.history();
    }
  }

  private static String write(Object value) {
    try {
      return PLAIN.writeValueAsString(value);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static JsonNode parse(String json) {
    try {
      return PLAIN.readTree(json);
    } catch (Exception e) {
      throw new AssertionError(json, e);
    }
  }
}
