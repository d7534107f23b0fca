// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * One realisation of the random product on one state, whose growth is measured block by block,
 * beside a control variate in two parts: of quiet steps and of bursts.
 */
abstract class MeasuredRun {
  /** A residual whose mean curvature is below this share of what the step tolerates is quiet. */
  static final double QUIET_SHARE = 0.025;

  private static final int ANNIHILATIONS_ARE_CERTAIN = 3;
  private static final int SMALLEST_BLOCK = 16;

  final SgdStep step;
  final int examples;
  final int outputs;
  final MiniBatchSampler sampler;
  final int[] batch;
  private final RandomStream starts;
  private final boolean controlled;
  private final int stepsPerBlock;
  private final double[][] sums = new double[4][64];
  private int blocks;
  private int annihilations;

  MeasuredRun(GramMatrix gram, SgdStep step, RandomStream random) {
    this.step = step;
    examples = gram.examples();
    outputs = gram.outputs();
    sampler = new MiniBatchSampler(examples, step.batchSize(), step.sampling(), random.split(0));
    starts = random.split(1);
    batch = new int[step.batchSize()];
    controlled = step.sampling().isIndependent() && !step.isFullBatch(examples);
    stepsPerBlock = stepsPerBlock(gram, step);
  }

  /** 16 steps, rounded up to whole epochs where batches depend on each other within one. */
  static int stepsPerBlock(GramMatrix gram, SgdStep step) {
    if (step.sampling().isIndependent()) {
      return SMALLEST_BLOCK;
    }
    int epoch = MiniBatchSampler.stepsPerEpoch(gram.examples(), step.batchSize());
    return epoch * ((SMALLEST_BLOCK + epoch - 1) / epoch);
  }

  /** Runs steps at the learning rate of another step, unmeasured. */
  abstract void warmUp(SgdStep other, long steps);

  /** Runs a block and {@linkplain #add adds} it. */
  abstract void measureBlock();

  /** Starts at a random vector of m numbers; false if the step does not move it. */
  abstract boolean start(double[] random);

  /** Runs and measures blocks until there are so many. */
  final void measure(int until) {
    while (blocks < until && !annihilated()) {
      measureBlock();
    }
  }

  /** Adds a block. */
  final void add(double growth, double quietControl, double burstControl, boolean endsQuietly) {
    if (blocks == sums[0].length) {
      for (int i = 0; i < sums.length; i++) {
        sums[i] = Arrays.copyOf(sums[i], 2 * blocks);
      }
    }
    sums[0][blocks] = growth;
    sums[1][blocks] = quietControl;
    sums[2][blocks] = burstControl;
    sums[3][blocks] = endsQuietly ? 0 : stepsPerBlock;
    blocks++;
  }

  /** Counts a state that was annihilated and starts again at another one. */
  final void annihilate() {
    annihilations++;
    restart();
  }

  /** Starts somewhere. */
  final void restart() {
    for (int attempt = 0; attempt < ANNIHILATIONS_ARE_CERTAIN; attempt++) {
      if (start(starts.gaussians(examples * outputs))) {
        return;
      }
    }
    annihilations = ANNIHILATIONS_ARE_CERTAIN;
  }

  /** The sum of the squares of a batch's rows. */
  final double drawnSquares(double[] r, int size) {
    double sum = 0;
    for (int b = 0; b < size; b++) {
      for (int i = batch[b] * outputs; i < (batch[b] + 1) * outputs; i++) {
        sum += r[i] * r[i];
      }
    }
    return sum;
  }

  /** Steps of a block. */
  final int stepsPerBlock() {
    return stepsPerBlock;
  }

  /** How many blocks were measured. */
  final int blocks() {
    return blocks;
  }

  /** Whether states were annihilated so often that the exponent is −∞. */
  final boolean annihilated() {
    return annihilations >= ANNIHILATIONS_ARE_CERTAIN;
  }

  /** Whether there are control variates. */
  final boolean controlled() {
    return controlled;
  }

  /**
   * Mean over blocks from … to − 1, per step: of the growth (0), the quiet control (1) and the
   * burst control (2).
   */
  final double mean(int which, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += sums[which][i];
    }
    return sum / ((double) (to - from) * stepsPerBlock);
  }

  /** The share of blocks from … to − 1 that did not end quietly. */
  final double loudShare(int from, int to) {
    return mean(3, from, to);
  }
}
