// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.hipparchus.util.CombinatoricsUtils;
import org.lyapunov4j.step.SgdStep;

/**
 * Expectations over the mini-batch of one step by enumeration of all batches. For shuffled or
 * ordered epochs the step is a random one of the epoch.
 */
final class BatchLaw {
  private final int examples;
  private final int most;
  private final ToDoubleFunction<int[]> function;
  private double expectation;

  private BatchLaw(int examples, int most, ToDoubleFunction<int[]> function) {
    this.examples = examples;
    this.most = most;
    this.function = function;
  }

  /**
   * E function(S).
   *
   * @param most batches; where there are more, nothing is computed
   * @param function of the examples of a batch, one drawn k times listed k times
   */
  static OptionalDouble expectation(
      SgdStep step, int examples, int most, ToDoubleFunction<int[]> function) {
    BatchLaw law = new BatchLaw(examples, most, function);
    boolean complete =
        switch (step.sampling()) {
          case IID_SUBSETS -> law.addSubsets(step.batchSize(), 1);
          case IID_WITH_REPLACEMENT -> law.addDraws(step.batchSize());
          case SHUFFLED_EPOCHS -> law.addEpoch(step.batchSize());
          case ORDERED_EPOCHS -> law.addConsecutive(step.batchSize());
        };
    return complete ? OptionalDouble.of(law.expectation) : OptionalDouble.empty();
  }

  private boolean addEpoch(int size) {
    int whole = examples / size;
    int rest = examples % size;
    double steps = whole + (rest > 0 ? 1 : 0);
    return addSubsets(size, whole / steps) && (rest == 0 || addSubsets(rest, 1 / steps));
  }

  private boolean addSubsets(int size, double probability) {
    double count = CombinatoricsUtils.binomialCoefficientDouble(examples, size);
    if (count > most) {
      return false;
    }
    CombinatoricsUtils.combinationsIterator(examples, size)
        .forEachRemaining(subset -> add(subset, probability / count));
    return true;
  }

  /** Multisets of the given size are subsets of size positions out of N + size − 1. */
  private boolean addDraws(int size) {
    int places = examples + size - 1;
    if (CombinatoricsUtils.binomialCoefficientDouble(places, size) > most) {
      return false;
    }
    CombinatoricsUtils.combinationsIterator(places, size)
        .forEachRemaining(
            chosen -> {
              int[] drawn = IntStream.range(0, size).map(k -> chosen[k] - k).toArray();
              add(drawn, probability(drawn));
            });
    return true;
  }

  private boolean addConsecutive(int size) {
    int steps = (examples + size - 1) / size;
    for (int from = 0; from < examples; from += size) {
      add(IntStream.range(from, Math.min(examples, from + size)).toArray(), 1.0 / steps);
    }
    return true;
  }

  private void add(int[] batch, double probability) {
    expectation += probability * function.applyAsDouble(batch);
  }

  /** Of an ascending multiset: size!/(Π multiplicity! · N^size). */
  private double probability(int[] drawn) {
    double log = CombinatoricsUtils.factorialLog(drawn.length);
    int from = 0;
    for (int k = 0; k < drawn.length; k++) {
      if (k + 1 == drawn.length || drawn[k + 1] != drawn[k]) {
        log -= CombinatoricsUtils.factorialLog(k + 1 - from);
        from = k + 1;
      }
    }
    return Math.exp(log - drawn.length * Math.log(examples));
  }
}
