// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.util.Map;

/**
 * How a run ended.
 *
 * @param reason why
 * @param iterations steps taken
 * @param loss mean loss of all training examples at the end
 * @param seconds duration of the run
 */
public record RunEnd(Reason reason, int iterations, double loss, double seconds) {

  /** Why a run ended. */
  public enum Reason {
    /** All planned steps were taken. */
    COMPLETED,
    /** Someone stopped it. */
    INTERRUPTED,
    /** The loss is no longer finite. */
    DIVERGED
  }

  Map<String, Object> note() {
    return Map.of(
        "reason", reason.name(), "iterations", iterations, "loss", loss, "seconds", seconds);
  }
}
