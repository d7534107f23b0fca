// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;
import org.lyapunov4j.dl4j.checkpoint.SampleCheckpoints;

/** The file is read back by a parser that shares nothing with the writer. */
class TensorBoardSinkTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.250Z");

  @TempDir private Path folder;

  private record Event(double time, long step, String version, Map<String, Float> scalars) {}

  @Test
  void everyGaugeIsATag() throws IOException {
    List<Checkpoint> checkpoints = SampleCheckpoints.all();
    try (TensorBoardSink sink = new TensorBoardSink(folder)) {
      sink.begin(new RunInfo("a run", 8, "0f", 0, () -> NOW));
      for (Checkpoint checkpoint : checkpoints) {
        sink.accept(checkpoint);
      }
    }
    List<Event> events = read();
    assertThat(events).hasSize(1 + checkpoints.size());
    assertThat(events.get(0).version()).isEqualTo("brain.Event:2");
    assertThat(events.get(0).time()).isEqualTo(NOW.toEpochMilli() / 1000.0);
    for (int i = 0; i < checkpoints.size(); i++) {
      Event event = events.get(i + 1);
      CheckpointDocument document = CheckpointDocument.of(checkpoints.get(i));
      Map<String, Float> expected = new LinkedHashMap<>();
      for (LyapunovGauge gauge : LyapunovGauge.values()) {
        if (!Double.isNaN(gauge.of(document))) {
          expected.put(gauge.meterName(), (float) gauge.of(document));
        }
      }
      assertThat(event.scalars()).isEqualTo(expected).hasSizeGreaterThan(5);
      assertThat(event.step()).isEqualTo(checkpoints.get(i).iteration());
      assertThat(event.time()).isEqualTo(checkpoints.get(i).time().toEpochMilli() / 1000.0);
    }
    assertThat(events.get(1).scalars())
        .containsEntry("lyapunov.checkpoint.iteration", 30f)
        .containsEntry("lyapunov.edge.forecast", 500f)
        .containsEntry("lyapunov.sharpness", (float) checkpoints.get(0).stability().sharpness());
  }

  private List<Event> read() throws IOException {
    List<Path> files;
    try (var found = Files.list(folder.resolve("a_run"))) {
      files = found.toList();
    }
    assertThat(files).hasSize(1);
    assertThat(files.get(0).getFileName().toString()).startsWith("events.out.tfevents.");
    ByteBuffer file =
        ByteBuffer.wrap(Files.readAllBytes(files.get(0))).order(ByteOrder.LITTLE_ENDIAN);
    List<Event> events = new ArrayList<>();
    while (file.hasRemaining()) {
      int start = file.position();
      int length = Math.toIntExact(file.getLong());
      assertThat(unmasked(file.getInt())).isEqualTo(crc(file.array(), start, Long.BYTES));
      int data = file.position();
      events.add(event(file.slice(data, length).order(ByteOrder.LITTLE_ENDIAN)));
      file.position(data + length);
      assertThat(unmasked(file.getInt())).isEqualTo(crc(file.array(), data, length));
    }
    return events;
  }

  /** What TensorFlow's own readers do to a stored checksum. */
  private static long unmasked(int stored) {
    int rotated = stored - 0xa282ead8;
    return Integer.toUnsignedLong((rotated >>> 17) | (rotated << 15));
  }

  private static long crc(byte[] bytes, int from, int length) {
    Checksum checksum = new CRC32C();
    checksum.update(bytes, from, length);
    return checksum.getValue();
  }

  private static Event event(ByteBuffer message) {
    double time = Double.NaN;
    long step = 0;
    String version = "";
    Map<String, Float> scalars = new LinkedHashMap<>();
    while (message.hasRemaining()) {
      switch ((int) varint(message)) {
        case (1 << 3) | 1 -> time = message.getDouble();
        case 2 << 3 -> step = varint(message);
        case (3 << 3) | 2 -> version = text(message);
        case (5 << 3) | 2 -> summary(inside(message), scalars);
        default -> throw new AssertionError("an unknown field of an event");
      }
    }
    return new Event(time, step, version, scalars);
  }

  private static void summary(ByteBuffer message, Map<String, Float> scalars) {
    while (message.hasRemaining()) {
      assertThat(varint(message)).isEqualTo((1 << 3) | 2);
      ByteBuffer value = inside(message);
      assertThat(varint(value)).isEqualTo((1 << 3) | 2);
      String tag = text(value);
      assertThat(varint(value)).isEqualTo((2 << 3) | 5);
      assertThat(scalars.put(tag, value.getFloat())).as(tag).isNull();
      assertThat(value.hasRemaining()).isFalse();
    }
  }

  private static ByteBuffer inside(ByteBuffer message) {
    int length = (int) varint(message);
    ByteBuffer inner = message.slice(message.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    message.position(message.position() + length);
    return inner;
  }

  private static String text(ByteBuffer message) {
    ByteBuffer inner = inside(message);
    byte[] bytes = new byte[inner.remaining()];
    inner.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static long varint(ByteBuffer message) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = message.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }
}
