// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.analyze;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.ProbeSet;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.step.UnsupportedTrainingException;
import org.lyapunov4j.samples.cli.ErrorLines;
import org.lyapunov4j.samples.io.BadFileException;
import org.lyapunov4j.samples.model.ModelFile;
import org.lyapunov4j.samples.model.NativeThreads;

/**
 * Analyses saved models, several at a time, and hands the results on in their order. The number of
 * threads changes no bit of them: whatever is computed in parallel within one is the same for any
 * number, and ND4J gets one thread.
 */
final class OfflineRun {
  private final AnalyzeSettings settings;
  private final ProbeSet probe;
  private final Architecture architecture;
  private final int workers;
  private final int threadsEach;
  private final BooleanSupplier stop;

  OfflineRun(
      AnalyzeSettings settings,
      ProbeSet probe,
      Architecture architecture,
      int workers,
      int threads,
      BooleanSupplier stop) {
    this.settings = settings;
    this.probe = probe;
    this.architecture = architecture;
    this.workers = workers;
    threadsEach = Math.max(1, threads / workers);
    this.stop = stop;
  }

  /** Who takes the results, on the calling thread. */
  interface Results {
    void found(Checkpoint checkpoint, ModelInfo model) throws IOException;

    void refused(String complaint);
  }

  /** A result, and what it is of. */
  private record Found(Checkpoint checkpoint, ModelInfo model) {}

  /**
   * Analyses all.
   *
   * @return whether it came to the end; if not, what was done is handed on, even after a gap
   */
  boolean run(List<ModelFile> models, Results results) throws IOException {
    ExecutorService pool = Executors.newFixedThreadPool(workers);
    try {
      List<Future<Found>> futures =
          models.stream().map(model -> pool.submit(() -> analyse(model))).toList();
      boolean complete = true;
      for (int i = 0; i < futures.size(); i++) {
        complete &= handOn(models.get(i), futures.get(i), results);
      }
      return complete;
    } finally {
      pool.shutdownNow();
    }
  }

  private static boolean handOn(ModelFile model, Future<Found> future, Results results)
      throws IOException {
    try {
      Found found = future.get();
      results.found(found.checkpoint(), found.model());
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CancellationException) {
        return false;
      }
      if (e.getCause() instanceof BadFileException bad) {
        results.refused(bad.getMessage());
        return true;
      }
      // whatever is wrong with one model, the others are analysed
      results.refused(
          model.file() + ": cannot be analysed (" + ErrorLines.reason(e.getCause()) + ")");
      return true;
    }
  }

  private Found analyse(ModelFile file) throws IOException {
    if (stop.getAsBoolean()) {
      throw new CancellationException();
    }
    NativeThreads.limit(1);
    Model model = file.restore(true);
    try {
      architecture.require(model);
      var saved = Files.getLastModifiedTime(file.file()).toInstant();
      AnalysisSettings analysis =
          AnalysisSettings.of(settings.tier())
              .withSeed(settings.seed())
              .withBatchSize(settings.batchSize())
              .withSampling(settings.sampling())
              .withAnalyzer(analyzer -> analyzer.threads(threadsEach));
      Checkpoint checkpoint =
          StabilityAnalysis.of(model, probe, analysis)
              .run(settings.run())
              .clock(() -> saved)
              .cancelled(stop)
              .run();
      return new Found(checkpoint, described(checkpoint, model));
    } catch (CancellationException e) {
      throw e;
    } catch (UnsupportedTrainingException | IllegalArgumentException | IllegalStateException e) {
      throw new BadFileException(file.file(), ErrorLines.reason(e));
    } finally {
      model.params().close();
    }
  }

  private static ModelInfo described(Checkpoint checkpoint, Model model) {
    return new ModelInfo(
        model.getClass().getName(),
        model.numParams(),
        model.params().dataType().name(),
        checkpoint.findings().outputs(),
        checkpoint.iteration(),
        checkpoint.step());
  }
}
