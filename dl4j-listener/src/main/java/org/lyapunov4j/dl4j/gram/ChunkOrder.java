// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The order in which the examples of a probe set are computed: those of which masks leave the most
 * first, so that the examples of a chunk have about as many rows each.
 */
final class ChunkOrder {
  private final int[] examples;
  private final double[] counts;
  private final boolean sorted;

  private ChunkOrder(int[] examples, double[] counts, boolean sorted) {
    this.examples = examples;
    this.counts = counts;
    this.sorted = sorted;
  }

  /** The order of a probe set, as its masks of labels tell, or those of features. */
  static ChunkOrder of(MultiDataSet probe) {
    int size = (int) probe.getFeatures(0).size(0);
    double[] counts = new double[size];
    boolean masked =
        add(probe.getLabelsMaskArrays(), counts) || add(probe.getFeaturesMaskArrays(), counts);
    if (!masked) {
      Arrays.fill(counts, 1);
    }
    int[] examples =
        IntStream.range(0, size)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -counts[i]))
            .mapToInt(i -> i)
            .toArray();
    boolean sorted = IntStream.range(0, size).allMatch(i -> examples[i] == i);
    return new ChunkOrder(examples, counts, sorted);
  }

  /** Adds the entries of masks that are not 0; false if there are none. */
  private static boolean add(INDArray[] masks, double[] counts) {
    boolean any = false;
    for (int o = 0; masks != null && o < masks.length; o++) {
      if (masks[o] != null && masks[o].size(0) == counts.length) {
        double[] entries = masks[o].castTo(DataType.DOUBLE).dup('c').data().asDouble();
        int perExample = entries.length / counts.length;
        for (int e = 0; e < entries.length; e++) {
          counts[e / perExample] += entries[e] == 0 ? 0 : 1;
        }
        any = true;
      }
    }
    return any;
  }

  /** The example with the most. */
  int first() {
    return examples[0];
  }

  /** The examples of an array in this order; a copy. */
  INDArray apply(INDArray array) {
    return sorted ? array.dup('c') : StackedColumns.select(array, 1, examples);
  }

  /** Where in this order each example is. */
  int[] places() {
    int[] places = new int[examples.length];
    for (int place = 0; place < examples.length; place++) {
      places[examples[place]] = place;
    }
    return places;
  }

  /** About what share of all rows the first examples have. */
  double share(int done) {
    double all = Arrays.stream(counts).sum();
    double part = Arrays.stream(examples, 0, done).mapToDouble(i -> counts[i]).sum();
    return all > 0 ? part / all : (double) done / examples.length;
  }
}
