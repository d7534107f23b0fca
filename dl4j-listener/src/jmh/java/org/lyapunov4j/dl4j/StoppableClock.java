// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.function.LongSupplier;

/** A clock that stands still while something else is measured. For one thread. */
public final class StoppableClock implements LongSupplier {
  private long stoppedFor;

  /** The builder, whose listener will read this clock. */
  public LyapunovListener.Builder giveTo(LyapunovListener.Builder builder) {
    return builder.nanoseconds(this);
  }

  /** Runs something, for which the clock stands still. */
  public void without(Runnable work) {
    long begun = System.nanoTime();
    work.run();
    stoppedFor += System.nanoTime() - begun;
  }

  @Override
  public long getAsLong() {
    return System.nanoTime() - stoppedFor;
  }
}
