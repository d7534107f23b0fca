// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Runs each piece of work as a job of its own, many at a time. So every result is kept as soon as
 * it is there, and what kills a task again and again ends one job and not the others.
 */
final class Jobs {
  /** Until Spark is asked again whether a job is done: far below the time of any job. */
  private static final int POLL_MILLIS = 10;

  /** Answers travel as strings, which every serialiser a host may have chosen can write. */
  private static final String FOUND = "+";

  private static final String REFUSED = "-";

  private final JavaSparkContext spark;
  private final ResultFolder folder;
  private final BooleanSupplier cancelled;
  private final Consumer<SparkStability.Progress> progress;

  private final Map<String, String> found = new LinkedHashMap<>();
  private final Map<String, String> refused = new LinkedHashMap<>();
  private int total;

  Jobs(
      JavaSparkContext spark,
      ResultFolder folder,
      BooleanSupplier cancelled,
      Consumer<SparkStability.Progress> progress) {
    this.spark = spark;
    this.folder = folder;
    this.cancelled = cancelled;
    this.progress = progress;
  }

  /** What was found and refused, as JSON. */
  SparkResults<String> run(List<? extends Work> all) throws IOException {
    List<String> names = all.stream().flatMap(work -> work.names().stream()).toList();
    total = names.size();
    Queue<Work> pending = new ArrayDeque<>();
    for (Work work : all) {
      if (!isKept(work)) {
        pending.add(work);
      }
    }
    boolean complete = drain(pending);
    Map<String, String> inOrder = new LinkedHashMap<>();
    names.stream().filter(found::containsKey).forEach(name -> inOrder.put(name, found.get(name)));
    return new SparkResults<>(inOrder, refused, complete);
  }

  private boolean isKept(Work work) throws IOException {
    List<String> kept = new ArrayList<>();
    for (String name : work.names()) {
      folder.read(name).ifPresent(kept::add);
    }
    if (kept.size() < work.names().size()) {
      return false;
    }
    keepInMind(work, kept);
    return true;
  }

  private boolean drain(Queue<Work> pending) throws IOException {
    Map<JavaFutureAction<List<String>>, Work> running = new LinkedHashMap<>();
    try {
      while (!pending.isEmpty() || !running.isEmpty()) {
        if (cancelled.getAsBoolean() || spark.sc().isStopped()) {
          return false;
        }
        // executors come and go: asked each time
        while (!pending.isEmpty() && running.size() < 2 * spark.defaultParallelism()) {
          Work work = pending.remove();
          running.put(submit(work), work);
        }
        takeFinished(running);
        Thread.sleep(POLL_MILLIS);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      running.keySet().forEach(job -> job.cancel(true));
    }
  }

  private JavaFutureAction<List<String>> submit(Work work) {
    spark.setJobDescription("lyapunov4j " + String.join(", ", work.names()));
    try {
      FlatMapFunction<Integer, String> task = one -> answer(work).iterator();
      return spark.parallelize(List.of(0), 1).flatMap(task).collectAsync();
    } finally {
      spark.setJobDescription(null);
    }
  }

  /** On an executor. Spark does not see what is wrong with the work, which it would only repeat. */
  private static List<String> answer(Work work) {
    TaskContext context = TaskContext.get();
    // Native threads that wait for each other are slow, and change sums.
    Nd4j.factory().blas().setMaxThreads(1);
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
    try {
      return work.compute(context::isInterrupted).stream().map(FOUND::concat).toList();
    } catch (CancellationException e) {
      throw e;
    } catch (Exception | OutOfMemoryError | StackOverflowError | LinkageError e) {
      if (context.isInterrupted()) {
        throw new CancellationException("the job was cancelled");
      }
      return List.of(REFUSED + reason(e));
    }
  }

  private void takeFinished(Map<JavaFutureAction<List<String>>, Work> running)
      throws IOException, InterruptedException {
    List<JavaFutureAction<List<String>>> done =
        running.keySet().stream().filter(JavaFutureAction::isDone).toList();
    for (JavaFutureAction<List<String>> job : done) {
      Work work = running.remove(job);
      try {
        List<String> answers = job.get();
        if (answers.get(0).startsWith(REFUSED)) {
          refuse(work, answers.get(0).substring(1));
        } else {
          keep(work, answers.stream().map(answer -> answer.substring(1)).toList());
        }
      } catch (ExecutionException e) {
        if (spark.sc().isStopped()) {
          return;
        }
        refuse(work, "Spark gave the job up: " + reason(e.getCause()));
      }
    }
  }

  private void keep(Work work, List<String> answers) throws IOException {
    for (int i = 0; i < answers.size(); i++) {
      folder.write(work.names().get(i), answers.get(i));
    }
    keepInMind(work, answers);
  }

  private void keepInMind(Work work, List<String> answers) {
    for (int i = 0; i < answers.size(); i++) {
      found.put(work.names().get(i), answers.get(i));
      tell(work.names().get(i));
    }
  }

  private void refuse(Work work, String reason) {
    for (String name : work.names()) {
      refused.put(name, reason);
      tell(name);
    }
  }

  private void tell(String name) {
    progress.accept(new SparkStability.Progress(name, found.size(), refused.size(), total));
  }

  /** The first line of what went wrong, without traces. */
  static String reason(Throwable cause) {
    String message = cause.getMessage();
    return message == null || message.isBlank()
        ? cause.getClass().getSimpleName()
        : message.strip().split("\\R", 2)[0];
  }
}
