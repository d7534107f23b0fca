// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.analyze;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.record.EndLine;
import org.lyapunov4j.dl4j.record.RecordLine;
import org.lyapunov4j.dl4j.record.RecordWriter;
import org.lyapunov4j.dl4j.record.RunLine;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.OutputFile;

/**
 * The record of an analysis, if one is kept. It is continued without a line that says so: unlike a
 * training run, an analysis that was cut short goes on as if it had not been.
 */
final class RecordOfAnalysis implements AutoCloseable {
  private final RecordWriter writer;
  private final RunRecord before;
  private boolean opened;
  private long written;

  private RecordOfAnalysis(RecordWriter writer, RunRecord before) {
    this.writer = writer;
    this.before = before;
    opened = before.run().isPresent();
  }

  /**
   * Opens a record, new or to be continued.
   *
   * @param file or null, to keep none
   */
  static RecordOfAnalysis open(Path file) throws IOException {
    if (file == null) {
      return new RecordOfAnalysis(null, new RunRecord(List.of(), 0, 0));
    }
    OutputFile.require("--record", file);
    RecordWriter writer = RecordWriter.open(file);
    return new RecordOfAnalysis(writer, writer.before());
  }

  RunRecord before() {
    return before;
  }

  /** Refuses to go on with a record of another model. */
  Void requireModel(Architecture architecture, int outputs) {
    before
        .run()
        .ifPresent(
            run ->
                Input.require(
                    run.parameters() == architecture.parameters() && run.outputs() == outputs,
                    "the record must be continued with %d parameters and %d outputs, got %d and %d;"
                        + " give another --record",
                    run.parameters(),
                    run.outputs(),
                    architecture.parameters(),
                    outputs));
    return null;
  }

  void checkpoint(Checkpoint checkpoint, RunLine opening) throws IOException {
    if (writer == null) {
      return;
    }
    if (!opened) {
      writer.append(opening);
      opened = true;
    }
    writer.append(RecordLine.of(checkpoint));
    written++;
  }

  /** Ends the record; its counts are those since it was opened. */
  void end(int failed) throws IOException {
    if (opened && writer != null) {
      writer.append(new EndLine(Instant.now(), written, 0, failed, 0));
    }
  }

  @Override
  public void close() throws IOException {
    if (writer != null) {
      writer.close();
    }
  }
}
