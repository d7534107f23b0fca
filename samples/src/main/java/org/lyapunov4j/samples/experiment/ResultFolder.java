// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.lyapunov4j.samples.io.OutputFile;

/**
 * Where an experiment keeps what it found: {@code runs/ID.json} for each run that is over, beside
 * the listener's record {@code runs/ID.jsonl}; tables, pictures and {@code findings.md}.
 */
final class ResultFolder {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final Path folder;

  /** Makes the folder if it is not there. */
  ResultFolder(Path folder) throws IOException {
    this.folder = folder;
    Files.createDirectories(runs());
  }

  private Path runs() {
    return folder.resolve("runs");
  }

  private Path resultOf(Run run) {
    return runs().resolve(run.id() + ".json");
  }

  /** The record of a run that is about to begin. */
  Path newRecord(Run run) throws IOException {
    Path record = runs().resolve(run.id() + ".jsonl");
    Files.deleteIfExists(record);
    return record;
  }

  /** The result of a run, if it was executed to its end with the very settings it has now. */
  Optional<RunResult> find(Run run) throws IOException {
    Path file = resultOf(run);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      RunResult result = JSON.readValue(file.toFile(), RunResult.class);
      return Optional.of(result).filter(found -> run.settings().equals(found.settings()));
    } catch (JsonProcessingException e) {
      return Optional.empty(); // damaged from outside; the run is executed again
    }
  }

  /** Keeps a result; whole or not at all. */
  void keep(Run run, RunResult result) throws IOException {
    Path file = resultOf(run);
    Path unfinished = runs().resolve(run.id() + ".json.part");
    JSON.writeValue(unfinished.toFile(), result);
    Files.move(
        unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Writes tables, pictures and a page of text that shows them. */
  Path write(Experiment experiment, Findings findings) throws IOException {
    StringBuilder page = new StringBuilder("# " + experiment.question() + "\n");
    for (String sentence : findings.sentences()) {
      page.append("\n- ").append(sentence);
    }
    page.append('\n');
    for (Table table : findings.tables()) {
      writeCsv(table);
      page.append("\n## ")
          .append(table.title())
          .append("\n\n")
          .append(table.markdown())
          .append('\n');
    }
    for (Picture picture : findings.pictures()) {
      picture.write(folder.resolve(picture.name() + ".png"));
      page.append(String.format("%n![%s](%s.png)%n", picture.caption(), picture.name()));
    }
    Path file = folder.resolve("findings.md");
    OutputFile.write(file, page);
    return file;
  }

  private void writeCsv(Table table) throws IOException {
    Path file = folder.resolve(table.name() + ".csv");
    try (CSVPrinter printer =
        new CSVPrinter(Files.newBufferedWriter(file, StandardCharsets.UTF_8), CSVFormat.RFC4180)) {
      printer.printRecord(table.header());
      printer.printRecords(table.rows());
    }
  }
}
