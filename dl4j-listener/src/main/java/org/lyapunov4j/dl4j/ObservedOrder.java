// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The order in which a training run is seen to go through its examples: two whole epochs, one after
 * the other, are compared by hashes. Of every example a few entries of the features are read, never
 * copied; a mini-batch has the sum of the hashes of its examples, since their order within it does
 * not matter to a step. So epochs of the same examples have equal sums whatever the order, and
 * epochs of the same mini-batches in the same order have equal chains of sums. Once two epochs have
 * been compared nothing is read any more. Recording allocates nothing.
 */
final class ObservedOrder {
  /** Entries read of an example; with fewer than half of its neighbours told apart it is blind. */
  private static final int ENTRIES = 16;

  private Epoch current = new Epoch();
  private Epoch previous = new Epoch();
  private boolean watching = true;
  private boolean running;
  private boolean comparable;
  private Order order = Order.UNKNOWN;

  /** What is known of two epochs, one after the other. */
  enum Order {
    /** No epochs were seen, or they could not be told apart. */
    UNKNOWN(null, "tell the listener if it is another"),
    /** They are being looked at. */
    UNDECIDED(null, "the end of the second epoch will tell"),
    /** The same mini-batches, one after the other. */
    FIXED(MiniBatchSampling.ORDERED_EPOCHS, "seen in two epochs"),
    /** The same examples in other mini-batches. */
    RESHUFFLED(MiniBatchSampling.SHUFFLED_EPOCHS, "seen in two epochs"),
    /** The same mini-batches in another order, for which there is no scheme. */
    BATCHES_MOVED(null, "two epochs were seen to take the same mini-batches in another order"),
    /** Examples that are new, changed, or not drawn equally often. */
    OTHER_EXAMPLES(null, "two epochs were seen to hold different examples");

    private final MiniBatchSampling sampling;
    private final String reason;

    Order(MiniBatchSampling sampling, String reason) {
      this.sampling = sampling;
      this.reason = reason;
    }

    /** The scheme, or empty if none is known, or none like this. */
    Optional<MiniBatchSampling> sampling() {
      return Optional.ofNullable(sampling);
    }

    /** Why it is this scheme, or none. */
    String reason() {
      return reason;
    }
  }

  void startEpoch() {
    running = watching;
    order = watching ? Order.UNDECIDED : order;
    current.clear();
  }

  void record(Model model) {
    if (!running) {
      return;
    }
    INDArray features = readableFeatures(model);
    if (features != null) {
      current.add(features);
    } else {
      decide(Order.UNKNOWN);
    }
  }

  void endEpoch() {
    if (running && comparable) {
      decide(current.compareWith(previous));
    }
    comparable = running;
    running = false;
    Epoch ended = current;
    current = previous;
    previous = ended;
  }

  Order order() {
    return order;
  }

  private void decide(Order decision) {
    order = decision;
    watching = false;
    running = false;
  }

  /** The features of the mini-batch, or null if they must not be read. */
  static INDArray readableFeatures(Model model) {
    INDArray features = features(model);
    return features != null && isReadable(features) ? features : null;
  }

  /** Of several inputs the first. */
  private static INDArray features(Model model) {
    return model instanceof MultiLayerNetwork network
        ? network.getInput()
        : model instanceof ComputationGraph graph ? graph.getInput(0) : null;
  }

  /** What ND4J demands of the operands of its own operations. */
  private static boolean isReadable(INDArray array) {
    if (array.isEmpty() || array.rank() == 0 || !array.dataType().isNumerical()) {
      return false;
    }
    if (!array.isAttached()) {
      return true;
    }
    MemoryWorkspace workspace = array.data().getParentWorkspace();
    return workspace.getWorkspaceType() == MemoryWorkspace.Type.CIRCULAR
        || (workspace.isScopeActive()
            && workspace.getGenerationId() == array.data().getGenerationId());
  }

  /** An entry of an example, by its position in row-major order. */
  private static double entry(INDArray features, long example, long position) {
    long offset = example * features.stride(0);
    long rest = position;
    for (int d = features.rank() - 1; d > 0; d--) {
      offset += rest % features.size(d) * features.stride(d);
      rest /= features.size(d);
    }
    return features.data().getDouble(offset);
  }

  /** A hash of some entries of an example, as floats, so that it is the same in every type. */
  static long hash(INDArray features, long example) {
    long entries = features.length() / features.size(0);
    long hash = 0;
    for (int k = 0; k < Math.min(ENTRIES, entries); k++) {
      // Multiples of the golden ratio, so that the entries do not fall into one column of a picture
      long position =
          entries <= ENTRIES ? k : ((((k + 1) * 0x9E3779B9L) & 0xFFFFFFFFL) * entries) >>> 32;
      hash = mix(hash + Float.floatToIntBits((float) entry(features, example, position)));
    }
    return hash;
  }

  /** The finaliser of SplitMix64. */
  private static long mix(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** The hashes of an epoch. */
  private static final class Epoch {
    private long examples;
    private long toldApart;
    private long batches;
    private long sumOfExamples;
    private long sumOfBatches;
    private long chain;
    private long last;

    void clear() {
      examples = 0;
      toldApart = 0;
      batches = 0;
      sumOfExamples = 0;
      sumOfBatches = 0;
      chain = 0;
    }

    void add(INDArray features) {
      long batch = 0;
      for (long i = 0; i < features.size(0); i++) {
        long hash = hash(features, i);
        toldApart += examples > 0 && hash == last ? 0 : 1;
        last = hash;
        batch += hash;
        examples++;
      }
      batches++;
      sumOfExamples += batch;
      sumOfBatches += mix(batch);
      chain = mix(chain + batch);
    }

    Order compareWith(Epoch other) {
      if (batches < 2 || 2 * toldApart < examples) {
        return Order.UNKNOWN;
      }
      if (sumOfExamples != other.sumOfExamples) {
        return Order.OTHER_EXAMPLES;
      }
      if (chain == other.chain) {
        return Order.FIXED;
      }
      return batches < examples && sumOfBatches == other.sumOfBatches
          ? Order.BATCHES_MOVED
          : Order.RESHUFFLED;
    }
  }
}
