// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import org.deeplearning4j.core.storage.Persistable;
import org.deeplearning4j.core.storage.StatsStorage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the attached storages hold, as the JSON that the page asks for. Keeps no checkpoint. */
final class History {
  /** Checkpoints of one answer; the page asks again for more. */
  static final int PAGE_SIZE = 1000;

  private static final Logger log = LoggerFactory.getLogger(History.class);

  private final Set<StatsStorage> storages = new CopyOnWriteArraySet<>();

  void attach(StatsStorage storage) {
    storages.add(storage);
  }

  void detach(StatsStorage storage) {
    storages.remove(storage);
  }

  /** All runs of all sessions, the one with the latest checkpoint first. */
  ObjectNode runs() {
    List<Run> runs = new ArrayList<>();
    for (StatsStorage storage : storages) {
      try {
        collect(storage, runs);
      } catch (RuntimeException | IllegalAccessError e) { // the latter from a closed file
        log.debug("{} cannot be read", storage, e);
      }
    }
    runs.sort(Comparator.comparingLong(Run::latest).reversed());
    ObjectNode json = Json.object();
    ArrayNode array = json.putArray("runs");
    runs.forEach(run -> array.add(run.json()));
    return json;
  }

  /**
   * The checkpoints of a run after a time, oldest first.
   *
   * @param session its session ID
   * @param worker its worker ID
   * @param time milliseconds since the epoch
   * @return at most {@value #PAGE_SIZE} checkpoints, the time to ask with next, and whether there
   *     are more
   */
  ObjectNode after(String session, String worker, long time) {
    for (StatsStorage storage : storages) {
      try {
        if (storage.getStaticInfo(session, StabilityUpdate.TYPE_ID, worker) != null) {
          return checkpoints(
              storage.getAllUpdatesAfter(session, StabilityUpdate.TYPE_ID, worker, time), time);
        }
      } catch (RuntimeException | IllegalAccessError e) {
        log.debug("{} cannot be read", storage, e);
      }
    }
    return checkpoints(List.of(), time);
  }

  private static void collect(StatsStorage storage, List<Run> runs) {
    String type = StabilityUpdate.TYPE_ID;
    for (String session : storage.listSessionIDs()) {
      for (String worker : storage.listWorkerIDsForSessionAndType(session, type)) {
        Persistable start = storage.getStaticInfo(session, type, worker);
        if (start instanceof StabilityUpdate update) {
          runs.add(new Run(session, worker, update.run(), update.getTimeStamp(), update.status()));
        }
      }
    }
  }

  private static ObjectNode checkpoints(List<Persistable> updates, long time) {
    List<Persistable> answered = updates.subList(0, Math.min(PAGE_SIZE, updates.size()));
    ObjectNode json = Json.object();
    ArrayNode array = json.putArray("checkpoints");
    long latest = time;
    for (Persistable update : answered) {
      latest = update.getTimeStamp();
      ((StabilityUpdate) update)
          .checkpoint()
          .ifPresent(checkpoint -> array.addRawValue(new RawValue(checkpoint)));
    }
    return json.put("next", latest).put("more", answered.size() < updates.size());
  }

  /** A run as the page lists it. */
  private record Run(
      String session, String worker, String run, long latest, Optional<String> status) {
    ObjectNode json() {
      ObjectNode json =
          Json.object()
              .put("session", session)
              .put("worker", worker)
              .put("run", run)
              .put("latest", latest);
      status.ifPresent(found -> json.putRawValue("status", new RawValue(found)));
      return json;
    }
  }
}
