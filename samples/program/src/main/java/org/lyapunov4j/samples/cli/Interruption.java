// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C into a request: the JVM waits, up to a limit, until the running command has put its
 * results away.
 */
public final class Interruption implements AutoCloseable {
  /** What a shell reports for a program ended by Ctrl-C. */
  public static final int STATUS = 130;

  private static final long PATIENCE_SECONDS = 30;

  private final CountDownLatch requested = new CountDownLatch(1);
  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::interrupt, "interruption");

  /** From now on. */
  public Interruption() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void interrupt() {
    requested.countDown();
    try {
      finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Whether Ctrl-C came.
   *
   * @return true from then on
   */
  public boolean requested() {
    return requested.getCount() == 0;
  }

  /** Waits for Ctrl-C. */
  public void await() {
    try {
      requested.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending, which is what the hook was for.
    }
  }
}
