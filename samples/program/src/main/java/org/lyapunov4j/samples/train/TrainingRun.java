// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;

/** Trains a network step by step, with a {@link LyapunovListener} attached. */
public final class TrainingRun {
  /** Keys of the independent random streams of a run. */
  private static final long BATCHES = 1;

  static final long EXAMPLES = 2;

  private final MultiLayerNetwork network;
  private final DataSet examples;
  private final MiniBatches batches;
  private final int iterations;
  private int iteration;

  /**
   * A run that has not begun.
   *
   * @param network with its initial parameters; trained in place
   * @param examples to train on
   * @param step batch size and sampling; the rest is the network's own affair
   * @param iterations planned steps
   * @param seed of the mini-batches
   */
  public TrainingRun(
      MultiLayerNetwork network, DataSet examples, SgdStep step, int iterations, long seed) {
    this.network = network;
    this.examples = examples;
    this.iterations = iterations;
    batches = new MiniBatches(examples, step, new RandomStream(seed).split(BATCHES));
  }

  /**
   * Goes on where a run of the same seed was interrupted; its mini-batches are not drawn again.
   *
   * @param done the steps that the network has taken in it
   * @return this
   */
  public TrainingRun resumeAfter(int done) {
    batches.skip(done);
    iteration = done;
    return this;
  }

  /**
   * Trains until the planned steps are done, the loss is no longer finite, or {@code stop} says so.
   * The last planned step has a checkpoint, whatever the schedule, and the record a note of the
   * end.
   *
   * @param listener watches; left open
   * @param observer told of every step
   * @param stop asked after every step
   * @return how it ended
   */
  public RunEnd run(LyapunovListener listener, StepObserver observer, BooleanSupplier stop) {
    long start = System.nanoTime();
    network.setListeners(listener);
    RunEnd.Reason reason = RunEnd.Reason.COMPLETED;
    while (iteration < iterations && reason == RunEnd.Reason.COMPLETED) {
      if (iteration == iterations - 1) {
        listener.requestCheckpoint();
      }
      network.fit(batches.next());
      double loss = network.score();
      observer.stepped(iteration, loss);
      iteration++;
      if (!Double.isFinite(loss)) {
        reason = RunEnd.Reason.DIVERGED;
      } else if (stop.getAsBoolean()) {
        reason = RunEnd.Reason.INTERRUPTED;
      }
    }
    double seconds = (System.nanoTime() - start) * 1e-9;
    RunEnd end = new RunEnd(reason, iteration, network.score(examples), seconds);
    listener.note(end.note());
    return end;
  }
}
