// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.util.Arrays;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An endless sequence of mini-batches, drawn by the sampler that the analysis draws from too, so
 * that what is reported is the stability of the step that is really taken. Not thread-safe.
 */
public final class MiniBatches {
  private final DataSet all;
  private final boolean fullBatch;
  private final MiniBatchSampler sampler;
  private final int[] batch;

  /**
   * A sequence.
   *
   * @param all the N training examples
   * @param step its batch size, at most N, and its sampling
   * @param random decides the mini-batches
   */
  public MiniBatches(DataSet all, SgdStep step, RandomStream random) {
    this.all = all;
    fullBatch = step.isFullBatch(all.numExamples());
    sampler = new MiniBatchSampler(all.numExamples(), step.batchSize(), step.sampling(), random);
    batch = new int[step.batchSize()];
  }

  /**
   * Passes over mini-batches without making them.
   *
   * @param count of the next ones, at least 0
   */
  public void skip(int count) {
    for (int i = 0; i < count; i++) {
      sampler.next(batch);
    }
  }

  /**
   * The next one.
   *
   * @return features and labels of its examples; all of them for gradient descent
   */
  public DataSet next() {
    int size = sampler.next(batch);
    if (fullBatch) {
      return all;
    }
    int[] rows = Arrays.copyOf(batch, size);
    return new DataSet(
        Nd4j.pullRows(all.getFeatures(), 1, rows), Nd4j.pullRows(all.getLabels(), 1, rows));
  }
}
