// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.notebooks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The notebooks as they are in the repository, and as the real kernel runs them. */
class NotebooksTest {
  private static final Path NOTEBOOKS = Path.of("").toAbsolutePath();
  private static final Path PROGRAM =
      NOTEBOOKS.resolve("../program/target/lyapunov4j.jar").normalize();
  private static final long LARGEST = 500_000;

  /** Characters that a cell shows without a scroll bar. */
  private static final int WIDEST = 90;

  @TempDir private Path folder;

  static List<Path> notebooks() throws IOException {
    try (Stream<Path> files = Files.list(NOTEBOOKS)) {
      return files.filter(file -> file.toString().endsWith(".ipynb")).sorted().toList();
    }
  }

  @Test
  void thereAreFive() throws IOException {
    assertThat(notebooks()).hasSize(5);
  }

  @ParameterizedTest
  @MethodSource("notebooks")
  void isCommittedWithWholeOutputsAndNothingOfTheMachine(Path notebook) throws IOException {
    assertThat(Files.size(notebook)).isLessThan(LARGEST);
    JsonNode content = new ObjectMapper().readTree(notebook.toFile());
    assertThat(content.at("/metadata/kernelspec/name").asText()).isEqualTo("lyapunov4j");
    assertThat(kindsOfOutputs(content)).contains("image/png").doesNotContain("error");
    NotebookClaims.require(notebook.getFileName().toString(), printed(content));
    int executed = 0;
    for (JsonNode cell : content.get("cells")) {
      if (cell.get("cell_type").asText().equals("code")) {
        executed++;
        assertThat(cell.get("execution_count").asInt()).isEqualTo(executed);
        assertThat(cell.get("metadata").has("execution")).as("times").isFalse();
        assertThat(cell.get("outputs").toString())
            .doesNotContain("file:", "/home/", "/root/", "\"stderr\"");
      }
    }
  }

  /** As Jupyter 6 and 7, Lab and nbconvert show them. */
  @ParameterizedTest
  @MethodSource("notebooks")
  void hasNoLineThatIsCutAndNoTableThatFallsApart(Path notebook) throws IOException {
    JsonNode content = new ObjectMapper().readTree(notebook.toFile());
    for (JsonNode cell : content.get("cells")) {
      List<String> lines = text(cell.get("source")).lines().toList();
      if (cell.get("cell_type").asText().equals("code")) {
        assertThat(lines).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(WIDEST));
      } else {
        assertThat(lines)
            .as("Jupyter 6 squeezes tables of formulas")
            .noneMatch(line -> line.startsWith("|"));
      }
    }
    assertThat(printed(content).lines())
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(WIDEST));
  }

  /** Needs {@code jupyter nbconvert} and the packaged program. */
  @Tag("programs")
  @ParameterizedTest
  @MethodSource("notebooks")
  void runsWithoutErrors(Path notebook) throws Exception {
    assertThat(PROGRAM).as("run mvn package first").exists();
    Path copy = Files.copy(notebook, folder.resolve(notebook.getFileName()));
    Files.copy(NOTEBOOKS.resolve("gram.npz"), folder.resolve("gram.npz"));

    execute(copy);

    ObjectMapper mapper = new ObjectMapper();
    JsonNode executed = mapper.readTree(copy.toFile());
    assertThat(kindsOfOutputs(executed))
        .isEqualTo(kindsOfOutputs(mapper.readTree(notebook.toFile())));
    NotebookClaims.require(notebook.getFileName().toString(), printed(executed));
  }

  private void execute(Path notebook) throws Exception {
    Path log = folder.resolve("jupyter.log");
    ProcessBuilder builder =
        new ProcessBuilder(
                "jupyter",
                "nbconvert",
                "--to=notebook",
                "--execute",
                "--inplace",
                "--ExecutePreprocessor.startup_timeout=120",
                "--ExecutePreprocessor.timeout=550",
                notebook.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("JUPYTER_PATH", NOTEBOOKS.resolve("target/jupyter").toString());
    for (String kind : List.of("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")) {
      builder.environment().put(kind, folder.resolve(kind).toString());
    }
    assertThat(builder.start().waitFor()).as(Files.readString(log)).isZero();
  }

  /** What the cells print to standard output. */
  private static String printed(JsonNode notebook) {
    StringBuilder printed = new StringBuilder();
    for (JsonNode cell : notebook.get("cells")) {
      for (JsonNode output : cell.path("outputs")) {
        if (output.path("name").asText().equals("stdout")) {
          printed.append(text(output.get("text")));
        }
      }
    }
    return printed.toString();
  }

  /** A text, which notebooks keep line by line. */
  private static String text(JsonNode lines) {
    StringBuilder text = new StringBuilder();
    lines.forEach(line -> text.append(line.asText()));
    return text.toString();
  }

  /** What the cells show, in their order; how often a logger speaks may differ between machines. */
  private static List<String> kindsOfOutputs(JsonNode notebook) {
    List<String> kinds = new ArrayList<>();
    for (JsonNode cell : notebook.get("cells")) {
      for (JsonNode output : cell.path("outputs")) {
        if (output.has("data")) {
          output.get("data").fieldNames().forEachRemaining(kinds::add);
        } else if (!output.path("name").asText().equals("stderr")) {
          kinds.add(output.path("name").asText(output.get("output_type").asText()));
        }
      }
    }
    return kinds;
  }
}
