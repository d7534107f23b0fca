// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;

/**
 * Writes the gauges of {@link MetricsSink} as scalars for TensorBoard, a tag each under the gauge's
 * name; the step is the iteration. Scalars are in single precision, which is all that the format
 * has. A gauge that a checkpoint does not have gets no point.
 *
 * <pre>{@code
 * LyapunovListener.builder(probe).to(new TensorBoardSink(Path.of("logs"))).build();
 * }</pre>
 *
 * <p>Format: records of TensorFlow's event files, each a length, its masked CRC-32C, an {@code
 * Event} message and the masked CRC-32C of that.
 */
public final class TensorBoardSink implements CheckpointSink {
  private static final String VERSION = "brain.Event:2";

  // Numbers of the fields of Event, Summary and Summary.Value in TensorFlow's event.proto and
  // summary.proto.
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int VALUE = 1;
  private static final int TAG = 1;
  private static final int SIMPLE_VALUE = 2;

  // Types of fields in the encoding of protocol buffers.
  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED_32 = 5;

  private final Path folder;
  private OutputStream file;

  /**
   * A sink.
   *
   * @param folder of all runs; each run writes to a folder of its name in it
   */
  public TensorBoardSink(Path folder) {
    this.folder = Objects.requireNonNull(folder, "folder");
  }

  @Override
  public void begin(RunInfo run) throws IOException {
    Path own = folder.resolve(run.run().replaceAll("[^\\w.-]", "_"));
    Files.createDirectories(own);
    Instant now = run.clock().instant();
    file =
        new FileOutputStream(
            own.resolve("events.out.tfevents." + now.toEpochMilli() + ".lyapunov4j").toFile(),
            true);
    Message event = new Message();
    event.fixed64(WALL_TIME, seconds(now));
    event.bytes(FILE_VERSION, VERSION.getBytes(StandardCharsets.UTF_8));
    write(event);
  }

  @Override
  public void accept(Checkpoint checkpoint) throws IOException {
    CheckpointDocument document = CheckpointDocument.of(checkpoint);
    Message summary = new Message();
    for (LyapunovGauge gauge : LyapunovGauge.values()) {
      double number = gauge.of(document);
      if (!Double.isNaN(number)) {
        Message value = new Message();
        value.bytes(TAG, gauge.meterName().getBytes(StandardCharsets.UTF_8));
        value.fixed32(SIMPLE_VALUE, (float) number);
        summary.bytes(VALUE, value.toByteArray());
      }
    }
    Message event = new Message();
    event.fixed64(WALL_TIME, seconds(checkpoint.time()));
    event.varint(STEP, checkpoint.iteration());
    event.bytes(SUMMARY, summary.toByteArray());
    write(event);
  }

  private void write(Message event) throws IOException {
    byte[] data = event.toByteArray();
    byte[] length = little(Long.BYTES).putLong(data.length).array();
    byte[] record =
        little(Long.BYTES + data.length + 2 * Integer.BYTES)
            .put(length)
            .putInt(masked(length))
            .put(data)
            .putInt(masked(data))
            .array();
    file.write(record);
  }

  /** The format's mask, which keeps a CRC of bytes that hold CRCs from being trivial. */
  private static int masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static double seconds(Instant time) {
    return time.getEpochSecond() + time.getNano() * 1e-9;
  }

  @Override
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
  }

  /** A message in the encoding of protocol buffers. */
  private static final class Message {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    void varint(int field, long value) {
      key(field, VARINT);
      unsigned(value);
    }

    void fixed64(int field, double value) {
      key(field, FIXED_64);
      bytes.writeBytes(little(Double.BYTES).putDouble(value).array());
    }

    void fixed32(int field, float value) {
      key(field, FIXED_32);
      bytes.writeBytes(little(Float.BYTES).putFloat(value).array());
    }

    void bytes(int field, byte[] value) {
      key(field, BYTES);
      unsigned(value.length);
      bytes.writeBytes(value);
    }

    private void key(int field, int type) {
      unsigned((field << 3) | type);
    }

    /** Seven bits a byte, the lowest first; the eighth says that more follow. */
    private void unsigned(long value) {
      long rest = value;
      for (; rest >>> 7 != 0; rest >>>= 7) {
        bytes.write((int) (rest & 0x7f) | 0x80);
      }
      bytes.write((int) rest);
    }

    byte[] toByteArray() {
      return bytes.toByteArray();
    }
  }
}
