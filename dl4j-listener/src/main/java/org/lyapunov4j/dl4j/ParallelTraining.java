// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Arrays;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What {@code ParallelWrapper} makes of a step. Where it averages the parameters of its workers
 * after every round, a round is one step on the mini-batches of all of them. That it averages shows
 * where parameters are not those that the step before left; some entries are compared.
 */
final class ParallelTraining {
  private static final String THREAD = "ParallelWrapper training thread ";
  private static final int ENOUGH_ROUNDS = 4;

  private double[] left;
  private int rounds;
  private int averaged;

  private static boolean isParallel() {
    return Thread.currentThread().getName().startsWith(THREAD);
  }

  /** Remembers where a step has led. */
  void stepped(Model model) {
    left = isParallel() ? fingerprint(model.params()) : null;
  }

  /** Notices whether training goes on from there. */
  void goesOn(Model model) {
    if (left != null) {
      rounds++;
      averaged += Arrays.equals(left, fingerprint(model.params())) ? 0 : 1;
      left = null;
    }
  }

  private static double[] fingerprint(INDArray parameters) {
    long last = parameters.length() - 1;
    double[] entries = new double[5];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = parameters.getDouble(last * i / (entries.length - 1));
    }
    return entries;
  }

  /** How many workers train beside each other here and now; 1 without a wrapper. */
  int workers() {
    if (!isParallel()) {
      return 1;
    }
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    Thread[] threads = new Thread[2 * group.activeCount() + 8];
    int count = group.enumerate(threads);
    return (int)
        Math.max(
            1,
            Arrays.stream(threads, 0, count)
                .map(Thread::getName)
                .filter(name -> name.startsWith(THREAD))
                .distinct()
                .count());
  }

  /**
   * Between two averages a worker takes steps of its own. A ↦ A X Aᵀ is convex in the order of
   * matrices, so that the mean of the workers' maps is stable in mean square where the map of one
   * is.
   */
  private TrainingStep ofOneWorker(TrainingStep step, int workers) {
    String approximation =
        "the "
            + workers
            + " workers of a ParallelWrapper, averaged after every "
            + Math.round((double) rounds / averaged)
            + " rounds, go apart in between; the step is that of one of them";
    return step.withSgd(step.sgd().withBatchSize(Math.max(1, step.sgd().batchSize() / workers)))
        .at(
            new Level.Approximate(
                approximation,
                "where one is stable in mean square their mean is, and η_c was up to as many times"
                    + " larger as there are workers",
                workers));
  }

  /** The step with what the workers make of it. */
  TrainingStep of(TrainingStep step, int workers) {
    if (workers == 1) {
      return step;
    }
    if (rounds >= ENOUGH_ROUNDS && averaged > 0 && 3 * averaged < 2 * rounds) {
      return ofOneWorker(step, workers);
    }
    return step.withRemark(
        "the mini-batches of "
            + workers
            + " workers of a ParallelWrapper make one step, for it averages after every round"
            + (averaged > 0 && rounds >= ENOUGH_ROUNDS ? ", as seen" : ", as assumed"));
  }
}
