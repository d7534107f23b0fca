// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.NtkGramResult;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Turns snapshots of one model into checkpoints. Knows nothing of the live model once it is made.
 */
final class StabilityProbe implements AutoCloseable {
  private final String run;
  private final NtkGram ntk;
  private final StabilityAnalyzer analyzer;

  StabilityProbe(String run, Model model, MultiDataSet examples, StabilityAnalyzer analyzer) {
    this.run = run;
    this.ntk = NtkGram.builder(model).probe(examples).build();
    this.analyzer = analyzer;
  }

  Checkpoint evaluate(Snapshot snapshot) {
    long start = System.nanoTime();
    NtkGramResult result = ntk.compute(snapshot.parameters());
    long middle = System.nanoTime();
    StabilityReport stability = analyzer.analyze(result.gram(), snapshot.step().sgd());
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
        Duration.ofNanos(middle - start),
        Duration.ofNanos(end - middle));
  }

  @Override
  public void close() {
    ntk.close();
  }
}
