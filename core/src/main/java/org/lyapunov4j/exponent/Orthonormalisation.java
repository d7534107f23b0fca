// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.Vectors;

/**
 * The QR factorisation of a block of columns by modified Gram–Schmidt, four columns of Q at a time:
 * 2nq² flops for q columns of length n.
 *
 * <p>A column that loses much of its length is orthogonalised again, which keeps Q orthonormal to
 * rounding whatever the condition of the block. A column whose remainder is not distinguishable
 * from rounding depends on those before it: it becomes zero, with R_jj = 0.
 */
final class Orthonormalisation {
  /** What is below this fraction of the largest column is rounding. */
  static final double NEGLIGIBLE = 0x1p-44;

  private static final double ORTHOGONALISE_AGAIN = 1e-4;
  private static final int GROUP = 4;

  private final int[] identity;
  private final double[] products;

  /** For up to {@code most} columns. */
  Orthonormalisation(int most) {
    identity = new int[most];
    for (int j = 0; j < most; j++) {
      identity[j] = j;
    }
    products = new double[most];
  }

  /**
   * Replaces the first {@code count} columns by those of Q.
   *
   * @param diagonal receives R_jj ≥ 0
   */
  void apply(double[][] columns, int count, double[] diagonal) {
    double largest = 0;
    for (int j = 0; j < count; j++) {
      diagonal[j] = Vectors.norm(columns[j]);
      largest = Math.max(largest, diagonal[j]);
    }
    for (int j = 0; j < count; j++) {
      diagonal[j] = orthogonalise(columns, j, diagonal[j], largest * NEGLIGIBLE);
      if (diagonal[j] == 0) {
        Arrays.fill(columns[j], 0);
      } else {
        Vectors.scale(columns[j], 1 / diagonal[j]);
      }
    }
  }

  private double orthogonalise(double[][] columns, int j, double before, double negligible) {
    project(columns, j);
    double after = Vectors.norm(columns[j]);
    if (after > negligible && after < ORTHOGONALISE_AGAIN * before) {
      project(columns, j);
      after = Vectors.norm(columns[j]);
    }
    return after > negligible ? after : 0;
  }

  private void project(double[][] columns, int j) {
    double[] x = columns[j];
    for (int k = 0; k < j; k += GROUP) {
      int to = Math.min(j, k + GROUP);
      RowSweep.multiply(columns, identity, k, to, x, x.length, products);
      RowSweep.combine(columns, identity, k, to, -1, products, x, 0);
    }
  }
}
