// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.concurrent.TimeUnit;

/** The time between two states that a run keeps. */
final class Pause {
  /** A model of a million parameters takes a second to keep, which is little of this. */
  private static final long LENGTH = TimeUnit.MINUTES.toNanos(1);

  private long last = System.nanoTime();

  /** Whether it is over; then the next one begins. */
  boolean isOver() {
    long now = System.nanoTime();
    if (now - last < LENGTH) {
      return false;
    }
    last = now;
    return true;
  }
}
