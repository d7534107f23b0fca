// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.hipparchus.complex.Complex;
import org.hipparchus.linear.EigenDecompositionNonSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

class MomentEstimatorTest {
  private static final GramMatrix KACZMARZ =
      GramMatrix.of(new double[][] {{1, 0.5}, {0.5, 1}}, 2, 1);

  private static MomentExponents estimate(
      GramMatrix gram, SgdStep step, int size, int steps, double... orders) {
    int stepsPerEpoch = (gram.examples() + step.batchSize() - 1) / step.batchSize();
    return MomentEstimator.builder()
        .seed(6)
        .populationSize(size)
        .burnInEpochs(steps / stepsPerEpoch / 20)
        .epochs(steps / stepsPerEpoch)
        .build()
        .estimate(gram, step, orders);
  }

  private static void assertNear(Estimate actual, double expected, double largestError) {
    assertThat(actual.value()).isCloseTo(expected, within(4 * actual.standardError() + 1e-10));
    assertThat(actual.standardError()).isLessThan(largestError);
  }

  static Stream<ReferenceCases.Case> referenceCases() {
    return ReferenceCases.all().stream();
  }

  @ParameterizedTest
  @MethodSource("referenceCases")
  void agreesWithTheReference(ReferenceCases.Case reference) {
    for (int order : new int[] {1, 2, 4}) {
      String field = "Lambda" + order;
      String onRange = field + "_quotient";
      if (reference.has(field) || reference.has(onRange)) {
        double exact = reference.number(reference.has(onRange) ? onRange : field);
        MomentExponents moments = estimate(reference.gram(), reference.step(), 64, 3_000, order);
        assertNear(moments.of(order), exact, 0.01 * order);
      }
    }
  }

  @Test
  void diagonalGramIsRuledByItsMostExplosiveDirection() {
    double[] g = {0.5, 1.2, 3.9};
    GramMatrix gram = GramMatrix.of(MatrixUtils.createRealDiagonalMatrix(g).getData(), 3, 1);
    SgdStep step = SgdStep.of(0.6, 1);
    DoubleUnaryOperator exact =
        p ->
            Arrays.stream(g)
                .map(k -> Math.log(2.0 / 3 + Math.pow(Math.abs(1 - 0.6 * k), p) / 3))
                .max()
                .orElseThrow();
    MomentExponents moments = estimate(gram, step, 128, 3_000, 0.5, 1.5, 3);
    for (MomentExponent moment : moments.moments()) {
      assertNear(moment.exponent(), exact.applyAsDouble(moment.order()), 0.01);
    }
  }

  /** Switching the sample multiplies by c, repeating it by one: all moments are known. */
  @Test
  void kaczmarzHasNegativeMomentsToo() {
    double[] orders = {-2, -1, -0.5, 0.25, 1, 3};
    MomentExponents moments = estimate(KACZMARZ, SgdStep.of(1, 1), 256, 3_000, orders);
    for (double p : orders) {
      assertNear(moments.of(p), Math.log((1 + Math.pow(0.5, p)) / 2), 0.02);
    }
  }

  @Test
  void momentsOfSmallOrderApproachTheExponent() {
    double lambda = Math.log(0.5) / 2;
    double variance = Math.log(0.5) * Math.log(0.5) / 4;
    MomentExponents moments = estimate(KACZMARZ, SgdStep.of(1, 1), 256, 3_000, 0, -0.01, 0.01, 0.1);
    assertThat(moments.of(0)).isEqualTo(Estimate.exact(0));
    for (double p : new double[] {-0.01, 0.01, 0.1}) {
      Estimate slope = moments.of(p).times(1 / p);
      assertNear(slope, lambda + p * variance / 2, 0.003);
    }
  }

  @Test
  void reflectionsHaveNoMoments() {
    double[][] g = {{1, 0.3, -0.5}, {0.3, 1, 0.2}, {-0.5, 0.2, 1}};
    MomentExponents moments =
        estimate(GramMatrix.of(g, 3, 1), SgdStep.of(2, 1), 16, 1_000, -3, 0.7, 4);
    for (MomentExponent moment : moments.moments()) {
      assertThat(moment.exponent().value()).isCloseTo(0, within(1e-12));
    }
  }

