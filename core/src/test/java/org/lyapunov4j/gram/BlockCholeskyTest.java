// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lyapunov4j.step.RandomStream;

/** L Lᵀ is the block, whatever its rank; what may be rounding is nothing. */
class BlockCholeskyTest {
  private static final int SIZE = 4;

  @Test
  void factorsOfEveryRankGiveTheBlockBack() {
    RandomStream random = new RandomStream(1);
    double[] blocks = new double[5 * SIZE * SIZE];
    for (int rank = 0; rank < 5; rank++) {
      for (int r = 0; r < rank; r++) {
        double[] x = random.gaussians(SIZE);
        for (int i = 0; i < SIZE * SIZE; i++) {
          blocks[rank * SIZE * SIZE + i] += x[i / SIZE] * x[i % SIZE];
        }
      }
    }
    double[] least = BlockCholesky.largestDiagonal(blocks, SIZE, 1e-12);
    double[] factors = BlockCholesky.factors(blocks, SIZE, least);
    for (int i = 0; i < blocks.length; i++) {
      int row = i / SIZE;
      int other = row / SIZE * SIZE + i % SIZE;
      double product = Vectors.dot(factors, row * SIZE, factors, other * SIZE, SIZE);
      assertThat(product).isCloseTo(blocks[i], within(1e-12));
      if (i % SIZE > row % SIZE) {
        assertThat(factors[i]).isZero();
      }
    }
  }

  /** Of differences that rounding alone makes, a root would be 10⁷ times as large. */
  @Test
  void roundingIsNothing() {
    double[] blocks = {1e-17, 3e-17, 3e-17, -1e-17};
    assertThat(BlockCholesky.factors(blocks, 2, new double[] {1e-12})).containsOnly(0);
  }
}
