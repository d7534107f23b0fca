// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.step.TrainingStep;

/**
 * The training step at an iteration: what the model tells, and what only watching it tells, the
 * size and the order of its mini-batches and the number of its workers.
 */
final class ObservedSteps {
  private final ProbeSet probe;
  private final int fixedBatchSize;
  private final ObservedBatches batches;
  private final String carried;
  private final ObservedBatchSize sizes = new ObservedBatchSize();
  private final ObservedOrder order = new ObservedOrder();
  private final ParallelTraining parallel = new ParallelTraining();
  private StepOnProbe reader;

  /**
   * A new one.
   *
   * @param reader reads the model
   * @param fixedBatchSize what was told; 0 for what is observed
   * @param batches the mini-batches that training takes, or null
   * @param carried what a tangent vector takes, or null
   */
  ObservedSteps(
      ProbeSet probe,
      StepOnProbe reader,
      int fixedBatchSize,
      ObservedBatches batches,
      String carried) {
    this.probe = probe;
    this.reader = reader;
    this.fixedBatchSize = fixedBatchSize;
    this.batches = batches;
    this.carried = carried;
  }

  /** What reads the model, with the order of mini-batches as far as it was seen. */
  StepOnProbe reader() {
    return reader;
  }

  /** Before the step of an iteration. */
  void goesOn(Model model) {
    parallel.goesOn(model);
  }

  /** After the step of an iteration. */
  void record(Model model, int iteration) {
    sizes.record(ObservedBatchSize.of(model));
    order.record(model);
    if (batches != null) {
      batches.record(model, iteration);
    }
  }

  /** After everything that belongs to an iteration. */
  void stepped(Model model) {
    parallel.stepped(model);
  }

  /** What was needed of the mini-batches up to an iteration. */
  void forgetUntil(int iteration) {
    batches.forgetUntil(iteration);
  }

  void startEpoch() {
    sizes.startEpoch();
    if (!reader.isToldSampling()) {
      order.startEpoch();
      reader = reader.observing(order.order());
    }
  }

  void endEpoch() {
    sizes.endEpoch();
    order.endEpoch();
    reader = reader.observing(order.order());
  }

  /** The step that the model takes at an iteration. */
  TrainingStep read(Model model, int iteration, int epoch) {
    int workers = fixedBatchSize > 0 ? 1 : parallel.workers();
    int trained = fixedBatchSize > 0 ? fixedBatchSize : workers * sizes.get();
    TrainingStep step =
        takesFullBatches()
            ? reader.readFullBatch(model, iteration, epoch, trained)
            : reader.read(model, iteration, epoch, trained);
    step = parallel.of(step, workers).withRemark(sizes.describe());
    step = batches == null ? step : step.withRemark(batches.remark());
    step = carried == null ? step : step.withRemark(carried);
    long seen = sizes.epoch().map(ObservedBatchSize.Epoch::examples).orElse(0L);
    return seen == 0 || seen == probe.size()
        ? step
        : step.withRemark(
            "the probe has "
                + probe.size()
                + (seen > probe.size() ? " of " : " examples, not the ")
                + seen
                + (seen > probe.size() ? " examples" : " of an epoch")
                + ": λ is that of training on the probe");
  }

  private boolean takesFullBatches() {
    return !reader.isToldSampling()
        && fixedBatchSize == 0
        && sizes.epoch().filter(e -> e.batches() == 1).isPresent();
  }
}
