// SPDX-License-Identifier: Apache-2.0
package org.rapaio.jupyter.kernel.channels;

/**
 * Stands before rapaio-jupyter-kernel's class of this name on the class path. That one (3.0.1) may
 * lose a start, because its loop can run before it is marked as running, and may poll before the
 * channels have their handlers; of ten kernels, six to eight started. This one waits for the
 * handlers and only ever ends when it is told to.
 */
public final class LoopThread extends Thread {
  private static final long UNTIL_THE_HANDLERS_ARE_SET = 700;

  private final long period;
  private final Runnable body;
  private volatile boolean stopped;

  /**
   * A thread that repeats something.
   *
   * @param name of the thread
   * @param period milliseconds between two turns
   * @param body what is repeated
   */
  public LoopThread(String name, long period, Runnable body) {
    super(name);
    this.period = period;
    this.body = body;
  }

  @Override
  public void run() {
    try {
      sleep(UNTIL_THE_HANDLERS_ARE_SET);
      while (!stopped) {
        body.run();
        sleep(period);
      }
    } catch (InterruptedException e) {
      currentThread().interrupt();
    }
  }

  /** Ends the thread after its turn. */
  public void shutdown() {
    stopped = true;
  }
}
