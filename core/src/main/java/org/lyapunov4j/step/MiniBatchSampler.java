// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

/**
 * Draws the mini-batches of successive steps. Stateful and not thread-safe: one sampler per
 * trajectory.
 *
 * <p>An epoch is ⌈N/B⌉ steps for every scheme.
 */
public final class MiniBatchSampler {
  private final int examples;
  private final int batchSize;
  private final MiniBatchSampling sampling;
  private final RandomStream random;
  private final int[] order;
  private int position;

  /**
   * A sampler.
   *
   * @param examples N ≥ 1
   * @param batchSize B, 1 … N, or more for draws with replacement
   * @param sampling the scheme
   * @param random the source; used by this sampler alone
   */
  public MiniBatchSampler(
      int examples, int batchSize, MiniBatchSampling sampling, RandomStream random) {
    if (batchSize < 1 || batchSize > sampling.largestBatch(examples)) {
      throw new IllegalArgumentException(
          "batch size must be at least 1 and, unless drawn with replacement, at most the number of"
              + " examples "
              + examples
              + ", got "
              + batchSize);
    }
    this.examples = examples;
    this.batchSize = batchSize;
    this.sampling = sampling;
    this.random = random;
    order = new int[examples];
    for (int i = 0; i < examples; i++) {
      order[i] = i;
    }
    position = examples;
  }

  /**
   * Draws the batch of the next step.
   *
   * @param batch receives the example indices in its first entries; length at least B
   * @return |S|, the number of indices written: B, or less for the last batch of an epoch
   */
  public int next(int[] batch) {
    return switch (sampling) {
      case IID_SUBSETS -> nextSubset(batch);
      case IID_WITH_REPLACEMENT -> nextDraws(batch);
      case SHUFFLED_EPOCHS, ORDERED_EPOCHS -> nextOfEpoch(batch);
    };
  }

  /**
   * Steps per epoch.
   *
   * @return ⌈N/B⌉
   */
  public int stepsPerEpoch() {
    return stepsPerEpoch(examples, batchSize);
  }

  /**
   * Steps per epoch, without a sampler.
   *
   * @param examples N
   * @param batchSize B
   * @return ⌈N/B⌉
   */
  public static int stepsPerEpoch(int examples, int batchSize) {
    return (examples + batchSize - 1) / batchSize;
  }

  private int nextSubset(int[] batch) {
    for (int i = 0; i < batchSize; i++) {
      swap(i, i + random.nextInt(examples - i));
      batch[i] = order[i];
    }
    return batchSize;
  }

  private int nextDraws(int[] batch) {
    for (int i = 0; i < batchSize; i++) {
      batch[i] = random.nextInt(examples);
    }
    return batchSize;
  }

  private int nextOfEpoch(int[] batch) {
    if (position == examples) {
      position = 0;
      if (sampling == MiniBatchSampling.SHUFFLED_EPOCHS) {
        shuffle();
      }
    }
    int size = Math.min(batchSize, examples - position);
    System.arraycopy(order, position, batch, 0, size);
    position += size;
    return size;
  }

  private void shuffle() {
    for (int i = examples - 1; i > 0; i--) {
      swap(i, random.nextInt(i + 1));
    }
  }

  private void swap(int i, int j) {
    int held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
}
