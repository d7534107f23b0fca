// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.stability.MeanSquareStability;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class SymmetricEigenTest {
  private static final int M = 70;

  @ParameterizedTest
  @EnumSource
  void aWrongResultIsReplacedByTheNextRoutines(WrongRoutines wrong) {
    GramMatrix gram = TestGrams.powerLaw(M, 1, 2, 3);
    List<String> warnings = new ArrayList<>();

    GramSpectrum found = GramSpectrum.of(gram, true, WrongRoutines.rescued(wrong, warnings));

    assertIsDecomposition(found, gram);
    assertThat(found.remarks())
        .containsExactly(
            "the eigendecomposition of a matrix of 70 rows was wrong by "
                + wrong
                + ": Hipparchus took its place");
    assertThat(warnings).isEqualTo(found.remarks());
  }

  @ParameterizedTest
  @EnumSource(
      mode = Mode.MATCH_ANY,
      names = {"VALUES.*", "THE_LARGEST.*", "DESCENDING", "GIVES.*"})
  void wrongEigenvaluesAloneAreReplacedToo(WrongRoutines wrong) {
    GramMatrix gram = TestGrams.powerLaw(M, 1, 2, 3);

    GramSpectrum found =
        GramSpectrum.of(gram, false, WrongRoutines.rescued(wrong, new ArrayList<>()));

    assertThat(found.remarks()).hasSize(1);
    double[] expected = GramSpectrum.of(gram).eigenvalues();
    for (int k = 0; k < M; k++) {
      assertThat(found.eigenvalue(k)).isCloseTo(expected[k], within(found.noise()));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whereNoRoutineIsRightWhatIsRightIsKeptAndTheRestIsAbsentByName(WrongRoutines wrong) {
    GramMatrix gram = TestGrams.powerLaw(M, 1, 2, 3);
    if (!wrong.hasRightValues()) {
      assertThatThrownBy(() -> wrong.withoutRescue(gram, true))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage(
              "the eigendecomposition of a matrix of 70 rows was wrong by %s, %s: there is no other"
                  + " routine; what needs eigenvalues is absent",
              wrong, wrong);
      return;
    }
    GramSpectrum found = wrong.withoutRescue(gram, true);

    assertThat(found.largest()).isCloseTo(GramSpectrum.of(gram).largest(), within(found.noise()));
    assertThat(found.hasEigenvectors()).isFalse();
    assertThat(found.remarks().get(0)).endsWith("what needs eigenvectors is absent");
    assertThatThrownBy(() -> found.eigenvector(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(found.remarks().get(0));
  }

  static Stream<GramMatrix> matrices() {
    List<GramMatrix> matrices = new ArrayList<>();
    for (int m : new int[] {1, 2, 33, 64, 65, 97, 128, 130, 200}) {
      matrices.add(TestGrams.wishart(m, 1, 2 * m, m));
      matrices.add(TestGrams.wishart(m, 1, (m + 1) / 2, m));
      matrices.add(TestGrams.powerLaw(m, 1, 6, m));
      matrices.add(TestGrams.single(TestGrams.powerLaw(m, 1, 3, m)));
      matrices.add(GramMatrix.of(new double[m][m], m, 1));
      matrices.add(scaled(m, 1e300));
      matrices.add(scaled(m, 1e-300));
      matrices.add(scaled(m, 1e-315));
    }
    TangentKernels.rows().stream()
        .filter(row -> row.batchSize() == 1)
        .forEach(row -> matrices.add(row.gram()));
    return matrices.stream();
  }

  private static GramMatrix scaled(int m, double scale) {
    double[][] rows = TestGrams.wishart(m, m, 2);
    for (double[] row : rows) {
      for (int j = 0; j < m; j++) {
        row[j] *= scale;
      }
    }
    return GramMatrix.of(rows, m, 1);
  }

  @ParameterizedTest
  @MethodSource("matrices")
  void theRightResultOfHipparchusIsNeverRefused(GramMatrix gram) {
    SymmetricEigen eigen =
        new SymmetricEigen(
            List.of(new EigenRoutine("Hipparchus", EigenRoutines::hipparchus)), warning -> {});

    assertThat(GramSpectrum.of(gram, true, eigen).hasEigenvectors()).isTrue();
    assertThat(GramSpectrum.of(gram, false, eigen).remarks()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("matrices")
  void everyMatrixIsDecomposedWhateverTheLibraryGives(GramMatrix gram) {
    assertIsDecomposition(GramSpectrum.of(gram), gram);
    assertThat(GramSpectrum.eigenvaluesOnly(gram).size()).isEqualTo(gram.size());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0x1p1000, 0x1p-1000})
  void aPowerOfTwoChangesNoBitButTheExponent(double scale) {
    GramMatrix gram = GramMatrix.of(TestGrams.wishart(20, 40, 2), 20, 1);
    double[][] rows = gram.toArray();
    for (double[] row : rows) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= scale;
      }
    }
    GramSpectrum expected = GramSpectrum.of(gram);
    GramSpectrum found = GramSpectrum.of(GramMatrix.of(rows, 20, 1));
    for (int k = 0; k < 20; k++) {
      assertThat(found.eigenvalue(k)).isEqualTo(scale * expected.eigenvalue(k));
      assertThat(found.eigenvector(k)).containsExactly(expected.eigenvector(k));
    }
  }

  /** E‖Mw‖² shrinks with every step if η‖G_ii‖ &lt; 2, so Λ(2) &gt; 0 is impossible here. */
  @Test
  void aContractionIsNeverUnstableInTheMeanSquare() {
    RandomStream random = new RandomStream(17);
    int unstable = 0;
    for (int trial = 0; trial < 300; trial++) {
      int m = 60 + random.nextInt(71);
      GramMatrix gram = TestGrams.powerLaw(m, 1, 2 * random.nextDouble(), trial);
      double largest = 0;
      for (int i = 0; i < m; i++) {
        largest = Math.max(largest, gram.get(i, i));
      }
      SgdStep step = SgdStep.of(0.2 / largest, 1 + random.nextInt(4));
      MeanSquareStability stability = MeanSquareStability.of(GramSpectrum.of(gram));
      unstable += stability.exponent(step) > 0 ? 1 : 0;
    }
    assertThat(unstable).isZero();
  }

  /** ‖GQ − QΛ‖ and ‖QᵀQ − I‖ entry by entry, which is what the probes stand for. */
  private static void assertIsDecomposition(GramSpectrum spectrum, GramMatrix gram) {
    int m = gram.size();
    double largest = Math.max(spectrum.largest(), Double.MIN_VALUE);
    double[][] q = new double[m][];
    for (int k = 0; k < m; k++) {
      q[k] = spectrum.eigenvector(k);
    }
    double residual = 0;
    double overlap = 0;
    double[] image = new double[m];
    for (int k = 0; k < m; k++) {
      gram.multiply(q[k], image);
      for (int i = 0; i < m; i++) {
        double gap = image[i] / largest - spectrum.eigenvalue(k) / largest * q[k][i];
        residual = Math.max(residual, Math.abs(gap));
        double sum = i == k ? -1 : 0;
        for (int j = 0; j < m; j++) {
          sum += q[i][j] * q[k][j];
        }
        overlap = Math.max(overlap, Math.abs(sum));
      }
    }
    double tiny = largest < 1e-308 ? 1e-8 * m : 0; // entries without a full mantissa
    assertThat(residual).isLessThan(1e-14 * m + 1e-14 + tiny);
    assertThat(overlap).isLessThan(1e-14 * m + 1e-14);
  }
}
