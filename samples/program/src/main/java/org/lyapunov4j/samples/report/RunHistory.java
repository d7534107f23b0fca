// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.NoteLine;
import org.lyapunov4j.dl4j.record.RunLine;
import org.lyapunov4j.dl4j.record.RunRecord;

/**
 * One run of a report.
 *
 * @param name as shown in legends
 * @param run what was watched
 * @param notes what the training program had to say
 * @param checkpoints at least one, by iteration
 * @param unreadable lines of the record that were left out
 */
public record RunHistory(
    String name,
    RunLine run,
    List<NoteLine> notes,
    List<CheckpointDocument> checkpoints,
    int unreadable) {
  /** {@inheritDoc} */
  public RunHistory {
    notes = List.copyOf(notes);
    checkpoints = List.copyOf(checkpoints);
    if (checkpoints.isEmpty()) {
      throw new IllegalArgumentException(
          name + ": a record must have a checkpoint to be reported, got none; train longer");
    }
  }

  /**
   * Reads a record, whether or not the run is over.
   *
   * @param file as the listener writes it
   * @return its run
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if it is no record or holds no checkpoint
   */
  public static RunHistory read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IllegalArgumentException(
          file + ": must be the record of a run, got no such file; train with --out " + file);
    }
    RunRecord record = RunRecord.read(file);
    RunLine run =
        record
            .run()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        file
                            + ": must be the record of a run, got something else;"
                            + " train with --out FILE.jsonl"));
    List<CheckpointDocument> observations = record.observations();
    if (record.checkpoints().isEmpty() && !observations.isEmpty()) {
      throw new IllegalArgumentException(
          file
              + ": a run must have λ to be drawn, but this one is only observed: "
              + observations.get(observations.size() - 1).text("step").orElseThrow());
    }
    return new RunHistory(
        run.run(), run, record.notes(), record.checkpoints(), record.unreadable());
  }

  RunHistory named(String other) {
    return new RunHistory(other, run, notes, checkpoints, unreadable);
  }

  CheckpointDocument last() {
    return checkpoints.get(checkpoints.size() - 1);
  }

  /** The checkpoints at which the verdict is not that of the one before, the first included. */
  List<CheckpointDocument> verdictChanges() {
    List<CheckpointDocument> changes = new ArrayList<>();
    String before = null;
    for (CheckpointDocument checkpoint : checkpoints) {
      String verdict = checkpoint.text("verdict").orElseThrow();
      if (!verdict.equals(before)) {
        before = verdict;
        changes.add(checkpoint);
      }
    }
    return changes;
  }

  /** What nobody may miss, with the first iteration that says so. */
  Map<String, Integer> cautions() {
    Map<String, Integer> all = new LinkedHashMap<>();
    checkpoints.forEach(
        checkpoint ->
            checkpoint.cautions().forEach(c -> all.putIfAbsent(c, checkpoint.iteration())));
    return all;
  }

  List<Double> iterations() {
    return values(c -> c.number("iteration"));
  }

  List<Double> values(ToDoubleFunction<CheckpointDocument> value) {
    return checkpoints.stream().map(value::applyAsDouble).toList();
  }
}
