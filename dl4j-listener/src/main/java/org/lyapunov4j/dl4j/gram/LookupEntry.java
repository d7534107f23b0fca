// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** A row of a table with the examples that look it up. */
final class LookupEntry {
  private final int index;
  private final int[] touching;
  private final double[] sums;

  /**
   * An entry.
   *
   * @param index the index of the row
   * @param touching the examples that look it up, in ascending order
   * @param sums Σ_t δ_ikt over their positions with this index: K rows of q for each of them
   */
  LookupEntry(int index, int[] touching, double[] sums) {
    this.index = index;
    this.touching = touching;
    this.sums = sums;
  }

  /**
   * The rows of a table that some positions look up.
   *
   * @param indices the index at each position, N·T
   * @param deltas δ, columns stacked, K·N·T × q
   * @param examples N
   * @param width q
   */
  static List<LookupEntry> of(int[] indices, double[] deltas, int examples, int width) {
    Map<Integer, List<Integer>> positionsOf = new TreeMap<>();
    for (int at = 0; at < indices.length; at++) {
      positionsOf.computeIfAbsent(indices[at], index -> new ArrayList<>()).add(at);
    }
    int columns = deltas.length / width / indices.length;
    int positions = indices.length / examples;
    List<LookupEntry> entries = new ArrayList<>();
    positionsOf.forEach(
        (index, places) -> {
          int[] touching = places.stream().mapToInt(at -> at / positions).distinct().toArray();
          double[] sums = new double[touching.length * columns * width];
          for (int at : places) {
            int first = Arrays.binarySearch(touching, at / positions) * columns * width;
            for (int k = 0; k < columns; k++) {
              int from = (k * indices.length + at) * width;
              for (int c = 0; c < width; c++) {
                sums[first + k * width + c] += deltas[from + c];
              }
            }
          }
          entries.add(new LookupEntry(index, touching, sums));
        });
    return entries;
  }

  int index() {
    return index;
  }

  int[] touching() {
    return touching.clone();
  }

  /** The rows J of the touching examples, without the zeros of other indices. */
  double[] sums() {
    return sums.clone();
  }

  /** The same with value c of each row of q multiplied. */
  LookupEntry times(int width, IntToDoubleFunction factor) {
    double[] scaled = sums.clone();
    for (int s = 0; s < scaled.length; s++) {
      scaled[s] *= factor.applyAsDouble(s % width);
    }
    return new LookupEntry(index, touching, scaled);
  }

  /** The entry of some of the examples, renumbered in the order given. */
  LookupEntry select(int[] which, int entriesPerExample) {
    int[] chosen =
        IntStream.range(0, which.length)
            .filter(r -> Arrays.binarySearch(touching, which[r]) >= 0)
            .toArray();
    double[] selected = new double[chosen.length * entriesPerExample];
    for (int r = 0; r < chosen.length; r++) {
      int from = Arrays.binarySearch(touching, which[chosen[r]]) * entriesPerExample;
      System.arraycopy(sums, from, selected, r * entriesPerExample, entriesPerExample);
    }
    return new LookupEntry(index, chosen, selected);
  }

  /** Adds J Jᵀ v to a sum of length m. */
  void addGramTimes(double[] v, int columns, double[] sum) {
    int width = sums.length / touching.length / columns;
    double[] gradient = new double[width];
    for (int r = 0; r < touching.length * columns; r++) {
      double weight = v[row(r, columns)];
      for (int c = 0; c < width; c++) {
        gradient[c] += weight * sums[r * width + c];
      }
    }
    for (int r = 0; r < touching.length * columns; r++) {
      double product = 0;
      for (int c = 0; c < width; c++) {
        product += gradient[c] * sums[r * width + c];
      }
      sum[row(r, columns)] += product;
    }
  }

  /** Adds J x to a sum of length m, x the whole table. */
  void addOutputs(double[] table, int columns, int width, double[] sum) {
    for (int r = 0; r < touching.length * columns; r++) {
      double product = 0;
      for (int c = 0; c < width; c++) {
        product += table[index * width + c] * sums[r * width + c];
      }
      sum[row(r, columns)] += product;
    }
  }

  /** Adds Jᵀ v to the whole table. */
  void addGradient(double[] v, int columns, int width, double[] table) {
    for (int r = 0; r < touching.length * columns; r++) {
      double weight = v[row(r, columns)];
      for (int c = 0; c < width; c++) {
        table[index * width + c] += weight * sums[r * width + c];
      }
    }
  }

  private int row(int r, int columns) {
    return touching[r / columns] * columns + r % columns;
  }
}
