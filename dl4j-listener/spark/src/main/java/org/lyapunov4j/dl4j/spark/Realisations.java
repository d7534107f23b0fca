// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.spark.broadcast.Broadcast;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.step.SgdStep;

/** Finite-time exponents of the trajectories of one seed. */
record Realisations(
    Broadcast<SentGram> gram, SgdStep step, int horizon, int trajectories, long seed)
    implements Work {
  @Override
  public List<String> names() {
    return List.of("seed-" + seed);
  }

  @Override
  public List<String> compute(BooleanSupplier cancelled) {
    return List.of(
        Json.line(
            CheckpointDocument.of(
                FiniteTimeEstimator.builder()
                    .seed(seed)
                    .threads(1)
                    .trajectories(trajectories)
                    .cancelled(cancelled)
                    .build()
                    .estimate(gram.value().gram(), step, horizon))));
  }
}
