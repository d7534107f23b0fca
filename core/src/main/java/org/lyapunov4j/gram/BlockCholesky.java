// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

/**
 * The Cholesky factors of many small positive semidefinite blocks B = L Lᵀ, those of the K outputs
 * of each example. A pivot that rounding may have made of 0 is taken for 0, and its column with it.
 */
public final class BlockCholesky {
  private BlockCholesky() {}

  /**
   * The factors.
   *
   * @param blocks K × K numbers of each block, row by row; symmetric, not modified
   * @param size K
   * @param leastPivots of each block the pivot above which one is not rounding, at least 0
   * @return lower triangular L of each block in the same order
   */
  public static double[] factors(double[] blocks, int size, double[] leastPivots) {
    double[] factors = new double[blocks.length];
    for (int block = 0; block < leastPivots.length; block++) {
      int base = block * size * size;
      for (int b = 0; b < size; b++) {
        double pivot = reduced(blocks, factors, base, size, b, b);
        if (pivot > leastPivots[block]) {
          double root = Math.sqrt(pivot);
          for (int a = b; a < size; a++) {
            factors[base + a * size + b] = reduced(blocks, factors, base, size, a, b) / root;
          }
        }
      }
    }
    return factors;
  }

  /**
   * The largest diagonal entry of each block.
   *
   * @param blocks as for {@link #factors}
   * @param size K
   * @param share factor of the result
   * @return share times the largest of K entries, at least 0, for each block
   */
  public static double[] largestDiagonal(double[] blocks, int size, double share) {
    double[] largest = new double[blocks.length / (size * size)];
    for (int i = 0; i < largest.length; i++) {
      for (int a = 0; a < size; a++) {
        largest[i] = Math.max(largest[i], share * blocks[(i * size + a) * size + a]);
      }
    }
    return largest;
  }

  /** B_ab without what the columns of L before b make of it. */
  private static double reduced(
      double[] blocks, double[] factors, int base, int size, int a, int b) {
    double sum = blocks[base + a * size + b];
    for (int c = 0; c < b; c++) {
      sum -= factors[base + a * size + c] * factors[base + b * size + c];
    }
    return sum;
  }
}