  /** One of two examples annihilates everything, the other multiplies by 0.75. */
  @Test
  void annihilationCountsAsAMomentOfZero() {
    GramMatrix gram = GramMatrix.of(new double[][] {{1, 0.5}, {0.5, 0.25}}, 2, 1);
    MomentExponents moments = estimate(gram, SgdStep.of(1, 1), 256, 2_000, 0.5, 2, -1);
    assertNear(moments.of(0.5), Math.log(Math.pow(0.75, 0.5) / 2), 0.01);
    assertNear(moments.of(2), Math.log(Math.pow(0.75, 2) / 2), 0.01);
    assertThat(moments.of(-1)).isEqualTo(Estimate.exact(Double.POSITIVE_INFINITY));
  }

  @Test
  void certainAnnihilationIsMinusInfinity() {
    LinearCocycle nilpotent =
        new MatrixCocycle(2, random -> new double[][] {{0, random.nextGaussian()}, {0, 0}});
    MomentExponents moments = MomentEstimator.builder().epochs(16).build().sample(nilpotent, 2);
    assertThat(moments.of(2)).isEqualTo(Estimate.exact(Double.NEGATIVE_INFINITY));
  }

  /** Each direction survives a step with probability one half: Λ(2) = −log 2. */
  @Test
  void aPopulationThatDiesOutByChanceClaimsNoPrecision() {
    GramMatrix gram = GramMatrix.of(MatrixUtils.createRealIdentityMatrix(2).getData(), 2, 1);
    MomentExponent few = estimate(gram, SgdStep.of(1, 1), 8, 1_000, 2).moments().get(0);
    assertThat(few.small().value()).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(few.exponent().standardError()).isEqualTo(Double.POSITIVE_INFINITY);
    assertNear(estimate(gram, SgdStep.of(1, 1), 256, 1_000, 2).of(2), -Math.log(2), 0.02);
  }

  @Test
  void fullBatchMomentsAreMultiplesOfTheExponent() {
    GramMatrix gram = TestGrams.wishart(5, 2, 7, 3);
    SgdStep step = SgdStep.of(1.5, 5).withMomentum(new Momentum.Nesterov(0.8));
    double top = FullBatchExponent.of(GramSpectrum.of(gram), step);
    MomentExponents moments = estimate(gram, step, 8, 100, -1, 0, 2.5);
    assertThat(moments.of(-1).value()).isCloseTo(-top, within(1e-12));
    assertThat(moments.of(0).value()).isZero();
    assertThat(moments.of(2.5).value()).isCloseTo(2.5 * top, within(1e-12));
    assertThat(moments.steps()).isZero();
  }

