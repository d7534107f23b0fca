// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.io.Closeable;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.lyapunov4j.samples.run.CheckpointRecord;
import org.lyapunov4j.samples.run.EndRecord;
import org.lyapunov4j.samples.run.Json;
import org.lyapunov4j.samples.run.RunRecord;

/** Every record of a run as a line of JSON, on disk as soon as it exists. */
final class RecordFile implements RunObserver, Closeable {
  private final Writer writer;

  RecordFile(Path file) throws IOException {
    writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
  }

  @Override
  public void started(RunRecord run) throws IOException {
    write(run);
  }

  @Override
  public void checkpoint(CheckpointRecord checkpoint) throws IOException {
    write(checkpoint);
  }

  @Override
  public void ended(EndRecord end) throws IOException {
    write(end);
  }

  private void write(Object record) throws IOException {
    writer.write(Json.line(record));
    writer.write('\n');
    writer.flush();
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
