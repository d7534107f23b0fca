// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.step.Momentum;
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
    assertThat(diagnose(TestGrams.wishart(3, 1, 9, 1), SgdStep.of(0.6, 2)).singularityMargin())
        .isEmpty();
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

  @ParameterizedTest
  @ValueSource(doubles = {1e-9, 1, 1e9})
  void theWeakestLinkOfTheGraph(double scale) {
    double[][] g = {{1, 0.5, 0.02, 0}, {0.5, 1, 0.01, 0}, {0.02, 0.01, 1, 0.3}, {0, 0, 0.3, 1}};
    for (double[] row : g) {
      for (int j = 0; j < 4; j++) {
        row[j] *= scale;
      }
    }
    GramDiagnosis connected = diagnose(GramMatrix.of(g, 4, 1), SgdStep.of(0.1, 2));
    assertThat(connected.weakestLink()).isCloseTo(0.02, within(1e-12));
    assertThat(connected.components()).isEqualTo(1);
    g[0][2] = g[2][0] = 1e-8 * scale;
    g[1][2] = g[2][1] = 0;
    GramDiagnosis weak = diagnose(GramMatrix.of(g, 4, 1), SgdStep.of(0.1, 2));
    assertThat(weak.findings()).hasSize(1).first().asString().contains("nearly falls apart");
    g[0][2] = g[2][0] = 0;
    GramDiagnosis cut = diagnose(GramMatrix.of(g, 4, 1), SgdStep.of(0.1, 2));
    assertThat(cut.weakestLink()).isZero();
    assertThat(cut.components()).isEqualTo(2);
    assertThat(
            diagnose(GramMatrix.of(new double[][] {{2}}, 1, 1), SgdStep.of(0.1, 1)).weakestLink())
        .isEqualTo(1);
  }

  @Test
  void independentOutputsNeverInteract() {
    double[][] one = TestGrams.wishart(5, 20, 4);
    double[][] g = new double[15][15];
    for (int i = 0; i < 5; i++) {
      for (int j = 0; j < 5; j++) {
        for (int k = 0; k < 3; k++) {
          g[3 * i + k][3 * j + k] = one[i][j];
        }
      }
    }
    assertThat(diagnose(GramMatrix.of(g, 5, 3), SgdStep.of(0.1, 2)).components()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tinyExamplesAreNotTakenForDuplicates(boolean single) {
    double[][] f = TestGrams.gaussian(10, 30, 8);
    f[8] = f[2].clone();
    f[9] = f[3].clone();
    for (int row : new int[] {4, 5, 6, 7}) {
      for (int k = 0; k < 30; k++) {
        f[row][k] *= 1e-6;
      }
    }
    GramMatrix exact = GramMatrix.adopt(TestGrams.product(f, 0.3), 5, 2);
    assertThat(diagnose(single ? TestGrams.single(exact) : exact, SgdStep.of(0.1, 2)).duplicates())
        .containsExactly(new GramDiagnosis.Pair(1, 4));
  }

  @Test
  void marginsOfTheFullBatchAndOfSingularBlocks() {
    GramMatrix gram = TestGrams.wishart(4, 2, 30, 6);
    double largest = GramSpectrum.of(gram).largest();
    SgdStep erasing = SgdStep.of(4 / largest, 4);
    assertThat(diagnose(gram, erasing).singularityMargin().orElseThrow())
        .isCloseTo(0, within(1e-12));
    assertThat(
            diagnose(gram, erasing.withLearningRate(8 / largest)).reflectionMargin().orElseThrow())
        .isCloseTo(0, within(1e-12));
    SgdStep decaying = SgdStep.of(2 / largest, 4).withWeightDecay(0.25 * largest);
    assertThat(diagnose(gram, decaying).singularityMargin().orElseThrow())
        .isCloseTo(0, within(1e-12));
    assertThat(
            diagnose(gram, erasing.withMomentum(new Momentum.HeavyBall(0.9))).singularityMargin())
        .isEmpty();
    double[][] softmax = {
      {1, -1, 0.1, -0.1}, {-1, 1, -0.1, 0.1}, {0.1, -0.1, 0.5, -0.5}, {-0.1, 0.1, -0.5, 0.5}
    };
    GramDiagnosis blocks = diagnose(GramMatrix.of(softmax, 2, 2), SgdStep.of(0.3, 1));
    assertThat(blocks.reflectionMargin().orElseThrow()).isCloseTo(0.3, within(1e-12));
    assertThat(blocks.singularityMargin().orElseThrow()).isCloseTo(0.4, within(1e-12));
    assertThat(blocks.rank()).isEqualTo(2);
  }

  @Test
  void anIndefiniteMatrixIsNoGramMatrix() {
    GramDiagnosis diagnosis =
        diagnose(GramMatrix.of(new double[][] {{1, 2}, {2, 1}}, 2, 1), SgdStep.of(0.1, 2));
    assertThat(diagnosis.isPositiveSemidefinite()).isFalse();
    assertThat(diagnosis.lowest()).isCloseTo(-1, within(1e-12));
    assertThat(diagnosis.findings().get(0)).contains("not a Gram matrix");
  }

  private static GramDiagnosis diagnose(GramMatrix gram, SgdStep step) {
    return GramDiagnosis.of(gram, GramSpectrum.eigenvaluesOnly(gram), step);
  }
}
