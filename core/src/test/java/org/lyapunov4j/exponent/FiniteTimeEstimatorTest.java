// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.hipparchus.distribution.discrete.BinomialDistribution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

class FiniteTimeEstimatorTest {
  /** Rank one with two equally probable multipliers, 1.5 and 0.6 in modulus. */
  private static final GramMatrix COIN = GramMatrix.of(outer(Math.sqrt(2.5), Math.sqrt(0.4)), 2, 1);

  private static final SgdStep STEP = SgdStep.of(1, 1);
  private static final double UP = Math.log(1.5);
  private static final double DOWN = Math.log(0.6);
  private static final double MEAN = (UP + DOWN) / 2;
  private static final double VARIANCE = (UP - DOWN) * (UP - DOWN) / 4;

  private static double[][] outer(double a, double b) {
    return new double[][] {{a * a, a * b}, {a * b, b * b}};
  }

  private static FiniteTimeExponents coin(int trajectories, int horizon) {
    return FiniteTimeEstimator.builder()
        .seed(3)
        .trajectories(trajectories)
        .build()
        .estimate(COIN, STEP, horizon);
  }

  private static void assertNear(Estimate actual, double expected, double error) {
    double tolerance = 4 * Math.hypot(actual.standardError(), error) + 1e-13;
    assertThat(actual.value()).isCloseTo(expected, within(tolerance));
  }

  static Stream<ReferenceCases.Case> referenceCases() {
    return ReferenceCases.all().stream().filter(reference -> reference.has("sigma2"));
  }

  @ParameterizedTest
  @MethodSource("referenceCases")
  void agreesWithTheReference(ReferenceCases.Case reference) {
    int stepsPerEpoch = reference.gram().examples() / reference.step().batchSize();
    FiniteTimeExponents exponents =
        FiniteTimeEstimator.builder()
            .seed(9)
            .trajectories(120)
            .start(FiniteTimeEstimator.Start.UNSTABLE_DIRECTION)
            .burnInEpochs(10_000 / stepsPerEpoch)
            .build()
            .estimate(reference.gram(), reference.step(), 20_000);
    ReferenceCases.Value variance = reference.value("sigma2");
    assertNear(exponents.varianceRate(), variance.value(), variance.standardError());
    assertThat(exponents.varianceRate().standardError())
        .isLessThanOrEqualTo(variance.value() == 0 ? 1e-5 : 0.6 * variance.value());
    ReferenceCases.Value top = reference.quotientExponent();
    assertNear(exponents.mean(), top.value(), top.standardError());
  }

  @Test
  void countsTheWrongSignAsTheBinomialLawDoes() {
    int horizon = 40;
    FiniteTimeExponents exponents = coin(2_000, horizon);
    int needed = (int) Math.ceil(-horizon * DOWN / (UP - DOWN));
    double grows = 1 - new BinomialDistribution(horizon, 0.5).cumulativeProbability(needed - 1);
    assertThat(MEAN).isNegative();
    assertThat(grows).isBetween(0.1, 0.5);
    FiniteTimeExponents.Proportion negative = exponents.probabilityNegative();
    assertThat(1 - grows).isBetween(negative.low(), negative.high());
    assertThat(negative.value()).isBetween(negative.low(), negative.high());
    assertThat(exponents.probabilityOfWrongSign(MEAN).value())
        .isCloseTo(1 - negative.value(), within(1e-12));
    assertThat(exponents.probabilityOfWrongSign(-MEAN).value())
        .isCloseTo(negative.value(), within(1e-12));
    assertThat(exponents.gaussianProbabilityNegative(horizon)).isCloseTo(1 - grows, within(0.06));
  }

  @Test
  void momentsAreThoseOfTheCoin() {
    FiniteTimeExponents exponents = coin(4_000, 30);
    assertThat(exponents.horizon()).isEqualTo(30);
    assertThat(exponents.trajectories()).isEqualTo(4_000);
    assertNear(exponents.mean(), MEAN, 0);
    assertNear(exponents.variance(), VARIANCE / 30, 0);
    assertNear(exponents.varianceRate(), VARIANCE, 0);
    assertNear(exponents.skewness(), 0, 0);
    assertThat(exponents.variance().standardError()).isLessThan(0.1 * VARIANCE / 30);
    assertThat(exponents.gaussianRate())
        .isCloseTo(MEAN * MEAN / (2 * VARIANCE), within(0.4 * MEAN * MEAN / VARIANCE));
  }

