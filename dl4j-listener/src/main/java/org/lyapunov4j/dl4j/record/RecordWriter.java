// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Objects;

/**
 * Appends lines to the record of a run. Every line is on disk when {@link #append} returns, and
 * whole lines survive whatever happens next: what a crash or a full disk tore is cut off before the
 * next line is written. No interrupt ends it. Where another program deletes or changes the file,
 * the record goes on in a new one beside it. Thread-safe; a lock keeps other writers away.
 */
final class RecordWriter implements Closeable {
  /** How every record begins. */
  private static final String OPENING = "{\"type\":\"run\",";

  /** How every line begins. */
  private static final String LINE = "{\"type\":\"";

  private final RunRecord before;
  private Destination destination;
  private RunLine run;
  private boolean torn;

  /** A file, or what stands for one in tests. */
  interface Destination extends Closeable {
    /** Whether it still is as it was left; if not, another that is empty. */
    default Destination orElse() throws IOException {
      return this;
    }

    /** Appends all bytes and makes them durable. */
    void append(byte[] bytes) throws IOException;

    /** Cuts off what lies behind the last bytes that were appended without an exception. */
    void cutBack() throws IOException;
  }

  RecordWriter(RunRecord before, Destination destination) {
    this.before = before;
    this.destination = destination;
    run = before.run().orElse(null);
  }

  /**
   * Opens a record to append to; a file that does not exist is created, a torn last line is cut.
   * Any other file is left alone.
   *
   * @param file where
   * @return the writer
   * @throws IOException if the file cannot be written
   * @throws IllegalArgumentException if someone else writes it, or it is no regular file, or what
   *     it holds is no record of this version
   */
  static RecordWriter open(Path file) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new IllegalArgumentException(
          file + " must be a regular file or new, got a folder or a device; name another file");
    }
    FileDestination destination = new FileDestination(file);
    try {
      byte[] content = RunRecord.bytes(file);
      RunRecord before = RunRecord.parse(content);
      requireRecord(file, before, content);
      destination.startAt(before.length());
      return new RecordWriter(before, destination);
    } catch (IOException | RuntimeException refused) {
      destination.close();
      throw refused;
    }
  }

  private static void requireRecord(Path file, RunRecord before, byte[] content) {
    boolean begun = before.length() > 0;
    byte[] tail = Arrays.copyOfRange(content, (int) before.length(), content.length);
    if ((begun && before.run().isEmpty()) || !isTorn(tail, begun ? LINE : OPENING)) {
      throw new IllegalArgumentException(
          file + " must be new or the record of a run, got something else; name another file");
    }
    before
        .run()
        .filter(run -> run.schema() > RunLine.SCHEMA)
        .ifPresent(
            run -> {
              throw new IllegalArgumentException(
                  file
                      + " must have schema "
                      + RunLine.SCHEMA
                      + " or earlier, got "
                      + run.schema()
                      + "; continue it with a later version of lyapunov4j");
            });
  }

  /** Whether a crash may have left this of a line; some file systems leave zeros. */
  private static boolean isTorn(byte[] tail, String start) {
    int length = Math.min(tail.length, start.length());
    String found = new String(tail, 0, length, StandardCharsets.ISO_8859_1);
    return start.startsWith(found) || found.equals("\0".repeat(start.length()));
  }

  /**
   * What the file held when it was opened.
   *
   * @return empty of lines for a new one
   */
  RunRecord before() {
    return before;
  }

  /**
   * Where the record is written, another file than at first if that was deleted or changed.
   *
   * @return the present file
   */
  synchronized Path file() {
    return ((FileDestination) destination).file;
  }

  /**
   * Appends a line.
   *
   * @param line any
   * @throws IOException if it could not be written; lines before it are unharmed, and writing may
   *     go on
   */
  synchronized void append(RecordLine line) throws IOException {
    String text = Json.line(line) + "\n";
    Destination present = destination.orElse();
    if (present != destination) {
      destination = present;
      torn = false;
      if (run != null) {
        append(Json.line(run) + "\n");
      }
    }
    append(text);
    run = line instanceof RunLine opening ? opening : run;
  }

  private void append(String text) throws IOException {
    if (torn) {
      destination.cutBack();
      torn = false;
    }
    torn = true;
    destination.append(text.getBytes(StandardCharsets.UTF_8));
    torn = false;
  }

  @Override
  public synchronized void close() throws IOException {
    try {
      if (torn) {
        destination.cutBack();
      }
    } finally {
      destination.close();
    }
  }

  /**
   * Written without a channel, which an interrupt would close; the lock has one that no operation
   * blocks on.
   */
  private static final class FileDestination implements Destination {
    /** Far behind any content, since where locks are mandatory a locked byte cannot be read. */
    private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

    private final Path file;
    private final boolean created;
    private final RandomAccessFile content;
    private final Object identity;
    private long length;

    FileDestination(Path file) throws IOException {
      this.file = file;
      created = !Files.exists(file);
      content = new RandomAccessFile(file.toFile(), "rw");
      if (!tryLock()) {
        content.close();
        throw new IllegalArgumentException(
            file + " must have one writer, got a second one; give every run a record of its own");
      }
      identity = identity();
    }

    private boolean tryLock() throws IOException {
      try {
        return content.getChannel().tryLock(LOCKED_BYTE, 1, false) != null;
      } catch (OverlappingFileLockException other) {
        return false;
      }
    }

    private Object identity() throws IOException {
      return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    void startAt(long length) throws IOException {
      this.length = length;
      if (content.length() > length) {
        content.setLength(length);
      }
    }

    @Override
    public Destination orElse() throws IOException {
      if (Files.exists(file)
          && Objects.equals(identity(), identity)
          && content.length() >= length) {
        return this;
      }
      Destination beside = new FileDestination(beside());
      content.close();
      return beside;
    }

    /** The first of {@code run-2.jsonl}, {@code run-3.jsonl} … that is not there. */
    private Path beside() {
      String name = file.getFileName().toString();
      int dot = name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length();
      int i = 2;
      Path other;
      do {
        other = file.resolveSibling(name.substring(0, dot) + "-" + i++ + name.substring(dot));
      } while (Files.exists(other));
      return other;
    }

    @Override
    public void append(byte[] bytes) throws IOException {
      content.seek(length);
      content.write(bytes);
      content.getFD().sync();
      length += bytes.length;
    }

    @Override
    public void cutBack() throws IOException {
      content.setLength(length);
    }

    /** A file that was made here and not used goes again. */
    @Override
    public void close() throws IOException {
      content.close();
      if (created && length == 0 && Files.exists(file) && Files.size(file) == 0) {
        Files.delete(file);
      }
    }
  }
}
