// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Section;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;
import org.lyapunov4j.dl4j.checkpoint.SampleCheckpoints;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.LyapunovSpectrum;

/** A record leaves nothing out: what is read back is the document of the checkpoint. */
class RecordIsCompleteTest {
  @TempDir private Path folder;

  @Test
  void everyEntryIsReadBack() throws IOException {
    for (Checkpoint checkpoint : SampleCheckpoints.all()) {
      CheckpointDocument document = CheckpointDocument.of(checkpoint);
      byte[] line = Json.line(new CheckpointLine(document)).getBytes(StandardCharsets.UTF_8);
      assertThat(Json.readLine(line)).isEqualTo(new CheckpointLine(document));
    }
  }

  /** Where it lies in the line: what was found under stability, if there are λ and a verdict. */
  @Test
  void everyEntryIsUnderItsKey() throws IOException {
    for (Checkpoint checkpoint : SampleCheckpoints.all()) {
      CheckpointDocument document = CheckpointDocument.of(checkpoint);
      JsonNode line = new ObjectMapper().readTree(Json.line(new CheckpointLine(document)));
      assertThat(line.get("type").textValue())
          .isEqualTo(document.hasStability() ? "checkpoint" : "observation");
      for (Entry entry : document.entries()) {
        boolean nested = document.hasStability() && entry.field().section() == Section.FINDINGS;
        String path = "/" + (nested ? "stability/" : "") + entry.key().replace('.', '/');
        assertThat(line.at(path).isMissingNode()).as(path).isFalse();
      }
    }
  }

  /** An analysis of a matrix, as the command line prints it. */
  @Test
  void aDocumentWithoutACheckpointHasItsEntriesAtTheTop() throws IOException {
    LyapunovSpectrum some =
        new LyapunovSpectrum(List.of(Estimate.exact(-0.1)), 7, 1, Estimate.exact(-9), 50);
    CheckpointDocument document =
        CheckpointDocument.of(
            SampleCheckpoints.estimated().stability(),
            0.5,
            Optional.of(some),
            List.of(),
            Optional.empty());
    JsonNode json = new ObjectMapper().readTree(Json.pretty(document));
    for (Entry entry : document.entries()) {
      assertThat(json.at("/" + entry.key().replace('.', '/')).isMissingNode())
          .as(entry.key())
          .isFalse();
    }
    assertThat(json.at("/spectrum/incomplete").textValue()).contains("1 of 7");
  }

  /** The sink by itself, without a listener. */
  @Test
  void aSinkWritesARunThatIsReadBack() throws IOException {
    Path file = folder.resolve("run.jsonl");
    List<Checkpoint> checkpoints = SampleCheckpoints.all();
    try (RecordSink sink = RecordSink.at(file)) {
      sink.begin(new RunInfo("run", 8, "0f", 3, () -> checkpoints.get(0).time()));
      sink.watch(new ModelInfo("model", 7, "DOUBLE", 1, 30, checkpoints.get(0).step()));
      for (Checkpoint checkpoint : checkpoints) {
        sink.accept(checkpoint);
      }
      sink.end(new ListenerStatus("run", ListenerStatus.State.CLOSED, "", 6, 1, 2, 3, 4));
    }
    RunRecord record = RunRecord.read(file);
    assertThat(record.unreadable()).isZero();
    assertThat(record.run().orElseThrow().parameters()).isEqualTo(7);
    assertThat(record.checkpoints())
        .containsExactlyElementsOf(
            checkpoints.stream()
                .filter(Checkpoint::hasStability)
                .map(CheckpointDocument::of)
                .toList());
    assertThat(record.observations()).hasSize(3);
    EndLine end = record.end().orElseThrow();
    assertThat(List.of(end.checkpoints(), end.skipped(), end.cancelled(), end.failed()))
        .containsExactly(6L, 1L, 2L, 3L);
  }
}
