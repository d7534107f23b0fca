// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.hipparchus.stat.descriptive.StreamingStatistics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class LyapunovEstimatorTest {
  static Stream<ReferenceCases.Case> referenceCases() {
    return ReferenceCases.all().stream();
  }

  @ParameterizedTest
  @MethodSource("referenceCases")
  void agreesWithTheReference(ReferenceCases.Case reference) {
    LyapunovEstimate estimate =
        LyapunovEstimator.builder()
            .seed(11)
            .epochs(32768)
            .build()
            .estimate(reference.gram(), reference.step());
    ReferenceCases.Value truth = reference.quotientExponent();
    double tolerance = 4 * Math.hypot(truth.standardError(), estimate.standardError()) + 1e-10;
    assertThat(estimate.value()).isCloseTo(truth.value(), within(tolerance));
    assertThat(estimate.standardError()).isLessThan(2e-3);
  }

  @ParameterizedTest
  @MethodSource("referenceCases")
  void neverDecidesTheWrongSign(ReferenceCases.Case reference) {
    for (long seed = 1; seed <= 20; seed++) {
      Sign sign =
          LyapunovEstimator.builder()
              .seed(seed)
              .level(0.002)
              .build()
              .estimate(reference.gram(), reference.step())
              .sign();
      switch (reference.sign()) {
        case "stable" -> assertThat(sign).isNotEqualTo(Sign.POSITIVE);
        case "unstable" -> assertThat(sign).isNotEqualTo(Sign.NEGATIVE);
        default -> assertThat(sign).isEqualTo(Sign.UNDECIDED);
      }
    }
  }

  @Test
  void oneSeedFixesEveryBitWhateverTheThreads() {
    GramMatrix gram = TestGrams.wishart(40, 2, 90, 5);
    SgdStep step = SgdStep.of(0.9, 8);
    LyapunovEstimator.Builder builder =
        LyapunovEstimator.builder().seed(9).trajectories(5).epochs(32);
    LyapunovEstimate one = builder.threads(1).build().estimate(gram, step);
    assertThat(builder.threads(2).build().estimate(gram, step)).isEqualTo(one);
    assertThat(builder.threads(16).build().estimate(gram, step)).isEqualTo(one);
    assertThat(builder.seed(10).build().estimate(gram, step)).isNotEqualTo(one);
  }

  @Test
  void aSingularGramGivesTheExponentOnItsRangeForAMillionSteps() {
    double[][] f = TestGrams.gaussian(12, 5, 3);
    GramMatrix gram = GramMatrix.adopt(TestGrams.product(f, 0.2), 6, 2);
    SgdStep step = SgdStep.of(0.8, 2);
    LyapunovEstimate estimate =
        LyapunovEstimator.builder()
            .trajectories(1)
            .seed(2)
            .epochs(333_344)
            .build()
            .estimate(gram, step);
    ReferenceCases.Value oracle = parameterSpaceExponent(f, 2, step, 10_000);
    assertThat(estimate.steps()).isGreaterThan(1_000_000);
    assertThat(estimate.value())
        .isLessThan(-0.01)
        .isCloseTo(
            oracle.value(),
            within(4 * Math.hypot(estimate.standardError(), oracle.standardError())));
  }

  /**
   * The same product on parameters, z ← (I − (η/B) F_Sᵀ F_S) z, where there is no kernel to drift
   * into.
   */
  private static ReferenceCases.Value parameterSpaceExponent(
      double[][] f, int outputs, SgdStep step, int stepsPerBlock) {
    MiniBatchSampler sampler =
        new MiniBatchSampler(
            f.length / outputs, step.batchSize(), step.sampling(), new RandomStream(77));
    double[] z = new double[f[0].length];
    Arrays.fill(z, 1);
    int[] batch = new int[step.batchSize()];
    StreamingStatistics blocks = new StreamingStatistics();
    for (int b = 0; b < 30; b++) {
      double growth = 0;
      for (int s = 0; s < stepsPerBlock; s++) {
        int size = sampler.next(batch);
        growth += parameterStep(f, z.length, outputs, batch, size, step.learningRate(), z);
      }
      blocks.addValue(growth / stepsPerBlock);
    }
    return new ReferenceCases.Value(
        blocks.getMean(), blocks.getStandardDeviation() / Math.sqrt((double) blocks.getN()));
  }

  private static double parameterStep(
      double[][] f, int features, int outputs, int[] batch, int size, double rate, double[] z) {
    double[] gradient = new double[features];
    for (int b = 0; b < size; b++) {
      for (int k = 0; k < outputs; k++) {
        double[] row = f[batch[b] * outputs + k];
        double inner = 0;
        for (int j = 0; j < features; j++) {
          inner += row[j] * z[j];
        }
        for (int j = 0; j < features; j++) {
          gradient[j] += inner * row[j] / features;
        }
      }
    }
    double norm = 0;
    for (int j = 0; j < features; j++) {
      z[j] -= rate / size * gradient[j];
      norm += z[j] * z[j];
    }
    norm = Math.sqrt(norm);
    for (int j = 0; j < features; j++) {
      z[j] /= norm;
    }
    return Math.log(norm);
  }

  @Test
  void aRankOneGramThatIsErasedHasExponentMinusInfinity() {
    double[][] f = {{1}, {2}, {0.5}};
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 1), 3, 1);
    LyapunovEstimate estimate =
        LyapunovEstimator.builder().build().estimate(gram, SgdStep.of(1, 1));
    assertThat(estimate.value()).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(estimate.sign()).isEqualTo(Sign.NEGATIVE);
    assertThat(estimate.stopReason()).isEqualTo(StopReason.ANNIHILATED);
  }

  @Test
  void rankOneHasAClosedForm() {
    double[][] f = {{1}, {2}, {0.5}, {-1.5}};
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 1), 4, 1);
    double truth = 0;
    for (double[] row : f) {
      truth += Math.log(Math.abs(1 - 0.7 * row[0] * row[0])) / 4;
    }
    LyapunovEstimate estimate =
        LyapunovEstimator.builder().epochs(32768).build().estimate(gram, SgdStep.of(0.7, 1));
    assertThat(estimate.value()).isCloseTo(truth, within(4 * estimate.standardError()));
  }

  @Test
  void raggedAndRepeatedBatchesFollowTheDenseProduct() {
    GramMatrix gram = TestGrams.wishart(7, 3, 30, 8);
    for (MiniBatchSampling sampling : MiniBatchSampling.values()) {
      for (Momentum momentum :
          List.of(
              Momentum.NONE,
              new Momentum.HeavyBall(0.6),
              new Momentum.Nesterov(0.7),
              new Momentum.MovingAverage(0.8))) {
        SgdStep step = new SgdStep(0.7, 3, sampling, momentum, 0.02, 0.03);
        assertThat(DenseProduct.growth(gram, step, 5, 40))
            .as("%s", step)
            .isCloseTo(DenseProduct.residualGrowth(gram, step, 5, 40), within(1e-9));
      }
    }
  }

  @Test
  void momentumAndDecayOnTheFullBatchHaveAClosedForm() {
    GramMatrix gram = TestGrams.wishart(6, 2, 40, 4);
    for (Momentum momentum :
        List.of(
            Momentum.NONE,
            new Momentum.HeavyBall(0.9),
            new Momentum.Nesterov(0.9),
            new Momentum.MovingAverage(0.9))) {
      SgdStep step = new SgdStep(3.1, 6, MiniBatchSampling.ORDERED_EPOCHS, momentum, 0.01, 0.02);
      Update update = Update.of(step);
      double truth =
          DenseProduct.eigenvalues(gram).stream()
              .mapToDouble(g -> update.fullBatchExponent(g / 6))
              .max()
              .orElseThrow();
      LyapunovEstimate estimate =
          LyapunovEstimator.builder().epochs(131_072).build().estimate(gram, step);
      assertThat(estimate.value()).as("%s", momentum).isCloseTo(truth, within(1e-4));
    }
  }

  @Test
  void singlePrecisionGivesTheSameExponent() {
    GramMatrix gram = TestGrams.powerLaw(32, 2, 1, 6);
    SgdStep step = SgdStep.of(1.2, 4);
    LyapunovEstimator estimator = LyapunovEstimator.builder().epochs(128).build();
    assertThat(estimator.estimate(TestGrams.single(gram), step).value())
        .isCloseTo(estimator.estimate(gram, step).value(), within(1e-6));
  }

  @Test
  void controlVariatesReduceTheErrorAndKeepTheValue() {
    GramMatrix gram = TestGrams.powerLaw(64, 1, 1, 1);
    SgdStep step = SgdStep.of(2.2, 8);
    LyapunovEstimator.Builder builder = LyapunovEstimator.builder().epochs(512).seed(4);
    LyapunovEstimate with = builder.build().estimate(gram, step);
    LyapunovEstimate without = builder.controlVariates(false).build().estimate(gram, step);
    assertThat(with.varianceReduction()).isGreaterThan(2);
    assertThat(without.varianceReduction()).isEqualTo(1);
    assertThat(with.standardError()).isLessThan(without.standardError());
    assertThat(with.value()).isCloseTo(without.value(), within(4 * without.standardError()));
  }

  @Test
  void aTangentContinuesWhereTheLastEstimateEnded() {
    GramMatrix gram = TestGrams.powerLaw(24, 1, 1, 2);
    SgdStep step = SgdStep.of(0.8, 1);
    LyapunovEstimator estimator = LyapunovEstimator.builder().epochs(64).build();
    LyapunovEstimate first = estimator.estimate(gram, step);
    LyapunovEstimate second = estimator.estimate(gram, step, first.tangent());
    assertThat(second.value()).isNotEqualTo(first.value());
    assertThat(second.value())
        .isCloseTo(
            first.value(), within(5 * Math.hypot(first.standardError(), second.standardError())));
    assertThatThrownBy(
            () -> estimator.estimate(TestGrams.wishart(3, 1, 3, 1), step, first.tangent()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3, got 24");
  }

  @Test
  void historyAndProgressAreReported() {
    List<Double> progress = new ArrayList<>();
    LyapunovEstimate estimate =
        LyapunovEstimator.builder()
            .maxEpochs(64)
            .progress(progress::add)
            .build()
            .estimate(ReferenceCases.named("reflections5").gram(), SgdStep.of(2, 1));
    assertThat(estimate.history())
        .extracting(LyapunovEstimate.Look::epochs)
        .containsExactly(16, 32, 64);
    assertThat(progress).hasSize(64).isSorted().last().isEqualTo(1.0);
    assertThat(estimate.stopReason()).isEqualTo(StopReason.EPOCH_BUDGET);
  }

  @Test
  void aTimeBudgetKeepsWhatWasMeasured() {
    AtomicLong now = new AtomicLong();
    LyapunovEstimate estimate =
        LyapunovEstimator.builder()
            .threads(1)
            .trajectories(1)
            .timeBudget(Duration.ofNanos(40))
            .clock(now::getAndIncrement)
            .build()
            .estimate(ReferenceCases.named("reflections5").gram(), SgdStep.of(2, 1));
    assertThat(estimate.stopReason()).isEqualTo(StopReason.TIME_BUDGET);
    assertThat(estimate.epochs()).isEqualTo(32);
    assertThatThrownBy(
            () ->
                LyapunovEstimator.builder()
                    .timeBudget(Duration.ofNanos(1))
                    .build()
                    .estimate(TestGrams.wishart(4, 1, 9, 1), SgdStep.of(1, 1)))
        .isInstanceOf(CancellationException.class);
  }

  @Test
  void cancellationAndInterruptsStopAtTheNextEpoch() {
    GramMatrix gram = ReferenceCases.named("reflections5").gram();
    AtomicInteger calls = new AtomicInteger();
    LyapunovEstimate estimate =
        LyapunovEstimator.builder()
            .cancelled(() -> calls.incrementAndGet() > 100)
            .build()
            .estimate(gram, SgdStep.of(2, 1));
    assertThat(estimate.stopReason()).isEqualTo(StopReason.CANCELLED);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> LyapunovEstimator.builder().build().estimate(gram, SgdStep.of(2, 1)))
        .isInstanceOf(CancellationException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void nonsenseIsRefusedWithRuleAndValue() {
    assertThatThrownBy(() -> LyapunovEstimator.builder().level(1.5))
        .hasMessage("level must be between 0 and 1, got 1.5");
    assertThatThrownBy(() -> LyapunovEstimator.builder().trajectories(0))
        .hasMessage("trajectories must be at least 1, got 0");
    assertThatThrownBy(() -> LyapunovEstimator.builder().minEpochs(64).maxEpochs(32).build())
        .hasMessageContaining("64 and 32");
    assertThatThrownBy(
            () ->
                LyapunovEstimator.builder()
                    .build()
                    .estimate(TestGrams.wishart(4, 1, 9, 1), SgdStep.of(1, 5)))
        .hasMessage("batch size must be between 1 and the number of examples 4, got 5");
    assertThatThrownBy(() -> SgdStep.of(0, 1))
        .hasMessage("learning rate must be positive and finite, got 0.0");
    assertThatThrownBy(() -> SgdStep.of(Double.NaN, 1))
        .hasMessage("learning rate must be positive and finite, got NaN");
  }
}