  @Test
  void rankTwoWithTwoOutputsAgreesWithTheTransferOperator() {
    double[][] f = TestGrams.gaussian(6, 2, 12);
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 0.5), 3, 2);
    TransferOperator operator = new TransferOperator();
    for (int i = 0; i < 3; i++) {
      double[][] m = {{1, 0}, {0, 1}};
      for (int row = 2 * i; row < 2 * i + 2; row++) {
        for (int k = 0; k < 4; k++) {
          m[k / 2][k % 2] -= 0.6 * 0.5 * f[row][k / 2] * f[row][k % 2];
        }
      }
      operator.add(1.0 / 3, m[0][0], m[0][1], m[1][0], m[1][1]);
    }
    double[] orders = {-0.3, 0.5, 1.7, 3};
    MomentExponents moments = estimate(gram, SgdStep.of(0.6, 1), 256, 3_000, orders);
    for (double p : orders) {
      assertNear(moments.of(p), operator.moment(p), 0.02);
    }
  }

  /** In the energy norm or any other, with momentum the second moment is that of dense squares. */
  @Test
  void momentumAgreesWithTheDenseSecondMoment() {
    double[][] f = {{1}, {1.3}};
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 1), 2, 1);
    SgdStep step = SgdStep.of(0.9, 1).withMomentum(new Momentum.HeavyBall(0.5));
    double[][] square = new double[4][4];
    for (double[] row : f) {
      double h = 0.9 * row[0] * row[0];
      double[][] m = {{1 - h, 0.5}, {-h, 0.5}};
      for (int i = 0; i < 16; i++) {
        square[i / 4][i % 4] += 0.5 * m[i / 8][i % 4 / 2] * m[i / 4 % 2][i % 2];
      }
    }
    double radius =
        Arrays.stream(
                new EigenDecompositionNonSymmetric(MatrixUtils.createRealMatrix(square))
                    .getEigenvalues())
            .mapToDouble(Complex::norm)
            .max()
            .orElseThrow();
    assertNear(estimate(gram, step, 256, 3_000, 2).of(2), Math.log(radius), 0.02);
  }

  @Test
  void theRateFunctionIsTheLegendreTransform() {
    double[] orders = {-1, -0.5, 0.5, 1, 2};
    MomentExponents moments = estimate(KACZMARZ, SgdStep.of(1, 1), 256, 3_000, orders);
    // I(s) for a fraction x of switches is the entropy of x against one half; s = x log c
    double x = 0.2;
    double exact = Math.log(2) + x * Math.log(x) + (1 - x) * Math.log(1 - x);
    double best = Math.log(x / (1 - x)) / Math.log(0.5);
    assertThat(best).isEqualTo(2, within(1e-12));
    assertThat(moments.rate(x * Math.log(0.5))).isCloseTo(exact, within(0.01));
    assertThat(moments.rate(Math.log(0.5) / 2)).isCloseTo(0, within(0.01));
    assertThat(moments.rate(0.3 * Math.log(0.5))).isGreaterThan(0.05);
  }

  @Test
  void largerPopulationsAreLessBiased() {
    MomentExponent moment =
        estimate(ReferenceCases.named("renewal-unstable").gram(), SgdStep.of(1, 1), 8, 8_000, 4)
            .moments()
            .get(0);
    double exact = ReferenceCases.named("renewal-unstable").number("Lambda4");
    assertThat(Math.abs(moment.large().value() - exact))
        .isLessThan(Math.abs(moment.small().value() - exact));
    assertThat(Math.abs(moment.exponent().value() - exact))
        .isLessThan(Math.abs(moment.large().value() - exact));
  }

  @Test
  void theSeedFixesEveryBitWhateverTheThreads() {
    GramMatrix gram = TestGrams.wishart(6, 2, 8, 3);
    SgdStep step = SgdStep.of(1.5, 2).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    MomentEstimator.Builder builder =
        MomentEstimator.builder().populationSize(16).burnInEpochs(1).epochs(16);
    MomentExponents one = builder.threads(1).build().estimate(gram, step, 1, 3);
    assertThat(builder.threads(3).build().estimate(gram, step, 1, 3)).isEqualTo(one);
    assertThat(builder.seed(2).build().estimate(gram, step, 1, 3)).isNotEqualTo(one);
  }

  @Test
  void refusesNonsenseAndCanBeCancelled() {
    MomentEstimator.Builder builder = MomentEstimator.builder();
    SgdStep step = SgdStep.of(1, 1);
    assertThatThrownBy(() -> builder.populationSize(1)).hasMessageContaining("at least 2, got 1");
    assertThatThrownBy(() -> builder.epochs(3)).hasMessageContaining("at least 16, got 3");
    assertThatThrownBy(() -> builder.build().estimate(KACZMARZ, step, Double.NaN))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("finite, got NaN");
    GramMatrix zero = GramMatrix.of(new double[2][2], 2, 1);
    assertThatThrownBy(() -> builder.build().estimate(zero, step, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must not be zero");
    assertThatThrownBy(() -> builder.cancelled(() -> true).build().estimate(KACZMARZ, step, 1))
        .isInstanceOf(CancellationException.class);
    MomentExponents moments = estimate(KACZMARZ, SgdStep.of(1, 2), 8, 100, 1);
    assertThatThrownBy(() -> moments.of(2)).isInstanceOf(NoSuchElementException.class);
  }
}
