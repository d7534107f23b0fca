// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Where checkpoints are computed, one at a time. */
interface Worker {
  /**
   * Takes a task on.
   *
   * @param task what to run
   * @return false if there was no room and the task will not be run
   */
  boolean submit(Runnable task);

  /** Waits until all tasks taken on are done; cut short by an interrupt, which stays set. */
  void flush();

  /** Waits so long for the tasks taken on, then interrupts what still runs. */
  void close(Duration patience);

  /** In the thread that submits. What a task throws is thrown to the submitter. */
  static Worker direct() {
    return new Worker() {
      private final Semaphore permit = new Semaphore(1);

      @Override
      public boolean submit(Runnable task) {
        if (!permit.tryAcquire()) {
          return false;
        }
        try {
          task.run();
        } finally {
          permit.release();
        }
        return true;
      }

      @Override
      public void flush() {
        permit.acquireUninterruptibly();
        permit.release();
      }

      @Override
      public void close(Duration patience) {
        flush();
      }
    };
  }

  /** In a daemon thread of its own, which ends when there is nothing to do. */
  final class Background implements Worker {
    /** One task runs while one waits. */
    private static final int ROOM = 2;

    private final Semaphore room = new Semaphore(ROOM);
    private final Backlog backlog;
    private final Consumer<Throwable> onFailure;
    private final ThreadPoolExecutor executor;

    Background(String name, Backlog backlog, Consumer<Throwable> onFailure) {
      this.backlog = backlog;
      this.onFailure = onFailure;
      executor =
          new ThreadPoolExecutor(
              1,
              1,
              5,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(),
              task -> {
                Thread thread = new Thread(task, name);
                thread.setDaemon(true);
                return thread;
              });
      executor.allowCoreThreadTimeOut(true);
    }

    @Override
    public boolean submit(Runnable task) {
      if (!enter()) {
        return false;
      }
      try {
        executor.execute(() -> run(task));
        return true;
      } catch (Throwable refused) {
        room.release();
        throw refused;
      }
    }

    @Override
    public void flush() {
      try {
        room.acquire(ROOM);
        room.release(ROOM);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close(Duration patience) {
      executor.shutdown();
      try {
        if (!executor.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
          executor.shutdownNow();
        }
      } catch (InterruptedException e) {
        executor.shutdownNow();
        Thread.currentThread().interrupt();
      }
    }

    private boolean enter() {
      if (backlog == Backlog.SKIP) {
        return room.tryAcquire();
      }
      try {
        room.acquire();
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }

    private void run(Runnable task) {
      try {
        task.run();
      } catch (Throwable failure) {
        onFailure.accept(failure);
      } finally {
        room.release();
      }
    }
  }
}