  @Test
  void quantilesAreOrderedAndReached() {
    FiniteTimeExponents exponents = coin(1_000, 1);
    assertThat(exponents.quantile(0.1)).isCloseTo(DOWN, within(1e-12));
    assertThat(exponents.quantile(0.9)).isCloseTo(UP, within(1e-12));
    assertThat(exponents.quantile(1)).isCloseTo(UP, within(1e-12));
    assertThat(exponents.toArray()).isSorted().hasSize(1_000);
    assertThatThrownBy(() -> exponents.quantile(0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theIntervalIsWilsons() {
    FiniteTimeExponents.Proportion none =
        new FiniteTimeExponents(1, new double[] {1, 2, 3, 4}, new double[4], 1)
            .probabilityNegative();
    double z = 1.959963984540054;
    assertThat(none.value()).isZero();
    assertThat(none.low()).isCloseTo(0, within(1e-12));
    assertThat(none.high()).isCloseTo(z * z / (4 + z * z), within(1e-9));
  }

  @Test
  void theRateOfTheWrongSignIsTheLegendreTransformAtZero() {
    // Λ(p) = log((1.5^p + 0.6^p)/2) is least where the tilted mean is zero.
    double tilt = -DOWN / (UP - DOWN);
    double exact = Math.log(2) + tilt * Math.log(tilt) + (1 - tilt) * Math.log(1 - tilt);
    double best = Math.log(tilt / (1 - tilt)) / (UP - DOWN);
    MomentExponents moments =
        MomentEstimator.builder()
            .seed(2)
            .epochs(1024)
            .build()
            .estimate(COIN, STEP, best / 2, best, 2 * best);
    assertThat(best).isPositive();
    assertThat(moments.rate(0))
        .isCloseTo(exact, within(4 * moments.of(best).standardError()))
        .isPositive();
    assertThat(coin(4_000, 30).gaussianRate()).isCloseTo(exact, within(0.5 * exact));
  }

  @Test
  void singularFactorsAnnihilate() {
    GramMatrix gram = GramMatrix.of(new double[][] {{1, 0.5}, {0.5, 0.25}}, 2, 1);
    FiniteTimeExponents exponents =
        FiniteTimeEstimator.builder()
            .trajectories(100)
            .burnInEpochs(0)
            .build()
            .estimate(gram, STEP, 2);
    assertThat(exponents.mean()).isEqualTo(Estimate.exact(Double.NEGATIVE_INFINITY));
    assertThat(exponents.quantile(1)).isCloseTo(Math.log(0.75), within(1e-12));
    assertThat(exponents.probabilityNegative().value()).isEqualTo(1);
    long survivors = Arrays.stream(exponents.toArray()).filter(Double::isFinite).count();
    assertThat(survivors).isBetween(8L, 45L);
  }

  @Test
  void fullBatchIsConstant() {
    GramMatrix gram = TestGrams.wishart(4, 2, 9, 3);
    FiniteTimeExponents exponents =
        FiniteTimeEstimator.builder()
            .trajectories(8)
            .burnInEpochs(20_000)
            .build()
            .estimate(gram, SgdStep.of(1.2, 4), 50);
    assertThat(exponents.variance()).isEqualTo(Estimate.exact(0));
    assertThat(exponents.varianceRate()).isEqualTo(Estimate.exact(0));
    assertThat(exponents.skewness()).isEqualTo(Estimate.exact(0));
    assertThat(exponents.gaussianRate()).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(exponents.gaussianProbabilityNegative(10)).isEqualTo(1);
  }

  @Test
  void theSeedFixesEveryBitWhateverTheThreads() {
    GramMatrix gram = TestGrams.wishart(6, 2, 8, 3);
    SgdStep step = SgdStep.of(1.5, 4).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    FiniteTimeEstimator.Builder builder = FiniteTimeEstimator.builder().trajectories(9);
    double[] one = builder.threads(1).build().estimate(gram, step, 7).toArray();
    assertThat(builder.threads(4).build().estimate(gram, step, 7).toArray()).containsExactly(one);
    assertThat(builder.seed(2).build().estimate(gram, step, 7).toArray()).doesNotContain(one);
  }

  @Test
  void refusesNonsenseAndCanBeCancelled() {
    FiniteTimeEstimator.Builder builder = FiniteTimeEstimator.builder();
    assertThatThrownBy(() -> builder.trajectories(3)).hasMessageContaining("at least 4, got 3");
    assertThatThrownBy(() -> builder.build().estimate(COIN, STEP, 0))
        .hasMessageContaining("horizon must be at least 1, got 0");
    GramMatrix zero = GramMatrix.of(new double[2][2], 2, 1);
    assertThatThrownBy(() -> builder.build().estimate(zero, STEP, 1))
        .hasMessageContaining("must not be zero");
    assertThatThrownBy(() -> coin(10, 10).probabilityOfWrongSign(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> builder.cancelled(() -> true).build().estimate(COIN, STEP, 1))
        .isInstanceOf(CancellationException.class);
  }
}
