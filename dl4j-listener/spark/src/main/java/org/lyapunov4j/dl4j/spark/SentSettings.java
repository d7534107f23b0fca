// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.Serializable;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.ProbeSet;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.CheckpointLine;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;

/**
 * What all analyses of a run have in common, in a form that can be sent to executors.
 *
 * @param sampling null if it was not told
 * @param maxEpochs budget of λ; 0 for the usual
 */
record SentSettings(int batchSize, MiniBatchSampling sampling, Tier tier, long seed, int maxEpochs)
    implements Serializable {
  SentSettings withSeed(long seed) {
    return new SentSettings(batchSize, sampling, tier, seed, maxEpochs);
  }

  /** The record's line of a model. Threads change no bit; Spark gives a task one core. */
  String analyse(Model model, ProbeSet probe, Instant saved, BooleanSupplier cancelled) {
    AnalysisSettings settings =
        AnalysisSettings.of(tier).withSeed(seed).withBatchSize(batchSize).withAnalyzer(this::apply);
    StabilityAnalysis analysis =
        StabilityAnalysis.of(
                model, probe, sampling == null ? settings : settings.withSampling(sampling))
            .run("spark")
            .clock(() -> saved)
            .cancelled(cancelled);
    return Json.line(new CheckpointLine(CheckpointDocument.of(analysis.run())));
  }

  StabilityAnalyzer analyzer(BooleanSupplier cancelled) {
    StabilityAnalyzer.Builder builder =
        StabilityAnalyzer.builder().tier(tier).seed(seed).cancelled(cancelled);
    apply(builder);
    return builder.build();
  }

  private void apply(StabilityAnalyzer.Builder builder) {
    builder.threads(1);
    if (maxEpochs > 0) {
      builder.maxEpochs(maxEpochs);
    }
  }

  @Override
  public String toString() {
    return "tier "
        + tier
        + ", seed "
        + seed
        + (maxEpochs > 0 ? ", at most " + maxEpochs + " epochs" : "");
  }
}
