// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Products with rows, of one vector and of several, widened beforehand and on the way. */
class RowFactorsTest {
  private static final int EXAMPLES = 4;
  private static final int COLUMNS = 5;

  /** Where a vector's part begins. */
  private static final int AT = 3;

  private static final int[] KNOWN = {5, 2, 5, 1};
  private static final int[] BATCH = {3, 0, 1, 0};

  private static FactorBlock block(INDArray rows, long spare) {
    JacobianBlock chunk = new JacobianBlock.Rows(EXAMPLES, rows);
    FactorBlock block = FactorBlock.of(chunk, EXAMPLES, spare);
    block.add(chunk, KNOWN);
    return block;
  }

  /** J_Sᵀ J_S z, behind J_S z. */
  private static double[][] step(FactorBlock.Part part, double[]... z) {
    part.select(BATCH, BATCH.length);
    double[][] found = new double[2 * z.length][];
    double[][] u = new double[z.length][BATCH.length * COLUMNS];
    double[][] gradients = new double[z.length][z[0].length];
    part.addOutputs(z, AT, u);
    part.addGradient(u, gradients, AT);
    for (int j = 0; j < z.length; j++) {
      found[2 * j] = u[j];
      found[2 * j + 1] = gradients[j];
    }
    return found;
  }

  private static double[] row(INDArray rows, int example, int k) {
    return rows.getRow((long) example * COLUMNS + k).castTo(DataType.DOUBLE).toDoubleVector();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 37, 512, 2049, 5248})
  void productsAreThoseOfTheRows(int width) {
    for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
      INDArray rows = Networks.gaussian(1, EXAMPLES * COLUMNS, width).castTo(type);
      double[] z = new RandomStream(2).gaussians(width + AT);
      double[][] found = step(block(rows, Long.MAX_VALUE).part(COLUMNS, BATCH.length), z);
      double[] expected = new double[width];
      for (int b = 0; b < BATCH.length; b++) {
        for (int k = 0; k < COLUMNS; k++) {
          double u = 0;
          if (k < KNOWN[BATCH[b]]) {
            double[] row = row(rows, BATCH[b], k);
            u = Vectors.dot(row, 0, z, AT, width);
            Vectors.add(u, row, expected);
          }
          assertThat(found[0][b * COLUMNS + k]).isCloseTo(u, within(1e-13 * width));
        }
      }
      assertThat(Arrays.copyOf(found[1], AT)).containsOnly(0);
      assertThat(Arrays.copyOfRange(found[1], AT, AT + width))
          .containsExactly(expected, within(1e-12 * width));
    }
  }

  /** So that neither the memory nor the number of threads, which share vectors, decides a bit. */
  @ParameterizedTest
  @ValueSource(ints = {1, 37, 5248})
  void noBitDependsOnTheOtherVectorsOrOnTheMemory(int width) {
    INDArray rows = Networks.gaussian(1, EXAMPLES * COLUMNS, width).castTo(DataType.FLOAT);
    FactorBlock narrow = block(rows, 0);
    FactorBlock wide = block(rows, Long.MAX_VALUE);
    assertThat(narrow.bytes()).isEqualTo(4L * width * Arrays.stream(KNOWN).sum());
    assertThat(wide.bytes() > narrow.bytes()).isEqualTo(width > 128);
    double[][] z = new double[3][];
    for (int j = 0; j < z.length; j++) {
      z[j] = new RandomStream(j).gaussians(width + AT);
    }
    double[][] together = step(wide.part(COLUMNS, BATCH.length), z);
    assertThat(step(narrow.part(COLUMNS, BATCH.length), z)).isDeepEqualTo(together);
    FactorBlock.Part part = narrow.part(COLUMNS, BATCH.length);
    step(part, z);
    for (int j = 0; j < z.length; j++) {
      double[][] alone = step(part, z[j]);
      assertThat(alone[0]).containsExactly(together[2 * j]);
      assertThat(alone[1]).containsExactly(together[2 * j + 1]);
    }
  }
}
