// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.step.RandomStream;

class GramMatrixTest {
  /**
   * Sizes on both sides of the column block, counts that are no multiple of four, repeated rows.
   */
  @ParameterizedTest
  @CsvSource({"1, 1", "3, 2", "7, 5", "64, 9", "2047, 3", "2049, 6", "4100, 1"})
  void addColumnsIsTheSumOfScaledColumns(int m, int count) {
    GramMatrix gram = cheap(m);
    RandomStream random = new RandomStream(m);
    int[] rows = new int[count + 2];
    double[] coefficients = new double[count + 2];
    for (int j = 0; j < rows.length; j++) {
      rows[j] = random.nextInt(m);
      coefficients[j] = random.nextGaussian();
    }
    rows[count - 1] = rows[0];
    double[] target = new double[m];
    Arrays.setAll(target, i -> i);
    gram.addColumns(rows, coefficients, count, target);
    for (int i = 0; i < m; i++) {
      double expected = i;
      for (int j = 0; j < count; j++) {
        expected += coefficients[j] * gram.get(i, rows[j]);
      }
      assertThat(target[i]).isCloseTo(expected, within(1e-9));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "7, 5", "511, 4", "1030, 6"})
  void severalTargetsGetTheBitsOfOne(int m, int count) {
    GramMatrix gram = cheap(m);
    RandomStream random = new RandomStream(m);
    int[] rows = new int[count];
    Arrays.setAll(rows, j -> random.nextInt(m));
    double[][] coefficients = TestGrams.gaussian(3, count, 1);
    double[][] expected = TestGrams.gaussian(3, m, 2);
    double[][] targets = TestGrams.gaussian(3, m, 2);
    for (int t = 0; t < targets.length; t++) {
      gram.addColumns(rows, coefficients[t], count, expected[t]);
    }
    gram.addColumns(rows, coefficients, count, targets);
    assertThat(targets).isDeepEqualTo(expected);
  }

  @Test
  void singlePrecisionComputesInDouble() {
    GramMatrix gram = TestGrams.single(TestGrams.wishart(11, 3, 40, 2));
    double[] x = new double[33];
    Arrays.setAll(x, i -> Math.sin(i));
    double[] y = new double[33];
    gram.multiply(x, y);
    for (int i = 0; i < 33; i++) {
      double expected = 0;
      for (int j = 0; j < 33; j++) {
        expected += gram.get(i, j) * x[j];
      }
      assertThat(y[i]).isCloseTo(expected, within(1e-13));
    }
    assertThat(gram.isSinglePrecision()).isTrue();
    assertThat(gram.epsilon()).isEqualTo(0x1p-23);
  }

  @Test
  void aSubsetKeepsTheBlocksOfItsExamples() {
    GramMatrix gram = TestGrams.wishart(5, 2, 20, 9);
    GramMatrix subset = gram.subset(4, 1);
    assertThat(subset.examples()).isEqualTo(2);
    assertThat(subset.get(0, 3)).isEqualTo(gram.get(8, 3));
    assertThat(subset.get(1, 1)).isEqualTo(gram.get(9, 9));
    assertThat(TestGrams.single(gram).subset(4, 1).isSinglePrecision()).isTrue();
  }

