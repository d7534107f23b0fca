// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

/**
 * How a listener fares: whether the checkpoint that was due last is there, and if not, why.
 *
 * @param run the name of the run
 * @param state what became of it
 * @param reason in one sentence why there is none; empty if there is one
 * @param checkpoints delivered so far
 * @param skipped due but not computed
 * @param cancelled begun but cut short
 * @param failures of any kind
 * @param elsewhere calls of other networks than the one that is watched
 */
public record ListenerStatus(
    String run,
    State state,
    String reason,
    long checkpoints,
    long skipped,
    long cancelled,
    long failures,
    long elsewhere) {
  /** What became of the checkpoint that was due last. */
  public enum State {
    /** None was due yet. */
    WAITING,
    /** It was delivered. */
    WATCHING,
    /** It was passed over, for want of time, room or memory. */
    SKIPPED,
    /** It was cut short. */
    CANCELLED,
    /** It failed; the next one is tried. */
    FAILED,
    /** The model or its training cannot be treated, and no checkpoint will come. */
    REFUSED,
    /** The listener was closed. */
    CLOSED
  }
}
