// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * The mini-batches a training run is seen to use: their size, from the latest ones, and how many of
 * which sizes make an epoch. The size is the most frequent one, and of equally frequent ones the
 * larger, so that the ragged last batch of an epoch does not count. Recording allocates nothing.
 */
final class ObservedBatchSize {
  private static final int WINDOW = 32;

  private final int[] sizes = new int[WINDOW];
  private long recorded;
  private final Count run = new Count();
  private final Count current = new Count();
  private boolean startSeen;
  private Epoch latest;

  /**
   * An epoch that was seen from its start to its end.
   *
   * @param examples in all
   * @param batches mini-batches, at least 1
   * @param smallest mini-batch but the last
   * @param largest mini-batch but the last
   * @param last size of the last mini-batch
   */
  record Epoch(long examples, long batches, int smallest, int largest, int last) {
    @Override
    public String toString() {
      String sizes = range(smallest, largest) + (last == largest ? "" : ", the last of " + last);
      return String.format(
          "training saw %d examples an epoch in %s",
          examples, batches == 1 ? "one mini-batch" : batches + " mini-batches of " + sizes);
    }
  }

  /** Of the mini-batch a model was trained on last, which has no labels if its errors are given. */
  static int of(Model model) {
    boolean errorsGiven =
        model instanceof MultiLayerNetwork network
            && network.getLabels() == null
            && network.getInput() != null;
    return errorsGiven ? (int) model.input().size(0) : model.batchSize();
  }

  void record(int size) {
    sizes[(int) (recorded++ % WINDOW)] = size;
    run.add(size);
    current.add(size);
  }

  void startEpoch() {
    current.clear();
    startSeen = true;
  }

  /** An epoch whose start was missed tells nothing. */
  void endEpoch() {
    if (startSeen && current.batches > 0) {
      latest = current.epoch();
    }
    startSeen = false;
  }

  /** The latest epoch that has ended. */
  Optional<Epoch> epoch() {
    return Optional.ofNullable(latest);
  }

  /** What was seen, in one sentence. At least one mini-batch must have been recorded. */
  String describe() {
    return latest != null
        ? latest.toString()
        : "mini-batches seen were of "
            + range(Math.min(run.smallest, run.last), Math.max(run.largest, run.last));
  }

  private static String range(int smallest, int largest) {
    return smallest == largest ? String.valueOf(largest) : smallest + " to " + largest;
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

  /** The last mini-batch is kept apart from the range of the others. */
  private static final class Count {
    private long examples;
    private long batches;
    private int smallest;
    private int largest;
    private int last;

    void clear() {
      examples = 0;
      batches = 0;
    }

    void add(int size) {
      int before = batches == 0 ? size : last;
      smallest = batches <= 1 ? before : Math.min(smallest, before);
      largest = batches <= 1 ? before : Math.max(largest, before);
      last = size;
      examples += size;
      batches++;
    }

    Epoch epoch() {
      return new Epoch(examples, batches, smallest, largest, last);
    }
  }
}
