// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** Where checkpoints are computed, one at a time. */
interface Worker {
  /** What there is to do. */
  interface Job extends Runnable {
    /** Called instead of {@code run} if it will never run. */
    void abandon();
  }

  /**
   * Takes a job on.
   *
   * @param job what to run; abandoned if there is no room, or closed
   * @return false if it was abandoned
   */
  boolean submit(Job job);

  /** Waits until all jobs taken on are done; cut short by an interrupt, which stays set. */
  void flush();

  /**
   * Waits so long for the jobs taken on, then abandons those that have not begun and interrupts the
   * one that runs. Called by a job, it does not wait for that job.
   *
   * @return whether all jobs taken on are over
   */
  boolean close(Duration patience);

  /** In the thread that submits. What a job throws is thrown to the submitter. */
  final class Direct implements Worker {
    private final ReentrantLock running = new ReentrantLock();

    @Override
    public boolean submit(Job job) {
      if (!running.tryLock()) {
        job.abandon();
        return false;
      }
      try {
        job.run();
      } finally {
        running.unlock();
      }
      return true;
    }

    @Override
    public void flush() {
      running.lock();
      try {
        // What ran is over now.
      } finally {
        running.unlock();
      }
    }

    @Override
    public boolean close(Duration patience) {
      flush();
      return !running.isHeldByCurrentThread();
    }
  }

  /** In a daemon thread of its own, which ends when there is nothing to do. */
  final class Background implements Worker {
    /** One job runs while one waits. */
    private static final int ROOM = 2;

    private final Semaphore room = new Semaphore(ROOM);
    private final Backlog backlog;
    private final Consumer<Throwable> onFailure;
    private final ThreadPoolExecutor executor;
    private volatile Thread thread;

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
                thread = new Thread(task, name);
                thread.setDaemon(true);
                return thread;
              });
      executor.allowCoreThreadTimeOut(true);
    }

    @Override
    public boolean submit(Job job) {
      if (!enter()) {
        job.abandon();
        return false;
      }
      Queued queued = new Queued(job);
      try {
        executor.execute(queued);
        return true;
      } catch (RejectedExecutionException closed) {
        queued.abandon();
        return false;
      } catch (Throwable failure) {
        queued.abandon();
        throw failure;
      }
    }

    @Override
    public void flush() {
      if (Thread.currentThread() == thread) {
        return;
      }
      try {
        room.acquire(ROOM);
        room.release(ROOM);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public boolean close(Duration patience) {
      boolean inside = Thread.currentThread() == thread;
      executor.shutdown();
      try {
        if (!inside && executor.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
          return true;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      if (inside) {
        executor.getQueue().removeIf(Background::abandon);
      } else {
        executor.shutdownNow().forEach(Background::abandon);
      }
      return false;
    }

    private static boolean abandon(Runnable waiting) {
      ((Queued) waiting).abandon();
      return true;
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

    /** A job that has its place. */
    private final class Queued implements Runnable {
      private final Job job;

      Queued(Job job) {
        this.job = job;
      }

      @Override
      public void run() {
        try {
          job.run();
        } catch (Throwable failure) {
          onFailure.accept(failure);
        } finally {
          room.release();
        }
      }

      void abandon() {
        try {
          job.abandon();
        } finally {
          room.release();
        }
      }
    }
  }
}
