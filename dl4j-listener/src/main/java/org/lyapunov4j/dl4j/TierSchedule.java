// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Map;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.stability.Tier;

/**
 * Which checkpoint is due: the dearest tier whose schedule says so, since it holds all that the
 * cheaper ones do. Asking allocates nothing. Requests may come from any thread, questions come from
 * the training thread.
 */
final class TierSchedule {
  private final Map<Tier, Schedule> schedules;
  private final Tier[] dearestFirst;
  private final Schedule[] scheduleOf;
  private final Tier main;
  private final LossSpikes spikes;
  private volatile boolean requested;

  /**
   * A timetable.
   *
   * @param schedules by tier
   * @param main the tier of a request
   */
  TierSchedule(Map<Tier, Schedule> schedules, Tier main) {
    this.schedules = schedules;
    this.main = main;
    dearestFirst =
        schedules.keySet().stream().sorted((a, b) -> b.compareTo(a)).toArray(Tier[]::new);
    scheduleOf = new Schedule[dearestFirst.length];
    for (int i = 0; i < dearestFirst.length; i++) {
      scheduleOf[i] = schedules.get(dearestFirst[i]);
    }
    boolean watches = schedules.values().stream().anyMatch(Schedule::watchesLoss);
    spikes = watches ? new LossSpikes() : null;
  }

  void request() {
    requested = true;
  }

  /** Whether somebody asked since the last time. */
  boolean takeRequest() {
    boolean was = requested;
    if (was) {
      requested = false;
    }
    return was;
  }

  /** The tier to compute on request. */
  Tier main() {
    return main;
  }

  /** The tier due at this iteration, or null. To be asked at every iteration. */
  Tier due(int iteration, Model model) {
    boolean spike = spikes != null && spikes.observe(model.score());
    for (int i = 0; i < dearestFirst.length; i++) {
      if (scheduleOf[i].isDueAt(iteration) || (spike && scheduleOf[i].watchesLoss())) {
        return dearestFirst[i];
      }
    }
    return null;
  }

  /** The tier due at the end of this epoch, or null. */
  Tier dueAfterEpoch(int epoch) {
    for (int i = 0; i < dearestFirst.length; i++) {
      if (scheduleOf[i].isDueAfterEpoch(epoch)) {
        return dearestFirst[i];
      }
    }
    return null;
  }

  @Override
  public String toString() {
    if (schedules.size() == 1) {
      return schedules.values().iterator().next().toString();
    }
    return schedules.entrySet().stream()
        .map(
            entry ->
                entry.getKey().name().toLowerCase(java.util.Locale.ROOT) + " " + entry.getValue())
        .collect(Collectors.joining(", "));
  }
}
