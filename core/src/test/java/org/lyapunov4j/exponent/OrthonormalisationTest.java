// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.QRDecomposition;
import org.hipparchus.linear.RealMatrix;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.Vectors;

class OrthonormalisationTest {
  private static double[] apply(double[][] columns) {
    double[] diagonal = new double[columns.length];
    new Orthonormalisation(columns.length).apply(columns, columns.length, diagonal);
    return diagonal;
  }

  private static void assertOrthonormal(double[][] columns) {
    for (int i = 0; i < columns.length; i++) {
      for (int j = 0; j <= i; j++) {
        double product = Vectors.dot(columns[i], 0, columns[j], 0, columns[i].length);
        assertThat(product).isCloseTo(i == j ? 1 : 0, within(1e-11));
      }
    }
  }

  @Test
  void agreesWithHouseholder() {
    for (int count = 1; count <= 11; count++) {
      double[][] columns = TestGrams.gaussian(count, 13, count);
      RealMatrix r = new QRDecomposition(MatrixUtils.createRealMatrix(columns).transpose()).getR();
      double[] diagonal = apply(columns);
      assertOrthonormal(columns);
      for (int j = 0; j < count; j++) {
        assertThat(diagonal[j]).isCloseTo(Math.abs(r.getEntry(j, j)), within(1e-12));
      }
    }
  }

  @Test
  void staysOrthonormalOnNearlyDependentColumns() {
    double[][] columns = TestGrams.gaussian(6, 30, 1);
    for (int j = 1; j < 6; j++) {
      for (int i = 0; i < 30; i++) {
        columns[j][i] = columns[0][i] + 1e-9 * columns[j][i];
      }
    }
    double[] diagonal = apply(columns);
    assertOrthonormal(columns);
    assertThat(diagonal[5]).isBetween(1e-9, 1e-8);
  }

  @Test
  void dependentColumnsVanishAndDoNotDisturbTheOthers() {
    double[][] columns = TestGrams.gaussian(4, 8, 1);
    double[][] others = {columns[0].clone(), columns[1].clone(), columns[3].clone()};
    for (int i = 0; i < 8; i++) {
      columns[2][i] = 3 * columns[0][i] - 0.1 * columns[1][i];
    }
    double[] diagonal = apply(columns);
    double[] expected = apply(others);
    assertThat(diagonal[2]).isZero();
    assertThat(columns[2]).containsOnly(0);
    assertThat(diagonal[3]).isCloseTo(expected[2], within(1e-12));
  }

  @Test
  void zeroColumnsAreDependent() {
    double[][] columns = new double[2][3];
    assertThat(apply(columns)).containsExactly(0, 0);
  }
}
