// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

/**
 * The mini-batch size of a training run, from the sizes of its latest mini-batches: the most
 * frequent one, and of equally frequent ones the larger, so that the ragged last batch of an epoch
 * does not count. Recording allocates nothing.
 */
final class ObservedBatchSize {
  private static final int WINDOW = 32;

  private final int[] sizes = new int[WINDOW];
  private long recorded;

  void record(int size) {
    sizes[(int) (recorded++ % WINDOW)] = size;
  }

  /** The size. At least one must have been recorded. */
  int get() {
    int best = 0;
    int bestCount = 0;
    int known = (int) Math.min(recorded, WINDOW);
    for (int i = 0; i < known; i++) {
      int count = 0;
      for (int j = 0; j < known; j++) {
        count += sizes[j] == sizes[i] ? 1 : 0;
      }
      if (count > bestCount || (count == bestCount && sizes[i] > best)) {
        best = sizes[i];
        bestCount = count;
      }
    }
    return best;
  }
}
