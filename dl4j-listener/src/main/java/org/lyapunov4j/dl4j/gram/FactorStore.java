// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import org.lyapunov4j.gram.Vectors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Numbers of the examples of a probe in the Java heap, chunk after chunk of examples, in the type
 * they were computed in. All chunks but the last hold as many examples.
 */
final class FactorStore {
  private final List<float[]> floats = new ArrayList<>();
  private final List<double[]> doubles = new ArrayList<>();
  private final List<Integer> perExample = new ArrayList<>();
  private int chunk;

  /** Adds a chunk of so many examples, in 'c' order. */
  void add(INDArray array, int examples) {
    INDArray packed = array.dup('c');
    boolean single = array.dataType() == DataType.FLOAT;
    add(
        single ? packed.data().asFloat() : null,
        single ? null : packed.castTo(DataType.DOUBLE).data().asDouble(),
        examples);
    packed.close();
  }

  /** Adds a chunk, as floats or as doubles. */
  void add(float[] single, double[] whole, int examples) {
    chunk = Math.max(chunk, examples);
    perExample.add((single == null ? whole.length : single.length) / examples);
    floats.add(single);
    doubles.add(whole);
  }

  /** How many numbers an example has. */
  int length(int example) {
    return perExample.get(example / chunk);
  }

  /** Copies some of an example's numbers. */
  void read(int example, int from, int count, double[] target, int at) {
    int which = example / chunk;
    int first = example % chunk * perExample.get(which) + from;
    float[] single = floats.get(which);
    if (single == null) {
      System.arraycopy(doubles.get(which), first, target, at, count);
    } else {
      for (int j = 0; j < count; j++) {
        target[at + j] = single[first + j];
      }
    }
  }

  /** Σ_j of an example's numbers times those of z from {@code at} on. */
  double dot(int example, int from, int count, double[] z, int at) {
    int which = example / chunk;
    int first = example % chunk * perExample.get(which) + from;
    float[] single = floats.get(which);
    return single == null
        ? Vectors.dot(doubles.get(which), first, z, at, count)
        : dot(single, first, count, z, at);
  }

  /** Adds a multiple of an example's numbers to z from {@code at} on. */
  void addTo(int example, int from, int count, double factor, double[] z, int at) {
    int which = example / chunk;
    int first = example % chunk * perExample.get(which) + from;
    float[] single = floats.get(which);
    double[] whole = doubles.get(which);
    for (int j = 0; j < count; j++) {
      z[at + j] += factor * (single == null ? whole[first + j] : single[first + j]);
    }
  }

  private static double dot(float[] x, int first, int count, double[] z, int at) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int j = 0;
    for (; j + 4 <= count; j += 4) {
      a += x[first + j] * z[at + j];
      b += x[first + j + 1] * z[at + j + 1];
      c += x[first + j + 2] * z[at + j + 2];
      d += x[first + j + 3] * z[at + j + 3];
    }
    for (; j < count; j++) {
      a += x[first + j] * z[at + j];
    }
    return (a + b) + (c + d);
  }

  /** How many bytes all of it takes. */
  long bytes() {
    long sum = 0;
    for (int c = 0; c < floats.size(); c++) {
      sum +=
          floats.get(c) == null
              ? (long) Double.BYTES * doubles.get(c).length
              : (long) Float.BYTES * floats.get(c).length;
    }
    return sum;
  }
}
