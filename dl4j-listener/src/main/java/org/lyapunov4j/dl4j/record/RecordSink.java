// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The record of a run on disk: a file of JSON lines, one for each checkpoint, that survives a crash
 * and can be read while it is written, see {@link RunRecord}. If the file holds a record already,
 * that run is continued: it must be of the same probe, seed and size of model.
 *
 * <pre>{@code
 * LyapunovListener.builder(probe).to(RecordSink.at(Path.of("run.jsonl"))).build();
 * }</pre>
 *
 * <p>What a run needs to go on in another process is kept in files beside it, with the suffixes
 * {@code .tangent} and {@code .edge}. The file is opened when the run begins, or when it is asked
 * what it holds. Thread-safe.
 */
public final class RecordSink implements CheckpointSink {
  private static final Logger log = LoggerFactory.getLogger(RecordSink.class);

  private final Path file;
  private final boolean noteResumption;
  private final TrajectoryFile tangents;
  private final EdgeFile edges;
  private final Queue<NoteLine> waiting = new ArrayDeque<>();
  private RecordWriter writer;
  private SavedState carried = SavedState.NONE;
  private Path told;
  private RunInfo info;
  private RunLine opening;
  private int firstIteration;
  private boolean begun;

  private RecordSink(Path file, boolean noteResumption) {
    this.file = Objects.requireNonNull(file, "file");
    this.noteResumption = noteResumption;
    told = file;
    tangents = new TrajectoryFile(file);
    edges = new EdgeFile(file);
  }

  /**
   * The record of a training run. Where it is continued, a line says so, and the checkpoints of
   * steps that were lost with the parameters are replaced.
   *
   * @param file in a folder that exists
   * @return a sink, not yet open
   */
  public static RecordSink at(Path file) {
    return new RecordSink(file, true);
  }

  /**
   * The record of an analysis of saved models. It is continued without a line that says so: unlike
   * a training run, an analysis that was cut short goes on as if it had not been.
   *
   * @param file in a folder that exists
   * @return a sink, not yet open
   */
  public static RecordSink ofAnalysis(Path file) {
    return new RecordSink(file, false);
  }

  /**
   * What the file held when it was opened.
   *
   * @return empty of lines for a new one
   * @throws IllegalArgumentException if it cannot be written, or is no record of this version
   */
  public synchronized RunRecord before() {
    return open().before();
  }

  private RecordWriter open() {
    if (writer == null) {
      try {
        writer = RecordWriter.open(file);
      } catch (IOException e) {
        throw new IllegalArgumentException(
            "the record must be a file that can be written, got " + file + ": " + e, e);
      }
    }
    return writer;
  }

  /**
   * What an earlier process left of this run.
   *
   * @return nothing of a new record; what is damaged is left out, and the log says so
   * @throws IllegalArgumentException if the record cannot be written, or is none of this version
   */
  public synchronized SavedState saved() {
    Optional<String> run = before().run().map(RunLine::run);
    return run.isEmpty() ? SavedState.NONE : new SavedState(run, tangent(), edge());
  }

  private Optional<TangentState> tangent() {
    try {
      return tangents.read();
    } catch (IOException | RuntimeException e) {
      log.warn(
          "The tangent vector beside {} cannot be read ({}); a new one starts",
          file,
          String.valueOf(e.getMessage()).replaceAll("\\s+", " "));
      return Optional.empty();
    }
  }

  private Optional<EdgeState> edge() {
    try {
      return edges.read();
    } catch (IOException e) {
      log.warn(
          "The critical learning rate beside {} must be readable, got {}; it is searched for"
              + " afresh",
          file,
          e.toString().lines().findFirst().orElseThrow());
      return Optional.empty();
    }
  }

  /**
   * Hands over what to save with the next checkpoint, or at the end.
   *
   * @param state as of now
   */
  public synchronized void carry(SavedState state) {
    carried = Objects.requireNonNull(state, "state");
  }

  @Override
  public synchronized void begin(RunInfo run) {
    before()
        .run()
        .ifPresent(
            line -> {
              requireSame("probe with the SHA-256", line.probe(), run.probe());
              requireSame("seed", line.seed(), run.seed());
            });
    info = run;
  }

  @Override
  public synchronized void watch(ModelInfo model) {
    before()
        .run()
        .filter(line -> line.parameters() > 0)
        .ifPresent(
            line -> {
              requireSame("number of parameters", line.parameters(), model.parameters());
              requireSame("number of outputs", line.outputs(), model.outputs());
            });
    opening = RunLine.of(info, model);
    firstIteration = model.iteration();
  }

  private void requireSame(String what, Object recorded, Object given) {
    if (!recorded.equals(given)) {
      throw new IllegalArgumentException(
          file
              + " must be continued with the "
              + what
              + " "
              + recorded
              + ", got "
              + given
              + "; give the same one or start another record");
    }
  }

  @Override
  public synchronized void accept(Checkpoint checkpoint) throws IOException {
    writeOpening();
    writeWaiting();
    writer.append(new CheckpointLine(CheckpointDocument.of(checkpoint)));
    saveTangent();
    if (carried.edge().isPresent()) {
      edges.write(carried.edge().get());
    }
    tellIfMoved();
  }

  private void saveTangent() throws IOException {
    if (carried.tangent().isPresent()) {
      tangents.write(carried.tangent().get());
    }
  }

  /**
   * Writes a remark of the program that trains. Those from before the first checkpoint wait for the
   * opening line.
   *
   * @param details names and values: text, numbers, booleans, lists and maps of these; not null
   * @throws IOException if it could not be written
   */
  public synchronized void note(Map<String, ?> details) throws IOException {
    waiting.add(new NoteLine(info.clock().instant(), new LinkedHashMap<>(details)));
    if (opening != null) {
      writeOpening();
      writeWaiting();
      tellIfMoved();
    }
  }

  /** Nothing is lost; to be told is all the more. */
  private void tellIfMoved() throws IOException {
    Path present = writer.file();
    if (!present.equals(told)) {
      String before = told.toString();
      told = present;
      throw new IOException(
          before + " was deleted or changed by another program; the record goes on in " + present);
    }
  }

  @Override
  public synchronized void end(ListenerStatus last) throws IOException {
    if (!begun && !waiting.isEmpty()) {
      if (writer.before().run().isEmpty()) {
        writer.append(opening == null ? RunLine.withoutModel(info) : opening);
      }
      begun = true;
    }
    if (begun) {
      saveTangent();
      writeWaiting();
      writer.append(
          new EndLine(
              info.clock().instant(),
              last.checkpoints(),
              last.skipped(),
              last.failures(),
              last.cancelled()));
    }
  }

  /** A full disk may have swallowed it at the first checkpoint, so it is tried at each. */
  private void writeOpening() throws IOException {
    if (begun) {
      return;
    }
    Instant now = info.clock().instant();
    if (writer.before().run().isEmpty()) {
      writer.append(opening);
    } else if (noteResumption) {
      writer.append(new ResumeLine(firstIteration, now, Provenance.current(), opening.step()));
    }
    begun = true;
  }

  private void writeWaiting() throws IOException {
    while (!waiting.isEmpty()) {
      writer.append(waiting.peek());
      waiting.remove();
    }
  }

  @Override
  public synchronized void close() throws IOException {
    if (writer != null) {
      writer.close();
    }
  }

  @Override
  public String toString() {
    return "RecordSink(" + file + ")";
  }
}
