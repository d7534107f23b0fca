// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.NtkGramResult;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Turns snapshots of one model into checkpoints. Knows nothing of the live model once it is made.
 */
final class StabilityProbe implements AutoCloseable {
  private final String run;
  private final NtkGram ntk;
  private final StabilityAnalyzer analyzer;
  private final boolean compareSizes;

  StabilityProbe(
      String run,
      Model model,
      MultiDataSet examples,
      StabilityAnalyzer analyzer,
      boolean compareSizes) {
    this.run = run;
    this.ntk = NtkGram.builder(model).probe(examples).build();
    this.analyzer = analyzer;
    this.compareSizes = compareSizes;
  }

  Checkpoint evaluate(Snapshot snapshot) {
    long start = System.nanoTime();
    NtkGramResult result = ntk.compute(snapshot.parameters());
    long middle = System.nanoTime();
    StabilityReport stability = analyzer.analyze(result.gram(), snapshot.step().sgd());
    List<StabilityReport> smaller =
        compareSizes
            ? List.of(part(result.gram(), snapshot, 4), part(result.gram(), snapshot, 2))
            : List.of();
    long end = System.nanoTime();
    return new Checkpoint(
        run,
        snapshot.iteration(),
        snapshot.epoch(),
        snapshot.time(),
        snapshot.loss(),
        snapshot.step(),
        result.assumptions(),
        stability,
        smaller,
        Duration.ofNanos(middle - start),
        Duration.ofNanos(end - middle));
  }

  /** The report for every so manieth example, with the same step. */
  private StabilityReport part(GramMatrix gram, Snapshot snapshot, int stride) {
    int examples = gram.examples() / stride;
    int[] chosen = IntStream.range(0, examples).map(i -> i * stride).toArray();
    SgdStep step = snapshot.step().sgd();
    return analyzer.analyze(
        gram.subset(chosen), step.withBatchSize(Math.min(step.batchSize(), examples)));
  }

  @Override
  public void close() {
    ntk.close();
  }
}
