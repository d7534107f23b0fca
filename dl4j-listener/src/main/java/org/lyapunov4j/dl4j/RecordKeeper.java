// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.record.EdgeFile;
import org.lyapunov4j.dl4j.record.EndLine;
import org.lyapunov4j.dl4j.record.NoteLine;
import org.lyapunov4j.dl4j.record.Provenance;
import org.lyapunov4j.dl4j.record.RecordLine;
import org.lyapunov4j.dl4j.record.RecordWriter;
import org.lyapunov4j.dl4j.record.ResumeLine;
import org.lyapunov4j.dl4j.record.RunLine;
import org.lyapunov4j.dl4j.record.TrajectoryFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the record of a run on disk: begins or resumes it, appends to it, saves the tangent. */
final class RecordKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RecordKeeper.class);

  private final Path file;
  private final RecordWriter writer;
  private final TrajectoryFile tangents;
  private final EdgeFile edges;
  private final InstantSource clock;
  private final Queue<NoteLine> waiting = new ArrayDeque<>();
  private Path told;
  private RunLine opening;
  private int firstIteration;
  private boolean begun;

  private RecordKeeper(Path file, RecordWriter writer, InstantSource clock) {
    this.file = file;
    told = file;
    this.writer = writer;
    this.clock = clock;
    tangents = new TrajectoryFile(file);
    edges = new EdgeFile(file);
  }

  /**
   * Opens a record, new or to be resumed.
   *
   * @throws IllegalArgumentException if it cannot be written, or is the record of another probe or
   *     seed
   */
  static RecordKeeper open(Path file, String probe, long seed, InstantSource clock) {
    try {
      RecordWriter writer = RecordWriter.open(file);
      RecordKeeper keeper = new RecordKeeper(file, writer, clock);
      try {
        writer.before().run().ifPresent(run -> keeper.requireSame(run, probe, seed));
      } catch (IllegalArgumentException other) {
        writer.close();
        throw other;
      }
      return keeper;
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the record must be a file that can be written, got " + file + ": " + e, e);
    }
  }

  private void requireSame(RunLine run, String probe, long seed) {
    requireSame("probe with the SHA-256", run.probe(), probe);
    requireSame("seed", run.seed(), seed);
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

  /** The name the run has in the record, if it is resumed. */
  Optional<String> run() {
    return writer.before().run().map(RunLine::run);
  }

  /** The carried tangent vector of a resumed run; null if there is none, or it is damaged. */
  TrajectoryFile.State trajectory() {
    if (writer.before().run().isEmpty()) {
      return null;
    }
    try {
      return tangents.read().orElse(null);
    } catch (IOException | RuntimeException e) {
      log.warn(
          "The tangent vector beside {} cannot be read ({}); a new one starts",
          file,
          String.valueOf(e.getMessage()).replaceAll("\\s+", " "));
      return null;
    }
  }

  /** The critical learning rate of the last checkpoint of a resumed run. */
  Optional<EdgeFile.State> criticalLearningRate() {
    if (writer.before().run().isEmpty()) {
      return Optional.empty();
    }
    try {
      return edges.read();
    } catch (IOException e) {
      log.warn(
          "The critical learning rate beside {} must be readable, got {}; it is searched for afresh",
          file,
          e.toString().lines().findFirst().orElseThrow());
      return Optional.empty();
    }
  }

  /**
   * What the run is, before its first checkpoint.
   *
   * @throws IllegalArgumentException if the record is of another model
   */
  synchronized void begin(RunLine line, int iteration) {
    writer
        .before()
        .run()
        .ifPresent(
            run -> {
              if (run.parameters() > 0) {
                requireSame("number of parameters", run.parameters(), line.parameters());
                requireSame("number of outputs", run.outputs(), line.outputs());
              }
            });
    opening = line;
    firstIteration = iteration;
  }

  synchronized void checkpoint(
      Checkpoint checkpoint, TrajectoryTracker trajectory, EdgeTracker edge) throws IOException {
    writeOpening();
    writeWaiting();
    writer.append(RecordLine.of(checkpoint));
    saveTangent(trajectory);
    Optional<EdgeFile.State> track = edge.state();
    if (track.isPresent()) {
      edges.write(track.get());
    }
    tellIfMoved();
  }

  private void saveTangent(TrajectoryTracker trajectory) throws IOException {
    Optional<TrajectoryFile.State> state =
        trajectory == null ? Optional.empty() : trajectory.state();
    if (state.isPresent()) {
      tangents.write(state.get());
    }
  }

  /** Notes from before the first checkpoint wait for the opening line. */
  synchronized void note(Map<String, ?> details) throws IOException {
    waiting.add(new NoteLine(clock.instant(), new LinkedHashMap<>(details)));
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

  /**
   * Ends the record.
   *
   * @param trajectory the tangent vector to save, or null
   * @param unseen the opening line if no model was seen, but there are notes
   */
  synchronized void end(CheckpointCounts tally, TrajectoryTracker trajectory, RunLine unseen)
      throws IOException {
    if (!begun && !waiting.isEmpty()) {
      if (writer.before().run().isEmpty()) {
        writer.append(opening == null ? unseen : opening);
      }
      begun = true;
    }
    if (begun) {
      saveTangent(trajectory);
      writeWaiting();
      writer.append(
          new EndLine(
              clock.instant(),
              tally.deliveredCount(),
              tally.skippedCount(),
              tally.failedCount(),
              tally.cancelledCount()));
    }
  }

  /** A full disk may have swallowed it at the first checkpoint, so it is tried at each. */
  private void writeOpening() throws IOException {
    if (begun) {
      return;
    }
    Instant now = clock.instant();
    writer.append(
        writer.before().run().isEmpty()
            ? opening
            : new ResumeLine(firstIteration, now, Provenance.current(), opening.step()));
    begun = true;
  }

  private void writeWaiting() throws IOException {
    while (!waiting.isEmpty()) {
      writer.append(waiting.peek());
      waiting.remove();
    }
  }

  /** Lets the file go again, if nothing came of it. */
  void closeAfter(Throwable refused) {
    try {
      close();
    } catch (IOException further) {
      refused.addSuppressed(further);
    }
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
