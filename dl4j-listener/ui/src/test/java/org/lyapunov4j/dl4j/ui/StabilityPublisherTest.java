// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.core.storage.Persistable;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.ui.model.storage.FileStatsStorage;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StabilityPublisherTest {
  @Test
  void checkpointsOfOneMillisecondAreAllKept() {
    StatsStorage storage = new InMemoryStatsStorage();
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    for (int i = 0; i < 5; i++) {
      publisher.accept(Checkpoints.of("run", 100, -0.1, 1 + i));
    }

    List<Persistable> updates = storage.getAllUpdatesAfter("s", StabilityUpdate.TYPE_ID, "run", -1);
    assertThat(updates).hasSize(5);
    assertThat(updates.get(0).getTimeStamp())
        .isEqualTo(Checkpoints.START.plusSeconds(100).toEpochMilli());
    assertThat(updates.get(4).getTimeStamp()).isEqualTo(updates.get(0).getTimeStamp() + 4);
  }

  @Test
  void aFileKeepsWhatWasPublished(@TempDir Path folder) throws IOException {
    String odd = "# run @@@ &&& <b>\"1\"</b>";
    StatsStorage written = new FileStatsStorage(folder.resolve("stats.db").toFile());
    StabilityPublisher publisher = new StabilityPublisher(written, "session");
    for (int i = 1; i <= 3; i++) {
      publisher.accept(Checkpoints.of(odd, i, -0.1, i, Double.NaN));
    }
    new StabilityPublisher(written, "other").accept(Checkpoints.of("run-1", 7, 1, 1));
    written.close();

    StatsStorage read = new FileStatsStorage(folder.resolve("stats.db").toFile());
    History history = new History();
    history.attach(read);
    JsonNode runs = history.runs().get("runs");
    assertThat(runs.findValuesAsText("run")).containsExactly("run-1", odd);
    String worker = runs.get(1).get("worker").textValue();
    assertThat(history.after("session", worker, -1).get("checkpoints").toString())
        .contains("\"iteration\":1", "\"iteration\":2", "\"iteration\":3", "\"loss\":null");
    read.close();
  }

  @Test
  void aSessionThatNoFileCouldKeepIsRefused() {
    StatsStorage storage = new InMemoryStatsStorage();
    for (String session : List.of(" ", "a#b", "a@@@b")) {
      assertThatThrownBy(() -> new StabilityPublisher(storage, session))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'" + session + "'");
    }
    assertThat(new StabilityPublisher(storage).session())
        .isNotEqualTo(new StabilityPublisher(storage).session());
  }
}
