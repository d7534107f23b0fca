// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.lyapunov4j.samples.cli.Progress;
import org.lyapunov4j.samples.model.NativeThreads;

/** Executes the runs of an experiment that have no result yet. */
final class Campaign {
  private final ResultFolder folder;
  private final int jobs;
  private final BooleanSupplier stop;

  /**
   * A campaign.
   *
   * @param folder of the results
   * @param jobs runs at a time
   * @param stop true to leave what is under way and begin nothing more
   */
  Campaign(ResultFolder folder, int jobs, BooleanSupplier stop) {
    this.folder = folder;
    this.jobs = jobs;
    this.stop = stop;
  }

  /** The runs that have no result. */
  List<Run> pending(List<Run> runs) throws IOException {
    List<Run> pending = new ArrayList<>();
    for (Run run : runs) {
      if (folder.find(run).isEmpty()) {
        pending.add(run);
      }
    }
    return pending;
  }

  /** The results there are. */
  List<RunResult> results(List<Run> runs) throws IOException {
    List<RunResult> results = new ArrayList<>();
    for (Run run : runs) {
      folder.find(run).ifPresent(results::add);
    }
    return results;
  }

  /**
   * Executes runs and keeps their results.
   *
   * @return complaints about runs that failed; the others are not affected
   */
  List<String> execute(List<Run> runs, Progress progress) throws IOException {
    ExecutorService workers = Executors.newFixedThreadPool(jobs);
    try {
      List<Future<Optional<String>>> complaints =
          runs.stream().map(run -> workers.submit(() -> execute(run, progress))).toList();
      List<String> failures = new ArrayList<>();
      for (Future<Optional<String>> complaint : complaints) {
        complaint.get().ifPresent(failures::add);
      }
      return failures;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while runs were under way", e);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    } finally {
      workers.shutdownNow();
    }
  }

  private Optional<String> execute(Run run, Progress progress) throws IOException {
    if (stop.getAsBoolean()) {
      return Optional.empty();
    }
    NativeThreads.limit(1); // sums depend on the number of threads, results must not
    long start = System.nanoTime();
    try {
      Measurements found = run.execute(folder.recordFor(run), folder.stateOf(run), stop);
      if (stop.getAsBoolean()) {
        return Optional.empty();
      }
      double seconds = (System.nanoTime() - start) * 1e-9;
      folder.keep(run, new RunResult(run.id(), run.settings(), found, seconds));
      progress.println(String.format("%-44s %s", run.id(), Progress.seconds(seconds)));
      progress.step();
      return Optional.empty();
    } catch (RuntimeException e) {
      progress.step();
      return Optional.of(run.id() + " failed: " + e);
    }
  }
}
