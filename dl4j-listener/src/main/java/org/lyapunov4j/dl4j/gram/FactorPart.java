// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

/** Products with the rows of some examples that are read from the block at each product. */
abstract class FactorPart implements FactorBlock.Part {
  private final int[] chosen;
  private int count;

  /**
   * A part.
   *
   * @param largest the most examples at a time
   */
  FactorPart(int largest) {
    chosen = new int[largest];
  }

  @Override
  public final void select(int[] examples, int size) {
    System.arraycopy(examples, 0, chosen, 0, size);
    count = size;
  }

  /** The b-th example selected. */
  final int example(int b) {
    return chosen[b];
  }

  /** How many are selected. */
  final int count() {
    return count;
  }
}
