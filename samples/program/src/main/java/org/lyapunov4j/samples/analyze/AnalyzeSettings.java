// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.analyze;

import java.util.List;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.RunLine;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;

/**
 * What decides the numbers of an analysis beside the model and the examples.
 *
 * @param run names the run
 * @param batchSize B
 * @param sampling of mini-batches
 * @param tier how much is computed
 * @param seed of the estimates
 */
record AnalyzeSettings(
    String run, int batchSize, MiniBatchSampling sampling, Tier tier, long seed) {

  /** Refuses to go on with a record of other settings. */
  void requireContinues(RunRecord before, String probe, int examples) {
    RunLine line = before.run().orElse(null);
    if (line == null) {
      return;
    }
    requireSame("examples with the SHA-256", line.probe(), probe);
    requireSame("--seed", line.seed(), seed);
    List<CheckpointDocument> checkpoints = before.checkpoints();
    if (!checkpoints.isEmpty()) {
      CheckpointDocument first = checkpoints.get(0);
      requireSame("--tier", first.text("tier").orElseThrow(), tier.name());
      requireSame("--batch-size", (int) first.number("batchSize"), Math.min(batchSize, examples));
      requireSame("--sampling", first.text("sampling").orElseThrow(), sampling.id());
    }
  }

  /** Refuses to go on with a record of another model. */
  static void requireModel(RunRecord before, Architecture architecture, int outputs) {
    before
        .run()
        .ifPresent(
            run ->
                Input.require(
                    run.parameters() == architecture.parameters() && run.outputs() == outputs,
                    "the record must be continued with %d parameters and %d outputs, got %d and %d;"
                        + " give another --record",
                    run.parameters(),
                    run.outputs(),
                    architecture.parameters(),
                    outputs));
  }

  private static void requireSame(String what, Object recorded, Object given) {
    Input.require(
        recorded.equals(given),
        "the record must be continued with the %s %s, got %s; give the same or another --record",
        what,
        recorded,
        given);
  }
}
