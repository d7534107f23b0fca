// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;

/**
 * The record of a run as read from its file, which may be read while it is written.
 *
 * <p>A last line without a line end was torn by a crash, or is being written, and does not count.
 * Lines that are no JSON, or of a type or shape that a later version brought, are left out and
 * counted; fields that are not known are ignored.
 *
 * @param lines in the order of the file
 * @param unreadable how many whole lines were left out
 * @param length where the last whole line ends, in bytes
 */
public record RunRecord(List<RecordLine> lines, int unreadable, long length) {
  /** {@inheritDoc} */
  public RunRecord {
    lines = List.copyOf(lines);
  }

  /**
   * Reads a file.
   *
   * @param file a record
   * @return what it holds
   * @throws IOException if it cannot be read
   */
  public static RunRecord read(Path file) throws IOException {
    return parse(bytes(file));
  }

  /** Not through a channel, which an interrupt would close. */
  static byte[] bytes(Path file) throws IOException {
    try (InputStream stream = new FileInputStream(file.toFile())) {
      return stream.readAllBytes();
    }
  }

  static RunRecord parse(byte[] bytes) {
    List<RecordLine> lines = new ArrayList<>();
    int unreadable = 0;
    int begin = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\n') {
        if (i > begin) {
          Optional<RecordLine> line = line(java.util.Arrays.copyOfRange(bytes, begin, i));
          line.ifPresent(lines::add);
          unreadable += line.isPresent() ? 0 : 1;
        }
        begin = i + 1;
      }
    }
    return new RunRecord(lines, unreadable, begin);
  }

  private static Optional<RecordLine> line(byte[] json) {
    try {
      return Optional.ofNullable(Json.readLine(json));
    } catch (IOException | IllegalArgumentException unknown) {
      return Optional.empty();
    }
  }

  /**
   * The first line.
   *
   * @return empty if the run has not begun
   */
  public Optional<RunLine> run() {
    return all(RunLine.class).findFirst();
  }

  /**
   * The checkpoints with λ and a verdict that belong to the run as it went on: where training was
   * resumed from earlier parameters, those of the steps that were lost are left out.
   *
   * @return in the order of their iterations
   */
  public List<CheckpointDocument> checkpoints() {
    return documents(true);
  }

  /**
   * The checkpoints without λ and a verdict that belong to the run as it went on.
   *
   * @return in the order of their iterations
   */
  public List<CheckpointDocument> observations() {
    return documents(false);
  }

  private List<CheckpointDocument> documents(boolean withStability) {
    List<CheckpointDocument> kept = new ArrayList<>();
    for (RecordLine line : lines) {
      if (line instanceof ResumeLine resume) {
        kept.removeIf(document -> document.iteration() >= resume.iteration());
      } else if (line instanceof CheckpointLine checkpoint
          && checkpoint.document().hasStability() == withStability) {
        kept.add(checkpoint.document());
      }
    }
    kept.sort(Comparator.comparingInt(CheckpointDocument::iteration));
    return List.copyOf(kept);
  }

  /**
   * The resumptions.
   *
   * @return in the order of the file
   */
  public List<ResumeLine> resumptions() {
    return all(ResumeLine.class).toList();
  }

  /**
   * The notes.
   *
   * @return in the order of the file
   */
  public List<NoteLine> notes() {
    return all(NoteLine.class).toList();
  }

  /**
   * The end.
   *
   * @return empty while the run lasts, after a crash, and after a resumption
   */
  public Optional<EndLine> end() {
    return lines.isEmpty() || !(lines.get(lines.size() - 1) instanceof EndLine end)
        ? Optional.empty()
        : Optional.of(end);
  }

  private <T extends RecordLine> Stream<T> all(Class<T> type) {
    return lines.stream().filter(type::isInstance).map(type::cast);
  }
}
