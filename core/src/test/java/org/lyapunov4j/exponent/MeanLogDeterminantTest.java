// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.Stream;
import org.hipparchus.linear.LUDecomposition;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.stat.descriptive.StreamingStatistics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class MeanLogDeterminantTest {
  private static Estimate sum(GramMatrix gram, SgdStep step) {
    return SpectrumEstimator.builder().build().sumOfExponents(gram, step);
  }

  static Stream<SgdStep> steps() {
    return DisplacementCocycleTest.steps();
  }

  /** The determinant of the factor itself, read off from what it does to the unit vectors. */
  @ParameterizedTest
  @MethodSource("steps")
  void isTheMeanLogDeterminantOfTheFactors(SgdStep step) {
    for (int features : new int[] {4, 20}) {
      GramMatrix gram = TestGrams.wishart(7, 2, features, 4);
      LinearCocycle cocycle = DisplacementCocycle.of(GramSpectrum.of(gram), step);
      LinearCocycle.Realisation realisation = cocycle.realise(new RandomStream(9));
      StreamingStatistics epochs = new StreamingStatistics();
      for (int e = 0; e < 300; e++) {
        double sum = 0;
        for (int s = 0; s < cocycle.stepsPerEpoch(); s++) {
          sum += logDeterminant(realisation.next(), cocycle.dimension());
        }
        epochs.addValue(sum / cocycle.stepsPerEpoch());
      }
      double error = epochs.getStandardDeviation() / Math.sqrt(300);
      assertThat(sum(gram, step).value()).isCloseTo(epochs.getMean(), within(4 * error + 1e-9));
      assertThat(sum(gram, step).standardError()).isZero();
    }
  }

  private static double logDeterminant(LinearCocycle.Factor factor, int dimension) {
    double[][] columns = new double[dimension][dimension];
    for (int j = 0; j < dimension; j++) {
      columns[j][j] = 1;
      factor.apply(columns[j]);
    }
    return Math.log(
        Math.abs(new LUDecomposition(MatrixUtils.createRealMatrix(columns), 0).getDeterminant()));
  }

  @Test
  void oneExampleAStepIsTheMeanOverExamples() {
    GramMatrix gram = TestGrams.wishart(9, 1, 12, 5);
    double eta = 1.7;
    double mean = 0;
    for (int i = 0; i < 9; i++) {
      mean += Math.log(Math.abs(1 - eta * gram.get(i, i))) / 9;
    }
    assertThat(sum(gram, SgdStep.of(eta, 1)).value()).isCloseTo(mean, within(1e-13));
  }

  @ParameterizedTest
  @EnumSource(MiniBatchSampling.class)
  void samplingAgreesWithEnumeration(MiniBatchSampling sampling) {
    // 15504 subsets of 5 are too many to enumerate here; a naive loop over all of them is not.
    GramMatrix gram = TestGrams.wishart(20, 1, 30, 5);
    SgdStep step = SgdStep.of(2, 5).withSampling(sampling);
    Estimate estimate = sum(gram, step);
    double exact =
        BatchLaw.expectation(
                step,
                20,
                100_000,
                batch -> {
                  double[][] g = new double[batch.length][batch.length];
                  for (int i = 0; i < batch.length; i++) {
                    for (int j = 0; j < batch.length; j++) {
                      g[i][j] = (i == j ? 1 : 0) - 0.4 * gram.get(batch[i], batch[j]);
                    }
                  }
                  return Math.log(
                      Math.abs(
                          new LUDecomposition(MatrixUtils.createRealMatrix(g)).getDeterminant()));
                })
            .orElseThrow();
    assertThat(estimate.value()).isCloseTo(exact, within(4 * estimate.standardError() + 1e-12));
    assertThat(estimate.standardError() > 0)
        .isEqualTo(sampling != MiniBatchSampling.ORDERED_EPOCHS);
  }

  @Test
  void theLastShorterBatchOfAnEpochCountsWithItsOwnStepSize() {
    GramMatrix gram = TestGrams.wishart(3, 1, 9, 6);
    SgdStep step = SgdStep.of(0.8, 2).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    double expected = 0;
    for (int i = 0; i < 3; i++) {
      expected += Math.log(Math.abs(1 - 0.8 * gram.get(i, i))) / 6;
      int j = (i + 1) % 3;
      double a = 1 - 0.4 * gram.get(i, i);
      double d = 1 - 0.4 * gram.get(j, j);
      double b = 0.4 * gram.get(i, j);
      expected += Math.log(Math.abs(a * d - b * b)) / 6;
    }
    assertThat(sum(gram, step).value()).isCloseTo(expected, within(1e-13));
  }

  @Test
  void aBatchThatAnnihilatesADirectionMakesItMinusInfinity() {
    GramMatrix gram = GramMatrix.of(new double[][] {{1, 0.3}, {0.3, 0.7}}, 2, 1);
    assertThat(sum(gram, SgdStep.of(1, 1))).isEqualTo(Estimate.exact(Double.NEGATIVE_INFINITY));
    assertThat(sum(gram, SgdStep.of(1 + 1e-9, 1)).value()).isFinite();
  }

  @Test
  void momentumWithoutMemoryLosesTheVelocity() {
    GramMatrix gram = TestGrams.wishart(4, 1, 9, 6);
    SgdStep step = SgdStep.of(0.5, 1).withMomentum(new Momentum.HeavyBall(0));
    assertThat(sum(gram, step).value()).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void theZeroMatrixHasNothingToAdd() {
    GramMatrix zero = GramMatrix.of(new double[4][4], 2, 2);
    SgdStep step = SgdStep.of(0.5, 1).withMomentum(new Momentum.Nesterov(0));
    assertThat(sum(zero, step)).isEqualTo(Estimate.exact(0));
    assertThat(sum(zero, SgdStep.of(0.5, 1)).value()).isEqualTo(0);
  }

  @Test
  void refusesAPenaltyThatErasesTheParameters() {
    GramMatrix gram = TestGrams.wishart(4, 1, 9, 6);
    SgdStep step = SgdStep.of(0.5, 1).withMomentum(new Momentum.Nesterov(0.9)).withL2(2);
    assertThatThrownBy(() -> sum(gram, step))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must not be 1");
  }

  @ParameterizedTest
  @EnumSource(MiniBatchSampling.class)
  void batchLawsAreProbabilities(MiniBatchSampling sampling) {
    SgdStep step = SgdStep.of(1, 3).withSampling(sampling);
    assertThat(BatchLaw.expectation(step, 5, 100, batch -> 1).orElseThrow())
        .isCloseTo(1, within(1e-14));
    double size = BatchLaw.expectation(step, 5, 100, batch -> batch.length).orElseThrow();
    assertThat(size).isCloseTo(sampling.isIndependent() ? 3 : 2.5, within(1e-14));
    for (int i = 0; i < 5; i++) {
      int example = i;
      double draws =
          BatchLaw.expectation(
                  step,
                  5,
                  100,
                  batch -> Arrays.stream(batch).filter(drawn -> drawn == example).count())
              .orElseThrow();
      assertThat(draws).isCloseTo(size / 5, within(1e-14));
    }
  }

  @Test
  void drawsWithReplacementAreMultinomial() {
    SgdStep step = SgdStep.of(1, 3).withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT);
    double allDifferent =
        BatchLaw.expectation(
                step, 5, 100, batch -> Arrays.stream(batch).distinct().count() == 3 ? 1 : 0)
            .orElseThrow();
    assertThat(allDifferent).isCloseTo(5 * 4 * 3 / 125.0, within(1e-14));
    assertThat(BatchLaw.expectation(step, 5, 34, batch -> 1)).isEmpty();
    assertThat(BatchLaw.expectation(step, 5, 35, batch -> 1)).isPresent();
  }
}
