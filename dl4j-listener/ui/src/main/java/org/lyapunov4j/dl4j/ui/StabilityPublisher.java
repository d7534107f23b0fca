// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;

/**
 * Sends the checkpoints of a listener to Deeplearning4j's training UI, by way of a {@code
 * StatsStorage}: in memory, in a file, or that of another process behind a {@code
 * RemoteUIStatsStorageRouter}.
 *
 * <pre>{@code
 * StatsStorage storage = new InMemoryStatsStorage();
 * UIServer.getInstance().attach(storage);
 * LyapunovListener.builder(probe).to(new StabilityPublisher(storage)).build();
 * }</pre>
 *
 * <p>What a storage throws is thrown on; the listener logs and counts it, and training goes on.
 * Thread-safe.
 */
public final class StabilityPublisher implements CheckpointSink {
  private final StatsStorageRouter router;
  private final String session;
  private final Map<String, ListenerStatus> statuses = new HashMap<>();
  private long latest = Long.MIN_VALUE;

  /**
   * A publisher with a session of its own.
   *
   * @param router where checkpoints go
   */
  public StabilityPublisher(StatsStorageRouter router) {
    this(router, UUID.randomUUID().toString());
  }

  /**
   * A publisher to a given session.
   *
   * @param router where checkpoints go
   * @param session the session ID, for example that of a {@code StatsListener} on the same model
   * @throws IllegalArgumentException if a {@code FileStatsStorage} could not keep the session: it
   *     is blank, or holds {@code #} or {@code @@@}
   */
  public StabilityPublisher(StatsStorageRouter router, String session) {
    this.router = Objects.requireNonNull(router, "router");
    if (session.isBlank() || session.contains("#") || session.contains("@@@")) {
      throw new IllegalArgumentException(
          "a session ID must not be blank nor hold # or @@@, got '" + session + "'");
    }
    this.session = session;
  }

  /**
   * The session the checkpoints belong to.
   *
   * @return its ID
   */
  public String session() {
    return session;
  }

  /**
   * Sends a checkpoint.
   *
   * @param checkpoint what was found
   */
  @Override
  public synchronized void accept(Checkpoint checkpoint) {
    // A storage keeps one update per millisecond and replaces the earlier one.
    latest = Math.max(latest + 1, checkpoint.time().toEpochMilli());
    // Every time, because a remote router drops what it could not send, and a storage lists no run
    // that it has no start of.
    router.putStaticInfo(start(checkpoint.run(), latest));
    router.putUpdate(StabilityUpdate.of(session, latest, checkpoint));
  }

  /**
   * Sends how a listener fares, by which the page says why there is no checkpoint where none is, in
   * place of what was sent of the same run before. Counts alone are not sent.
   *
   * @param status as of now
   */
  @Override
  public synchronized void status(ListenerStatus status) {
    ListenerStatus before = statuses.put(status.run(), status);
    if (before != null
        && before.state() == status.state()
        && before.reason().equals(status.reason())) {
      return;
    }
    router.putStaticInfo(start(status.run(), Math.max(latest, System.currentTimeMillis())));
  }

  private StabilityUpdate start(String run, long time) {
    ListenerStatus status = statuses.get(run);
    return status == null
        ? StabilityUpdate.start(session, run, time)
        : StabilityUpdate.start(session, time, status);
  }
}
