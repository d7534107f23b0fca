// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The mini-batches that training takes, as examples of the probe: each example of a batch is looked
 * up by a hash of a few entries of its features. A batch with an example that is not of the probe,
 * or that the probe has twice, is not known. Recorded in the training thread, read where
 * checkpoints are computed.
 */
final class ObservedBatches {
  private final Map<Long, Integer> examples = new HashMap<>();
  private final ConcurrentSkipListMap<Integer, int[]> batches = new ConcurrentSkipListMap<>();
  private final boolean ambiguous;
  private volatile boolean anyKnown;
  private boolean anyUnknown;

  /**
   * Of several inputs the first is looked at.
   *
   * @param features of the probe
   */
  ObservedBatches(INDArray features) {
    for (int i = 0; i < features.size(0); i++) {
      examples.put(ObservedOrder.hash(features, i), i);
    }
    ambiguous = examples.size() < features.size(0);
  }

  /** Records the batch of the step just taken. */
  void record(Model model, int iteration) {
    INDArray features = ambiguous ? null : ObservedOrder.readableFeatures(model);
    int[] batch = features == null ? null : lookUp(features);
    if (batch == null) {
      anyUnknown = true;
    } else {
      anyKnown = true;
      batches.put(iteration, batch);
    }
  }

  private int[] lookUp(INDArray features) {
    int[] batch = new int[(int) features.size(0)];
    for (int i = 0; i < batch.length; i++) {
      Integer example = examples.get(ObservedOrder.hash(features, i));
      if (example == null) {
        return null;
      }
      batch[i] = example;
    }
    return batch;
  }

  /** The examples of the step that led to an iteration, or null. */
  int[] taken(int iteration) {
    return batches.get(iteration);
  }

  /** Those of the steps that led to iterations after one, by iteration. */
  SortedMap<Integer, int[]> after(int iteration) {
    return new TreeMap<>(batches.tailMap(iteration, false));
  }

  /** Takes back what an earlier run of the program has recorded. */
  void restore(Map<Integer, int[]> recorded) {
    anyKnown |= !recorded.isEmpty();
    batches.putAll(recorded);
  }

  void forgetUntil(int iteration) {
    batches.headMap(iteration, true).clear();
  }

  /** Where the trajectory's mini-batches come from. */
  String remark() {
    if (anyKnown) {
      return anyUnknown
          ? "the trajectory takes the mini-batches that training drew where they are of the probe's"
              + " examples, else others drawn like them"
          : "the trajectory takes the mini-batches that training drew";
    }
    return ambiguous
        ? "the trajectory draws mini-batches of its own: the probe has examples that look alike"
        : "the trajectory draws mini-batches of its own: training's hold examples that the probe"
            + " has not";
  }
}
