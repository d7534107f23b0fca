// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.run;

/**
 * The last line of a record file.
 *
 * @param type {@code "end"}
 * @param reason COMPLETED, INTERRUPTED or DIVERGED
 * @param iterations steps taken
 * @param loss mean loss of all training examples at the end
 * @param seconds duration of the run
 */
public record EndRecord(String type, Reason reason, int iterations, double loss, double seconds) {

  /** Why a run ended. */
  public enum Reason {
    /** All planned steps were taken. */
    COMPLETED,
    /** Someone stopped it. */
    INTERRUPTED,
    /** The loss is no longer finite. */
    DIVERGED
  }
}
