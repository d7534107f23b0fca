// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Appends lines to the record of a run. Every line is on disk when {@link #append} returns, and
 * whole lines survive whatever happens next: what a crash or a full disk tore is cut off before the
 * next line is written. Thread-safe; a lock keeps other writers away.
 */
public final class RecordWriter implements Closeable {
  private final RunRecord before;
  private final Destination destination;
  private boolean torn;

  /** A file, or what stands for one in tests. */
  interface Destination extends Closeable {
    /** Appends all bytes and makes them durable. */
    void append(byte[] bytes) throws IOException;

    /** Cuts off what lies behind the last bytes that were appended without an exception. */
    void cutBack() throws IOException;
  }

  RecordWriter(RunRecord before, Destination destination) {
    this.before = before;
    this.destination = destination;
  }

  /**
   * Opens a record to append to; a file that does not exist is created, a torn last line is cut.
   *
   * @param file where
   * @return the writer
   * @throws IOException if the file cannot be written
   * @throws IllegalArgumentException if someone else writes it, or what it holds is no record of
   *     this version
   */
  public static RecordWriter open(Path file) throws IOException {
    boolean plain = !Files.exists(file) || Files.isRegularFile(file);
    FileDestination destination = new FileDestination(file);
    try {
      RunRecord before = plain ? RunRecord.read(file) : new RunRecord(java.util.List.of(), 0, 0);
      requireRecord(file, before);
      destination.startAt(before.length());
      return new RecordWriter(before, destination);
    } catch (IOException | RuntimeException refused) {
      destination.close();
      throw refused;
    }
  }

  private static void requireRecord(Path file, RunRecord before) {
    boolean empty = before.lines().isEmpty() && before.unreadable() == 0;
    if (!empty && before.run().isEmpty()) {
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

  /**
   * What the file held when it was opened.
   *
   * @return empty of lines for a new one
   */
  public RunRecord before() {
    return before;
  }

  /**
   * Appends a line.
   *
   * @param line any
   * @throws IOException if it could not be written; lines before it are unharmed, and writing may
   *     go on
   */
  public synchronized void append(RecordLine line) throws IOException {
    String text = Json.line(line) + "\n";
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

  private static final class FileDestination implements Destination {
    /** Far behind any content, since where locks are mandatory a locked byte cannot be read. */
    private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

    private final FileChannel channel;
    private long length;

    FileDestination(Path file) throws IOException {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (!tryLock()) {
        channel.close();
        throw new IllegalArgumentException(
            file + " must have one writer, got a second one; give every run a record of its own");
      }
    }

    private boolean tryLock() throws IOException {
      try {
        FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
        return lock != null;
      } catch (OverlappingFileLockException other) {
        return false;
      }
    }

    void startAt(long length) throws IOException {
      this.length = length;
      if (channel.size() > length) {
        channel.truncate(length);
      }
    }

    @Override
    public void append(byte[] bytes) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      for (long position = length; buffer.hasRemaining(); ) {
        position += channel.write(buffer, position);
      }
      channel.force(false);
      length += bytes.length;
    }

    @Override
    public void cutBack() throws IOException {
      channel.truncate(length);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
