// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenMetricsFileTest {
  @TempDir private Path folder;

  @Test
  void everyCheckpointHasALineWithItsOwnTime() throws Exception {
    Path file = folder.resolve("run.om");
    OpenMetricsFile.write(
        file, List.of(MetricsSinkTest.checkpoint(0.2), MetricsSinkTest.checkpoint(1.5)));

    List<String> lines = Files.readAllLines(file);

    assertThat(lines).last().isEqualTo("# EOF");
    assertThat(lines)
        .containsSubsequence(
            "# TYPE lyapunov_learning_rate gauge",
            "# HELP lyapunov_learning_rate Learning rate η of the step that was analysed",
            "lyapunov_learning_rate{run=\"a\"} 0.2 1767225600.000",
            "lyapunov_learning_rate{run=\"a\"} 1.5 1767225600.000");
    assertThat(lines)
        .contains("lyapunov_verdict_state{run=\"a\",state=\"unstable\"} 1.0 1767225600.000");
    assertThat(lines).noneMatch(line -> !line.startsWith("#") && line.contains("NaN"));
  }

  /** OpenMetrics wants the lines of one metric together. */
  @Test
  void familiesAreNotInterleaved() throws Exception {
    Path file = folder.resolve("run.om");
    OpenMetricsFile.write(file, List.of(MetricsSinkTest.checkpoint(0.2)));
    String family = "";
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith("# TYPE ")) {
        family = line.substring("# TYPE ".length(), line.lastIndexOf(" "));
      } else if (!line.startsWith("#")) {
        assertThat(line).startsWith(family + "{");
      }
    }
  }

  @Test
  void aFolderThatIsNotThereIsAnError() {
    assertThatThrownBy(() -> OpenMetricsFile.write(folder.resolve("no/run.om"), List.of()))
        .isInstanceOf(UncheckedIOException.class);
  }
}
