// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Numbers of the examples of a probe in the Java heap, chunk after chunk of examples, in the type
 * they were computed in. All chunks but the last hold as many examples; an example may have fewer
 * numbers than another.
 */
final class FactorStore {
  private final List<float[]> floats = new ArrayList<>();
  private final List<double[]> doubles = new ArrayList<>();
  private final List<int[]> starts = new ArrayList<>();
  private int chunk;

  /** Adds a chunk of so many examples, in 'c' order. */
  void add(INDArray array, int examples) {
    int perExample = Math.toIntExact(array.length() / examples);
    add(array, IntStream.range(0, examples).map(i -> perExample).toArray());
  }

  /** Adds a chunk of as many examples as lengths, of each its first numbers alone. */
  void add(INDArray array, int[] lengths) {
    INDArray packed = array.dup('c');
    boolean single = array.dataType() == DataType.FLOAT;
    float[] floats = single ? packed.data().asFloat() : null;
    double[] doubles = single ? null : packed.castTo(DataType.DOUBLE).data().asDouble();
    packed.close();
    int[] to = starts(lengths);
    int perExample = (single ? floats.length : doubles.length) / lengths.length;
    if (to[lengths.length] < perExample * lengths.length) {
      Object from = single ? floats : doubles;
      Object kept = single ? new float[to[lengths.length]] : new double[to[lengths.length]];
      for (int i = 0; i < lengths.length; i++) {
        System.arraycopy(from, i * perExample, kept, to[i], lengths[i]);
      }
      floats = single ? (float[]) kept : null;
      doubles = single ? null : (double[]) kept;
    }
    add(floats, doubles, lengths);
  }

  /** Adds a chunk, as floats or as doubles, the numbers of an example behind those of the last. */
  void add(float[] single, double[] whole, int[] lengths) {
    chunk = Math.max(chunk, lengths.length);
    starts.add(starts(lengths));
    floats.add(single);
    doubles.add(whole);
  }

  /** Where the numbers of each example start, and those of the last end. */
  static int[] starts(int[] lengths) {
    int[] starts = new int[lengths.length + 1];
    for (int i = 0; i < lengths.length; i++) {
      starts[i + 1] = Math.addExact(starts[i], lengths[i]);
    }
    return starts;
  }

  /** How many numbers an example has. */
  int length(int example) {
    int[] own = starts.get(example / chunk);
    return own[example % chunk + 1] - own[example % chunk];
  }

  /** How many examples there are. */
  int examples() {
    return starts.stream().mapToInt(own -> own.length - 1).sum();
  }

  /** How many numbers there are. */
  long size() {
    return starts.stream().mapToLong(own -> own[own.length - 1]).sum();
  }

  /** Copies some of an example's numbers. */
  void read(int example, int from, int count, double[] target, int at) {
    int which = example / chunk;
    int first = starts.get(which)[example % chunk] + from;
    float[] single = floats.get(which);
    if (single == null) {
      System.arraycopy(doubles.get(which), first, target, at, count);
    } else {
      for (int j = 0; j < count; j++) {
        target[at + j] = single[first + j];
      }
    }
  }

  /** How many bytes all of it takes. */
  long bytes() {
    long sum = 0;
    for (int c = 0; c < starts.size(); c++) {
      int numbers = starts.get(c)[starts.get(c).length - 1];
      sum += (long) numbers * (floats.get(c) == null ? Double.BYTES : Float.BYTES);
    }
    return sum;
  }
}
