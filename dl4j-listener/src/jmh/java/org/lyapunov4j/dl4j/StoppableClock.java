// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.function.LongSupplier;

/** A clock that stands still while something else is measured. For one thread. */
public final class StoppableClock implements LongSupplier {
  private final LongSupplier running;
  private long stoppedFor;

  /**
   * A clock that is running.
   *
   * @param running what it reads, in nanoseconds
   */
  public StoppableClock(LongSupplier running) {
    this.running = running;
  }

  /** The builder, whose listener will read this clock. */
  public LyapunovListener.Builder giveTo(LyapunovListener.Builder builder) {
    return builder.nanoseconds(this);
  }

  /** Runs something, for which the clock stands still. */
  public void without(Runnable work) {
    long begun = running.getAsLong();
    work.run();
    stoppedFor += running.getAsLong() - begun;
  }

  @Override
  public long getAsLong() {
    return running.getAsLong() - stoppedFor;
  }
}
