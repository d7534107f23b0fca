// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.SortedMap;
import java.util.TreeMap;
import org.lyapunov4j.step.RandomStream;

/** Draws examples without replacement so that the classes take turns, as long as they last. */
final class StratifiedChoice {
  private StratifiedChoice() {}

  /** The indices of {@code count} examples; a smaller count gives a prefix. */
  static int[] choose(int[] labels, int count, RandomStream random) {
    SortedMap<Integer, Deque<Integer>> byClass = new TreeMap<>();
    for (int index : permutation(labels.length, random)) {
      byClass.computeIfAbsent(labels[index], label -> new ArrayDeque<>()).add(index);
    }
    int[] chosen = new int[count];
    int taken = 0;
    while (taken < count) {
      for (Deque<Integer> members : byClass.values()) {
        if (taken < count && !members.isEmpty()) {
          chosen[taken++] = members.remove();
        }
      }
    }
    return chosen;
  }

  private static int[] permutation(int length, RandomStream random) {
    int[] order = new int[length];
    for (int i = 0; i < length; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
