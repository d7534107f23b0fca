// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;

/** The page gets every entry of a document, and says of every field what it means. */
class UiIsCompleteTest {
  private static final List<Checkpoint> CHECKPOINTS =
      List.of(Checkpoints.of("r", 20, 0.25, 3), Checkpoints.bounded("r", 1, -3e-9, 1));

  @Test
  void everyEntryIsSent() throws Exception {
    for (Checkpoint checkpoint : CHECKPOINTS) {
      CheckpointDocument document = CheckpointDocument.of(checkpoint);
      JsonNode point = sent(checkpoint);
      Set<String> keys =
          document.entries().stream()
              .map(Entry::key)
              .collect(Collectors.toCollection(TreeSet::new));
      Set<String> sent = new TreeSet<>();
      point.get("document").fieldNames().forEachRemaining(sent::add);
      assertThat(sent).isEqualTo(keys);
      assertThat(point.get("document").get("criticalLearningRate.low").doubleValue())
          .isEqualTo(document.number("criticalLearningRate.low"));
      assertThat(texts(point.get("cautions"))).isEqualTo(document.cautions()).isNotEmpty();
    }
  }

  @Test
  void whyThereAreBoundsAloneIsSent() throws Exception {
    assertThat(texts(sent(CHECKPOINTS.get(1)).get("cautions")))
        .contains("dropout was off", "λ is only bounded: lost in rounding");
  }

  @Test
  void everyFieldIsExplained() {
    assertThat(Point.fields())
        .extracting(field -> field.get("key"))
        .containsExactlyElementsOf(
            CheckpointDocument.fields().stream().map(CheckpointDocument.Field::key).toList());
  }

  private static JsonNode sent(Checkpoint checkpoint) throws Exception {
    return Json.parse(StabilityUpdate.of("s", 1, checkpoint).encode()).get("checkpoint");
  }

  private static List<String> texts(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::textValue).toList();
  }
}
