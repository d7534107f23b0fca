// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.SgdStep;

/**
 * The mini-batches of a few steps to come, with the entries of G between their rows. What the steps
 * do to each other's residuals follows from these entries alone ({@link BlockResponse}), so that
 * the rest of the matrix is read once for all of them, four rows at a time even where a step has
 * one.
 *
 * <p>Steps of many rows, and steps with memory, come alone.
 */
final class StepBlock {
  /**
   * Rows in a block. At m = 1000 and single rows a step takes 0.5 µs alone, 0.1 µs in blocks of 16;
   * with 32 rows the entries between them cost as much as they save.
   */
  private static final int ROWS = 16;

  /**
   * Share of an epoch that a block may last, since what is observed of its steps is that of the
   * residual at its beginning.
   */
  private static final int PARTS_OF_AN_EPOCH = 25;

  private final GramMatrix gram;
  private final int[] batch;
  private final int[] ends;
  private final int[] rows;
  private final double[][] entries;
  private final boolean hasMemory;
  private int steps;

  /** Blocks of the steps of a matrix. */
  StepBlock(GramMatrix gram, SgdStep step) {
    this(gram, step, StepRecursion.of(step).hasMemory());
  }

  /** With steps that come alone, as where there is more than one residual, or without. */
  StepBlock(GramMatrix gram, SgdStep step, boolean alone) {
    this.gram = gram;
    batch = new int[step.batchSize()];
    int rowsOfStep = step.batchSize() * gram.outputs();
    hasMemory = alone;
    int capacity = hasMemory ? 1 : mostSteps(gram, step, rowsOfStep);
    ends = new int[capacity];
    rows = new int[capacity * rowsOfStep];
    entries = capacity == 1 ? new double[0][] : new double[rows.length][rows.length];
  }

  private static int mostSteps(GramMatrix gram, SgdStep step, int rowsOfStep) {
    int perEpoch = MiniBatchSampler.stepsPerEpoch(gram.examples(), step.batchSize());
    int enough = (ROWS + rowsOfStep - 1) / rowsOfStep;
    return Math.max(1, Math.min(enough, perEpoch / PARTS_OF_AN_EPOCH));
  }

  /** The most steps of a block. */
  int capacity() {
    return ends.length;
  }

  /** The most rows of a block. */
  int mostRows() {
    return rows.length;
  }

  /** Draws the next steps, at most so many. */
  void draw(MiniBatchSampler sampler, int most) {
    steps = Math.min(ends.length, most);
    int row = 0;
    for (int s = 0; s < steps; s++) {
      int size = sampler.next(batch);
      for (int b = 0; b < size; b++) {
        for (int k = 0; k < gram.outputs(); k++) {
          rows[row++] = batch[b] * gram.outputs() + k;
        }
      }
      ends[s] = row;
    }
    // the last step meets none after it
    for (int s = 0; s < steps - 1; s++) {
      for (int j = from(s); j < to(s); j++) {
        for (int l = from(s); l < rows(); l++) {
          entries[j][l] = gram.get(rows[j], rows[l]);
        }
      }
    }
  }

  /** Whether its one step is one with memory. */
  boolean hasMemory() {
    return hasMemory;
  }

  int steps() {
    return steps;
  }

  /** The rows of all steps. */
  int rows() {
    return ends[steps - 1];
  }

  /** Row indices, step by step; not to be modified. */
  int[] indices() {
    return rows;
  }

  /** The position of a step's first row. */
  int from(int s) {
    return s == 0 ? 0 : ends[s - 1];
  }

  /** One beyond the position of its last. */
  int to(int s) {
    return ends[s];
  }

  /** The examples of the last step drawn; all of a block that has one step. */
  int[] batch() {
    return batch;
  }

  /** |S| of a step. */
  int size(int s) {
    return (to(s) - from(s)) / gram.outputs();
  }

  /**
   * Entries of G between the row at a position, not of the last step, and those at positions from
   * its own step on.
   */
  double[] entries(int position) {
    return entries[position];
  }
}
