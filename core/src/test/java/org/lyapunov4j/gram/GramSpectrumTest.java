// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.step.RandomStream;

class GramSpectrumTest {
  /** F Fᵀ of a Gaussian m × p matrix F whose columns shrink by {@code decay}. */
  private static double[][] randomGram(int m, int p, double decay, long seed) {
    RandomStream random = new RandomStream(seed);
    double[][] f = new double[m][p];
    for (int i = 0; i < m; i++) {
      for (int k = 0; k < p; k++) {
        f[i][k] = random.nextGaussian() * Math.pow(decay, k);
      }
    }
    double[][] g = new double[m][m];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        for (int k = 0; k < p; k++) {
          g[i][j] += f[i][k] * f[j][k];
        }
      }
    }
    return g;
  }

  private static float[][] toFloat(double[][] rows) {
    float[][] result = new float[rows.length][rows.length];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < rows.length; j++) {
        result[i][j] = (float) rows[i][j];
      }
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "2,5,1", "17,40,1", "60,60,0.8", "60,20,1"})
  void reconstructsTheMatrixFromOrthonormalEigenvectors(int m, int p, double decay) {
    double[][] rows = randomGram(m, p, decay, 7);
    GramSpectrum spectrum = GramSpectrum.of(GramMatrix.of(rows, m, 1));
    double scale = spectrum.largest();
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        double entry = 0;
        double product = 0;
        for (int k = 0; k < m; k++) {
          double[] v = spectrum.eigenvector(k);
          entry += spectrum.eigenvalue(k) * v[i] * v[j];
          product += spectrum.eigenvector(i)[k] * spectrum.eigenvector(j)[k];
        }
        assertThat(entry).isCloseTo(rows[i][j], within(1e-13 * m * scale));
        assertThat(product).isCloseTo(i == j ? 1 : 0, within(1e-12));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 30, 80})
  void eigenvaluesAgreeWithAnIndependentSolverAndWithoutVectors(int m) {
    double[][] rows = randomGram(m, m + 3, 0.9, 11);
    GramMatrix gram = GramMatrix.of(rows, m, 1);
    double[] expected =
        new EigenDecompositionSymmetric(new Array2DRowRealMatrix(rows)).getEigenvalues();
    double[] found = GramSpectrum.of(gram).eigenvalues();
    double[] alone = GramSpectrum.eigenvaluesOnly(gram).eigenvalues();
    for (int k = 0; k < m; k++) {
      assertThat(found[m - 1 - k]).isCloseTo(expected[k], within(1e-12 * expected[0]));
      assertThat(alone[m - 1 - k]).isCloseTo(expected[k], within(1e-12 * expected[0]));
    }
  }

  @Test
  void withoutOpenBlasTheBackendsOwnRoutineAgrees() {
    int m = 25;
    double[][] rows = randomGram(m, m, 0.9, 3);
    GramMatrix gram = GramMatrix.of(rows, m, 1);
    double[] flat = new double[m * m];
    for (int i = 0; i < m; i++) {
      System.arraycopy(rows[i], 0, flat, i * m, m);
    }
    double[] eigenvalues = EigenRoutines.syev(flat, m, true);
    GramSpectrum spectrum = GramSpectrum.of(gram);
    for (int k = 0; k < m; k++) {
      assertThat(eigenvalues[k])
          .isCloseTo(spectrum.eigenvalue(k), within(1e-13 * spectrum.largest()));
      double overlap = 0;
      for (int i = 0; i < m; i++) {
        overlap += flat[k * m + i] * spectrum.eigenvector(k)[i];
      }
      assertThat(Math.abs(overlap)).isCloseTo(1, within(1e-9));
    }
  }

  @ParameterizedTest
  @CsvSource({"double,30,12", "float,30,12", "double,30,30", "float,5,1"})
  void countsTheRankInTheStoredPrecision(String precision, int m, int rank) {
    double[][] rows = randomGram(m, rank, 1, 5);
    GramMatrix gram =
        precision.equals("double")
            ? GramMatrix.of(rows, m, 1)
            : GramMatrix.adopt(toFloat(rows), m, 1);
    GramSpectrum spectrum = GramSpectrum.of(gram);
    assertThat(spectrum.rank()).isEqualTo(rank);
    assertThat(spectrum.isNonsingular()).isEqualTo(rank == m);
    assertThat(spectrum.isPositiveSemidefinite()).isTrue();
    assertThat(spectrum.smallestNonzero().getAsDouble()).isGreaterThan(spectrum.noise());
    assertThat(spectrum.conditionNumber().getAsDouble())
        .isEqualTo(spectrum.largest() / spectrum.smallestNonzero().getAsDouble());
  }

  @Test
  void theZeroMatrixHasRankZeroAndNoCondition() {
    GramSpectrum spectrum = GramSpectrum.of(GramMatrix.of(new double[4][4], 2, 2));
    assertThat(spectrum.rank()).isZero();
    assertThat(spectrum.largest()).isZero();
    assertThat(spectrum.conditionNumber()).isEmpty();
    assertThat(spectrum.smallestNonzero()).isEmpty();
    assertThat(spectrum.isPositiveSemidefinite()).isTrue();
  }

  @Test
  void tellsIndefinitenessFromRounding() {
    GramSpectrum indefinite =
        GramSpectrum.of(GramMatrix.of(new double[][] {{1, 1.001}, {1.001, 1}}, 2, 1));
    assertThat(indefinite.lowest()).isCloseTo(-0.001, within(1e-12));
    assertThat(indefinite.isPositiveSemidefinite()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-150, 1e150})
  void isScaleFree(double scale) {
    double[][] rows = randomGram(6, 4, 1, 2);
    GramSpectrum plain = GramSpectrum.of(GramMatrix.of(rows, 6, 1));
    for (double[] row : rows) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= scale;
      }
    }
    GramSpectrum scaled = GramSpectrum.of(GramMatrix.of(rows, 6, 1));
    assertThat(scaled.rank()).isEqualTo(4);
    assertThat(scaled.largest() / scale).isCloseTo(plain.largest(), within(1e-12));
  }

  @Test
  void refusesEigenvectorsThatWereNotComputed() {
    GramSpectrum spectrum = GramSpectrum.eigenvaluesOnly(GramMatrix.of(new double[1][1], 1, 1));
    assertThat(spectrum.hasEigenvectors()).isFalse();
    assertThatThrownBy(() -> spectrum.eigenvector(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("GramSpectrum.of");
  }

  @Test
  void reproducesTheExtremesOfTheReferenceCases() {
    for (ReferenceCases.Case c : ReferenceCases.all()) {
      GramSpectrum spectrum = GramSpectrum.of(c.gram());
      assertThat(spectrum.largest()).as(c.id()).isCloseTo(c.number("g_max"), within(1e-11));
      assertThat(spectrum.lowest()).as(c.id()).isCloseTo(c.number("g_min"), within(1e-11));
      assertThat(spectrum.isNonsingular())
          .as(c.id())
          .isEqualTo(!c.json().get("G_singular").asBoolean());
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "2,2,1", "50,60,1", "200,200,0.7", "200,3,1"})
  void lanczosFindsTheLargestEigenvalue(int m, int p, double decay) {
    GramMatrix gram = GramMatrix.of(randomGram(m, p, decay, 13), m, 1);
    GramSpectrum spectrum = GramSpectrum.of(gram);
    LargestEigenpair pair = LargestEigenpair.of(gram);
    double largest = spectrum.largest();
    assertThat(pair.value()).isCloseTo(largest, within(1e-12 * largest));
    assertThat(pair.residual()).isLessThanOrEqualTo(1e-9 * largest);
    assertThat(pair.products()).isLessThan(60);
    double[] v = pair.vector();
    double[] image = new double[m];
    gram.multiply(v, image);
    double error = 0;
    for (int i = 0; i < m; i++) {
      error += Math.pow(image[i] - pair.value() * v[i], 2);
    }
    assertThat(Math.sqrt(error)).isLessThan(2e-9 * largest);
  }

  @Test
  void lanczosStopsAtAnInvariantSubspaceAndReportsAnUnfinishedResidual() {
    GramMatrix zero = GramMatrix.of(new double[3][3], 3, 1);
    assertThat(LargestEigenpair.of(zero).value()).isZero();
    GramMatrix identity = GramMatrix.of(new double[][] {{2, 0}, {0, 2}}, 2, 1);
    assertThat(LargestEigenpair.of(identity).products()).isEqualTo(1);
    GramMatrix gram = GramMatrix.of(randomGram(80, 80, 1, 1), 80, 1);
    double[] start = new double[80];
    start[0] = 1;
    LargestEigenpair few = LargestEigenpair.of(gram::multiply, start, 1e-9, 3);
    double largest = GramSpectrum.of(gram).largest();
    assertThat(few.residual()).isGreaterThan(1e-3 * largest);
    assertThat(few.value()).isLessThanOrEqualTo(largest);
    assertThat(few.value()).isGreaterThan(0);
  }

  @Test
  void lanczosRefusesAZeroStart() {
    assertThatThrownBy(() -> LargestEigenpair.of((x, y) -> {}, new double[2], 1e-9, 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nonzero");
  }
}
