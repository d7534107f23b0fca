// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.core.storage.Persistable;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;

/**
 * A checkpoint, or the start of a run, in a {@code StatsStorage}. It is encoded as one JSON object
 * in UTF-8:
 *
 * <pre>{@code
 * {"version":1, "session":"…", "run":"…", "time":1700000000000, "checkpoint":{"iteration":100, …}}
 * }</pre>
 *
 * <p>Undefined numbers are {@code null}, infinite ones the strings {@code "Infinity"} and {@code
 * "-Infinity"}. The start of a run has no {@code checkpoint}; it may have the {@code status} of the
 * listener, {@code {"state":"REFUSED", "reason":"…"}}, and is replaced when that changes.
 *
 * <p>Storages tell what they hold apart by session, type and worker; the worker of an update is its
 * run, with every character that a storage might stumble over written as {@code %XX}.
 */
public final class StabilityUpdate implements Persistable {
  /** The type ID, by which storages and the UI tell updates of this kind from others. */
  public static final String TYPE_ID = "LyapunovStability";

  /** The version of the encoding that this class writes; it reads no later one. */
  public static final int VERSION = 1;

  private static final long serialVersionUID = 1;

  /** The session ID. */
  private String session;

  /** The run's name. */
  private String run;

  /** Milliseconds since the epoch. */
  private long time;

  /** JSON, null at the start of a run. */
  private String checkpoint;

  /** JSON, null but at the start of a run. */
  private String status;

  /** For {@link #decode}, which storages call on a new object. */
  public StabilityUpdate() {}

  private StabilityUpdate(String session, String run, long time, String checkpoint) {
    this.session = session;
    this.run = run;
    this.time = time;
    this.checkpoint = checkpoint;
  }

  /**
   * The start of a run, by which a storage lists it.
   *
   * @param session the session ID
   * @param run the run's name
   * @param time milliseconds since the epoch
   * @return static information for a storage
   */
  public static StabilityUpdate start(String session, String run, long time) {
    return new StabilityUpdate(
        Objects.requireNonNull(session, "session"), Objects.requireNonNull(run, "run"), time, null);
  }

  /**
   * The start of a run with how its listener fares.
   *
   * @param session the session ID
   * @param time milliseconds since the epoch
   * @param status tells the run too
   * @return static information for a storage
   */
  public static StabilityUpdate start(String session, long time, ListenerStatus status) {
    StabilityUpdate start = start(session, status.run(), time);
    start.status =
        Json.object().put("state", status.state().name()).put("reason", status.reason()).toString();
    return start;
  }

  /**
   * A checkpoint for a storage.
   *
   * @param session the session ID
   * @param time milliseconds since the epoch; two updates of one run with the same time would
   *     replace each other in a storage
   * @param checkpoint what was found
   * @return an update for a storage
   */
  public static StabilityUpdate of(String session, long time, Checkpoint checkpoint) {
    return new StabilityUpdate(
        Objects.requireNonNull(session, "session"),
        checkpoint.run(),
        time,
        Json.tree(Point.of(CheckpointDocument.of(checkpoint))).toString());
  }

  @Override
  public String getSessionID() {
    return session;
  }

  @Override
  public String getTypeID() {
    return TYPE_ID;
  }

  @Override
  public String getWorkerID() {
    return run == null ? null : URLEncoder.encode(run, StandardCharsets.UTF_8);
  }

  @Override
  public long getTimeStamp() {
    return time;
  }

  /**
   * The name of the run.
   *
   * @return as the listener was told
   */
  public String run() {
    return run;
  }

  /**
   * The checkpoint.
   *
   * @return a JSON object; absent at the start of a run
   */
  public Optional<String> checkpoint() {
    return Optional.ofNullable(checkpoint);
  }

  /**
   * How the listener fares.
   *
   * @return a JSON object; absent from checkpoints, and where it was not told
   */
  public Optional<String> status() {
    return Optional.ofNullable(status);
  }

  @Override
  public int encodingLengthBytes() {
    return encode().length;
  }

  @Override
  public byte[] encode() {
    ObjectNode json =
        Json.object()
            .put("version", VERSION)
            .put("session", session)
            .put("run", run)
            .put("time", time);
    if (checkpoint != null) {
      json.set("checkpoint", parse(checkpoint.getBytes(StandardCharsets.UTF_8)));
    }
    if (status != null) {
      json.set("status", parse(status.getBytes(StandardCharsets.UTF_8)));
    }
    return Json.bytes(json);
  }

  @Override
  public void encode(ByteBuffer buffer) {
    buffer.put(encode());
  }

  @Override
  public void encode(OutputStream outputStream) throws IOException {
    outputStream.write(encode());
  }

  /**
   * Takes on the content of an encoding.
   *
   * @param decode what {@link #encode()} returned
   * @throws IllegalArgumentException if it is something else, or of a later version
   */
  @Override
  public void decode(byte[] decode) {
    JsonNode json = parse(decode);
    int version = json.path("version").asInt();
    if (version < 1 || version > VERSION) {
      throw new IllegalArgumentException(
          "a stability update must be of version 1 to "
              + VERSION
              + ", got "
              + json.path("version")
              + "; use the release that wrote it, or a later one");
    }
    session = text(json, "session");
    run = text(json, "run");
    time = json.path("time").asLong();
    checkpoint = object(json, "checkpoint");
    status = object(json, "status");
  }

  @Override
  public void decode(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    decode(bytes);
  }

  @Override
  public void decode(InputStream inputStream) throws IOException {
    decode(inputStream.readAllBytes());
  }

  @Override
  public String toString() {
    return TYPE_ID
        + " of "
        + run
        + " at "
        + time
        + ": "
        + checkpoint().or(this::status).orElse("start");
  }

  private static JsonNode parse(byte[] bytes) {
    try {
      return Json.parse(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException("a stability update must be JSON", e);
    }
  }

  private static String object(JsonNode json, String field) {
    return json.path(field).isObject() ? json.get(field).toString() : null;
  }

  private static String text(JsonNode json, String field) {
    if (!json.path(field).isTextual()) {
      throw new IllegalArgumentException(
          "a stability update needs a text " + field + ", got " + json.path(field));
    }
    return json.get(field).textValue();
  }
}
