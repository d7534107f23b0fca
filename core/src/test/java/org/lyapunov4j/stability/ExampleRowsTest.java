// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.TestGrams;

class ExampleRowsTest {
  private static final int EXAMPLES = 3;
  private static final int COUNT = 23;

  private static double[] numbers(int length, long seed) {
    return TestGrams.gaussian(1, length, seed)[0];
  }

  /** Every remainder of rows in twos and fours, on columns that are not the first. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 10})
  void productsWithBlocksAreTheSumsOfTheirDefinition(int outputs) {
    int m = EXAMPLES * outputs;
    int from = 4;
    int width = 13;
    double[][] q = TestGrams.gaussian(m, COUNT, 1);
    double[] d = numbers(m * outputs, 2);
    double[] u = numbers(m * width, 3);
    ExampleRows rows = new ExampleRows(q, outputs);
    double[] product = numbers(m * width, 4);
    double[] blocks = numbers(m * outputs, 5);
    double[] expectedProduct = product.clone();
    double[] expectedBlocks = blocks.clone();
    for (int first = 0; first < m; first += outputs) {
      double[][] own = new double[outputs][from + width];
      for (int a = 0; a < outputs; a++) {
        System.arraycopy(product, (first + a) * width, own[a], from, width);
      }
      rows.addTimesBlock(d, first, from, from + width, own);
      for (int a = 0; a < outputs; a++) {
        System.arraycopy(own[a], from, product, (first + a) * width, width);
      }
      double[] ownU = Arrays.copyOfRange(u, first * width, (first + outputs) * width);
      rows.addBlock(ownU, first, from, width, blocks);
      for (int a = first; a < first + outputs; a++) {
        for (int b = 0; b < outputs; b++) {
          for (int k = 0; k < width; k++) {
            double entry = q[first + b][from + k];
            expectedProduct[a * width + k] += d[a * outputs + b] * entry;
            expectedBlocks[a * outputs + b] += u[a * width + k] * entry;
          }
        }
      }
    }
    assertThat(product).containsExactly(expectedProduct, within(1e-12));
    assertThat(blocks).containsExactly(expectedBlocks, within(1e-12));
  }
}
