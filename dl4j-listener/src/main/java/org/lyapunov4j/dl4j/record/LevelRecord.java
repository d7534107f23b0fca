// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import org.lyapunov4j.dl4j.step.Level;

/**
 * How much can be said of a training, as JSON.
 *
 * @param kind EXACT, APPROXIMATE or OBSERVED
 * @param approximation what was put in place of what; absent unless APPROXIMATE
 * @param error its bound, or what was measured; absent unless APPROXIMATE
 * @param factor what the edge ratio is right within, where it alone is given; absent else
 * @param reason why there is no λ; absent unless OBSERVED
 * @param remedy what would make it more; absent unless OBSERVED
 */
public record LevelRecord(
    String kind, String approximation, String error, Double factor, String reason, String remedy) {
  static LevelRecord of(Level level) {
    String kind = level.kind().name();
    if (level instanceof Level.Approximate near) {
      return new LevelRecord(
          kind,
          near.approximation(),
          near.error(),
          near.isGauge() ? near.factor() : null,
          null,
          null);
    }
    return level instanceof Level.Observed observed
        ? new LevelRecord(kind, null, null, null, observed.reason(), observed.remedy())
        : new LevelRecord(kind, null, null, null, null, null);
  }
}
