// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Runs independent tasks on daemon threads; the calling thread takes the first. */
final class Parallel {
  private Parallel() {}

  /**
   * Runs the task for every item and waits for all of them, even if the calling thread is
   * interrupted meanwhile: tasks see the interrupt of the caller through their own checks. The
   * first failure is rethrown after all have ended.
   */
  static <T> void run(List<T> items, int threads, Consumer<? super T> task) {
    if (threads == 1 || items.size() == 1) {
      items.forEach(task);
      return;
    }
    ExecutorService pool =
        Executors.newFixedThreadPool(
            Math.min(threads, items.size()) - 1,
            body -> {
              Thread thread = new Thread(body, "lyapunov4j-trajectory");
              thread.setDaemon(true);
              return thread;
            });
    try {
      List<Future<?>> others = new ArrayList<>();
      for (T item : items.subList(1, items.size())) {
        others.add(pool.submit(() -> task.accept(item)));
      }
      task.accept(items.get(0));
      others.forEach(Parallel::await);
    } finally {
      pool.shutdownNow();
    }
  }

  private static void await(Future<?> future) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          future.get();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error) {
        throw (Error) e.getCause();
      }
      throw (RuntimeException) e.getCause();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