  @Test
  void blocksWithTheirOwnLearningRatesAddUp() {
    double[][] f = TestGrams.gaussian(6, 2, 1);
    double[][] g = TestGrams.gaussian(6, 3, 2);
    double[][] joined = new double[6][5];
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < 5; j++) {
        joined[i][j] = j < 2 ? Math.sqrt(0.5) * f[i][j] : Math.sqrt(3) * g[i][j - 2];
      }
    }
    GramMatrix expected = GramMatrix.adopt(TestGrams.product(joined, 1), 3, 2);
    GramMatrix a = GramMatrix.adopt(TestGrams.product(f, 1), 3, 2);
    GramMatrix b = GramMatrix.adopt(TestGrams.product(g, 1), 3, 2);
    GramMatrix sum = GramMatrix.weightedSum(List.of(a, b), 0.5, 3);
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < 6; j++) {
        assertThat(sum.get(i, j)).isCloseTo(expected.get(i, j), within(1e-13));
      }
    }
    assertThatThrownBy(() -> GramMatrix.weightedSum(List.of(a, b), 1))
        .hasMessageContaining("got 1 for 2");
    assertThatThrownBy(() -> GramMatrix.weightedSum(List.of(a), -1))
        .hasMessageContaining("got -1.0");
  }

  @Test
  void anAsymmetryOfRoundingIsAveragedAndReported() {
    GramMatrix gram = GramMatrix.of(new double[][] {{2, 1.00001}, {1, 2}}, 2, 1);
    assertThat(gram.get(0, 1)).isEqualTo(gram.get(1, 0)).isCloseTo(1.000005, within(1e-15));
    assertThat(gram.asymmetry()).isCloseTo(5e-6, within(1e-12));
  }

  @Test
  void aCopyIsTaken() {
    double[][] rows = {{1}};
    GramMatrix gram = GramMatrix.of(rows, 1, 1);
    rows[0][0] = 5;
    assertThat(gram.get(0, 0)).isEqualTo(1);
    gram.toArray()[0][0] = 7;
    assertThat(gram.trace()).isEqualTo(1);
  }

  @Test
  void whatIsNoGramMatrixIsRefusedWithRuleAndValue() {
    assertRefused(new double[][] {{1, 2}, {3, 4}}, 2, 1, "must be symmetric, got entries (1, 0)");
    assertRefused(new double[][] {{1, 0, 0}, {0, 1, 0}}, 2, 1, "square, got row 0 of length 3");
    assertRefused(new double[][] {{1, 0}, {0}}, 2, 1, "square, got row 1 of length 1");
    assertRefused(new double[][] {{1, 0}, {0, 1}}, 2, 2, "got 2 rows for 2 × 2");
    assertRefused(new double[][] {{1, 0}, {0, 1}}, 2, 0, "at least 1, got 2 and 0");
    assertRefused(new double[0][0], 0, 1, "at least 1, got 0 and 1");
    assertRefused(new double[][] {{1, 0}, {0, Double.NaN}}, 2, 1, "finite, got NaN at (1, 1)");
    assertRefused(
        new double[][] {{Double.POSITIVE_INFINITY}}, 1, 1, "finite, got Infinity at (0, 0)");
    assertRefused(new double[][] {{-1}}, 1, 1, "nonnegative diagonal, got -1.00000 at row 0");
  }

  private static void assertRefused(double[][] rows, int examples, int outputs, String message) {
    assertThatThrownBy(() -> GramMatrix.of(rows, examples, outputs))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  private static GramMatrix cheap(int m) {
    double[][] rows = new double[m][m];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        rows[i][j] = 1.0 / (1 + i + j);
      }
    }
    return GramMatrix.adopt(rows, m, 1);
  }

  /** Shared or copied, the multiple has the entries and products of a matrix made of them. */
  @Test
  void theNormalisedMatrixIsAnExactMultiple() {
    for (int k : new int[] {-1000, -300, -100, -3, 0, 3, 100, 300, 1000}) {
      double[][] rows = TestGrams.wishart(7, 4, 3);
      for (double[] row : rows) {
        for (int j = 0; j < row.length; j++) {
          row[j] = Math.scalb(row[j], k);
        }
      }
      GramMatrix gram = GramMatrix.of(rows, 7, 1);
      GramMatrix normalised = gram.normalised();
      double[][] expected = gram.toArray();
      double largest = 0;
      for (double[] row : expected) {
        for (int j = 0; j < row.length; j++) {
          row[j] = Math.scalb(row[j], -gram.exponent());
          largest = Math.max(largest, Math.abs(row[j]));
        }
      }
      assertThat(largest).isBetween(1.0, 2.0);
      GramMatrix direct = GramMatrix.of(expected, 7, 1);
      assertThat(normalised.toArray()).isDeepEqualTo(expected);
      assertThat(normalised.trace()).isEqualTo(direct.trace());
      assertThat(normalised.get(3, 5)).isEqualTo(expected[3][5]);
      assertThat(normalised.exponent()).isZero();
      assertThat(normalised.subset(1, 4, 6).toArray())
          .isDeepEqualTo(direct.subset(1, 4, 6).toArray());
      double[] x = TestGrams.gaussian(1, 7, 4)[0];
      double[] y = new double[7];
      double[] z = new double[7];
      normalised.multiply(x, y);
      direct.multiply(x, z);
      assertThat(y).isEqualTo(z);
    }
  }

  @Test
  void subnormalEntriesHaveACoarserRoundingUnit() {
    double[][] rows = {{1e-320, 0}, {0, 1e-320}};
    GramMatrix gram = GramMatrix.of(rows, 2, 1);
    assertThat(gram.epsilon()).isCloseTo(Double.MIN_VALUE / 1e-320, within(1e-6));
    assertThat(gram.normalised().epsilon()).isEqualTo(gram.epsilon());
    assertThat(GramMatrix.of(new double[2][2], 2, 1).epsilon()).isEqualTo(Math.ulp(1.0));
  }
}
