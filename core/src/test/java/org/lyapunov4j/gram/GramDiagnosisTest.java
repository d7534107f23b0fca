// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.step.SgdStep;

class GramDiagnosisTest {
  @Test
  void aWellConditionedGramHasNothingRemarkable() {
    GramDiagnosis diagnosis = diagnose(TestGrams.wishart(5, 2, 60, 3), SgdStep.of(0.7, 1));
    assertThat(diagnosis.isNonsingular()).isTrue();
    assertThat(diagnosis.components()).isEqualTo(1);
    assertThat(diagnosis.findings()).isEmpty();
    assertThat(diagnosis.conditionNumber().orElseThrow())
        .isCloseTo(diagnosis.largest() / diagnosis.smallestNonzero().orElseThrow(), within(1e-9));
  }

  @Test
  void groupsThatDoNotInteractAreCounted() {
    double[][] g = new double[6][6];
    double[][] block = TestGrams.wishart(2, 9, 1);
    for (int b = 0; b < 6; b += 2) {
      for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
          g[b + i][b + j] = block[i][j];
        }
      }
    }
    assertThat(diagnose(GramMatrix.of(g, 6, 1), SgdStep.of(0.3, 2)).components()).isEqualTo(3);
    assertThat(diagnose(GramMatrix.of(g, 3, 2), SgdStep.of(0.3, 2)).components()).isEqualTo(3);
    GramMatrix zero = GramMatrix.of(new double[3][3], 3, 1);
    assertThat(diagnose(zero, SgdStep.of(1, 1)).components()).isEqualTo(3);
    assertThat(diagnose(zero, SgdStep.of(1, 1)).rank()).isZero();
    assertThat(diagnose(zero, SgdStep.of(1, 1)).duplicates()).isEmpty();
  }

  @Test
  void duplicatedExamplesAreFoundInDoubleAndFloat() {
    double[][] f = TestGrams.gaussian(8, 20, 4);
    f[6] = f[2].clone();
    f[7] = f[3].clone();
    GramMatrix gram = GramMatrix.adopt(TestGrams.product(f, 0.05), 4, 2);
    GramDiagnosis diagnosis = diagnose(gram, SgdStep.of(0.4, 2));
    assertThat(diagnosis.duplicates()).containsExactly(new GramDiagnosis.Pair(1, 3));
    assertThat(diagnosis.rank()).isEqualTo(6);
    assertThat(diagnosis.findings()).hasSize(2);
    assertThat(diagnose(TestGrams.single(gram), SgdStep.of(0.4, 2)).duplicates()).hasSize(1);
  }

  @Test
  void marginsOfStepsOnOneExample() {
    GramMatrix gram = GramMatrix.of(new double[][] {{2, 0.1}, {0.1, 1.5}}, 2, 1);
    GramDiagnosis diagnosis = diagnose(gram, SgdStep.of(0.6, 1));
    assertThat(diagnosis.singularityMargin().orElseThrow()).isCloseTo(0.1, within(1e-12));
    assertThat(diagnosis.reflectionMargin().orElseThrow()).isCloseTo(0.8, within(1e-12));
    assertThat(diagnose(gram, SgdStep.of(1, 1)).findings()).hasSize(1);
    assertThat(diagnose(gram, SgdStep.of(0.5, 1)).findings()).hasSize(1);
    assertThat(diagnose(gram, SgdStep.of(0.6, 2)).singularityMargin()).isEmpty();
  }

  @Test
  void blocksOfSeveralOutputsHaveTheirEigenvalues() {
    GramMatrix gram =
        GramMatrix.of(
            new double[][] {{2, 1, 0, 0}, {1, 2, 0, 0}, {0, 0, 5, 0}, {0, 0, 0, 4}}, 2, 2);
    ExampleBlocks blocks = ExampleBlocks.of(gram);
    assertThat(blocks.eigenvalues(0)).containsExactly(new double[] {1, 3}, within(1e-12));
    assertThat(blocks.largestEigenvalue()).isCloseTo(5, within(1e-12));
  }

  private static GramDiagnosis diagnose(GramMatrix gram, SgdStep step) {
    return GramDiagnosis.of(gram, GramSpectrum.eigenvaluesOnly(gram), step);
  }
}
