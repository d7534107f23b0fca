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
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.lyapunov4j.dl4j.record.RecordSink;
import org.lyapunov4j.samples.io.BadFileException;
import org.lyapunov4j.samples.io.OutputFile;

/**
 * Where an experiment keeps what it found: {@code runs/ID.json} for each run that is over, beside
 * the listener's record {@code runs/ID.jsonl}; {@code runs/ID.state} of a run that is not; tables,
 * pictures and {@code findings.md}.
 */
final class ResultFolder {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** How every result begins. */
  private static final String RESULT = "{";

  private final Path folder;

  /**
   * Makes the folder if it is not there.
   *
   * @throws BadFileException if it holds something, and no runs
   */
  ResultFolder(Path folder) throws IOException {
    this.folder = folder;
    if (!Files.isDirectory(runs()) && !isEmpty(folder)) {
      throw new BadFileException(
          folder,
          "--out must be new, empty or hold results of experiments, got other files; name another");
    }
    Files.createDirectories(runs());
  }

  private static boolean isEmpty(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return true;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isEmpty();
    }
  }

  /** Refuses runs whose files are there but not ours. */
  void requireOwn(List<Run> runs) throws IOException {
    for (Run run : runs) {
      Path record = recordOf(run);
      if (Files.exists(record)) {
        try (RecordSink present = RecordSink.at(record)) {
          present.before();
        }
      }
      OutputFile.requireOwn("a result", resultOf(run), RESULT);
      OutputFile.requireOwn("a result", unfinished(run), RESULT);
    }
  }

  private Path runs() {
    return folder.resolve("runs");
  }

  private Path resultOf(Run run) {
    return runs().resolve(run.id() + ".json");
  }

  private Path unfinished(Run run) {
    return runs().resolve(run.id() + ".json.part");
  }

  private Path recordOf(Run run) {
    return runs().resolve(run.id() + ".jsonl");
  }

  /** What a run that was cut short goes on from. */
  Path stateOf(Run run) {
    return runs().resolve(run.id() + ".state");
  }

  /** The record of a run that is about to begin or, where there is a state, to go on. */
  Path recordFor(Run run) throws IOException {
    Path record = recordOf(run);
    if (!Files.isRegularFile(stateOf(run))) {
      OutputFile.requireNewRecord("a run's record", record, true);
    }
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
    Path unfinished = unfinished(run);
    JSON.writeValue(unfinished.toFile(), result);
    Files.move(
        unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    Files.deleteIfExists(stateOf(run));
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
