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
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.SlowestMode;
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
    LyapunovExponent exponent =
        LyapunovEstimator.builder()
            .seed(11)
            .epochs(32768)
            .build()
            .estimate(reference.gram(), reference.step());
    ReferenceCases.Value truth = reference.quotientExponent();
    double error = Math.hypot(truth.standardError(), exponent.error().orElse(0));
    assertThat(exponent.low() - 1e-10).isLessThanOrEqualTo(truth.value() + 4 * error);
    assertThat(exponent.high() + 1e-10).isGreaterThanOrEqualTo(truth.value() - 4 * error);
    if (exponent.point().isPresent()) {
      assertThat(exponent.point().getAsDouble())
          .isCloseTo(truth.value(), within(4 * error + 1e-10));
      assertThat(exponent.error().getAsDouble()).isLessThan(2e-3);
    }
  }

  @ParameterizedTest
  @MethodSource("referenceCases")
  void theSignIsRarelyWrong(ReferenceCases.Case reference) {
    int wrong = 0;
    for (long seed = 1; seed <= 20; seed++) {
      Sign sign =
          LyapunovEstimator.builder()
              .seed(seed)
              .build()
              .estimate(reference.gram(), reference.step())
              .sign();
      switch (reference.sign()) {
        case "stable" -> wrong += sign == Sign.POSITIVE ? 1 : 0;
        case "unstable" -> wrong += sign == Sign.NEGATIVE ? 1 : 0;
        default -> wrong += sign == Sign.UNDECIDED ? 0 : 1;
      }
    }
    assertThat(wrong).as("%s", reference).isLessThanOrEqualTo(1);
  }

  @Test
  void oneSeedFixesEveryBitWhateverTheThreads() {
    GramMatrix gram = TestGrams.wishart(40, 2, 90, 5);
    SgdStep step = SgdStep.of(0.9, 8);
    LyapunovEstimator.Builder builder =
        LyapunovEstimator.builder().seed(9).realisations(5).maxEpochs(64);
    LyapunovExponent one = builder.threads(1).build().estimate(gram, step);
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
        (LyapunovEstimate)
            LyapunovEstimator.builder()
                .realisations(1)
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
    LyapunovExponent exponent =
        LyapunovEstimator.builder().build().estimate(gram, SgdStep.of(1, 1));
    assertThat(exponent).isEqualTo(new ExactExponent(Double.NEGATIVE_INFINITY));
    assertThat(exponent.sign()).isEqualTo(Sign.NEGATIVE);
  }

  @Test
  void rankOneHasAClosedForm() {
    double[][] f = {{1}, {2}, {0.5}, {-1.5}};
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 1), 4, 1);
    double truth = 0;
    for (double[] row : f) {
      truth += Math.log(Math.abs(1 - 0.7 * row[0] * row[0])) / 4;
    }
    LyapunovExponent exponent =
        LyapunovEstimator.builder().epochs(32768).build().estimate(gram, SgdStep.of(0.7, 1));
    assertThat(exponent.point().getAsDouble())
        .isCloseTo(truth, within(4 * exponent.error().getAsDouble()));
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
      StepRecursion update = StepRecursion.of(step);
      double truth =
          DenseProduct.eigenvalues(gram).stream()
              .mapToDouble(g -> update.fullBatchExponent(g / 6))
              .max()
              .orElseThrow();
      LyapunovExponent exponent = LyapunovEstimator.builder().build().estimate(gram, step);
      assertThat(exponent.point().getAsDouble()).as("%s", momentum).isCloseTo(truth, within(1e-4));
    }
  }

  @Test
  void singlePrecisionGivesTheSameExponent() {
    GramMatrix gram = TestGrams.powerLaw(32, 2, 1, 6);
    SgdStep step = SgdStep.of(1.2, 4);
    LyapunovEstimator estimator = LyapunovEstimator.builder().epochs(128).build();
    assertThat(estimator.estimate(TestGrams.single(gram), step).low())
        .isCloseTo(estimator.estimate(gram, step).low(), within(1e-6));
  }

  @Test
  void historyAndProgressAreReported() {
    List<Double> progress = new ArrayList<>();
    LyapunovEstimate estimate =
        (LyapunovEstimate)
            LyapunovEstimator.builder()
                .maxEpochs(1000)
                .progress(progress::add)
                .build()
                .estimate(
                    ReferenceCases.named("r5-as-stable-ms-unstable").gram(), SgdStep.of(1.23, 1));
    assertThat(estimate.history())
        .extracting(LyapunovEstimate.Look::steps)
        .startsWith(1024L, 2048L, 4096L);
    assertThat(progress).isNotEmpty().allMatch(fraction -> fraction > 0 && fraction <= 1);
    assertThat(estimate.stopReason()).isEqualTo(StopReason.EPOCH_BUDGET);
  }

  @Test
  void aTimeBudgetKeepsWhatWasMeasured() {
    AtomicLong now = new AtomicLong();
    GramMatrix gram = ReferenceCases.named("r8-B4-stable").gram();
    LyapunovEstimate estimate =
        (LyapunovEstimate)
            LyapunovEstimator.builder()
                .threads(1)
                .realisations(1)
                .precision(0)
                .timeBudget(Duration.ofNanos(100))
                .clock(now::getAndIncrement)
                .build()
                .estimate(
                    gram,
                    SgdStep.of(1.55, 4),
                    SlowestMode.of(GramSpectrum.of(gram)),
                    Sign.NEGATIVE);
    assertThat(estimate.stopReason()).isEqualTo(StopReason.TIME_BUDGET);
    assertThat(estimate.steps()).isBetween(90 * 16L, 100 * 16L);
    assertThatThrownBy(
            () ->
                LyapunovEstimator.builder()
                    .timeBudget(Duration.ofNanos(1))
                    .build()
                    .estimate(TestGrams.wishart(4, 1, 9, 1), SgdStep.of(1, 1)))
        .isInstanceOf(CancellationException.class)
        .hasMessageContaining("raise it");
  }

  @Test
  void cancellationAndInterruptsThrow() {
    GramMatrix gram = ReferenceCases.named("reflections5").gram();
    AtomicInteger calls = new AtomicInteger();
    LyapunovEstimator estimator =
        LyapunovEstimator.builder().cancelled(() -> calls.incrementAndGet() > 100).build();
    assertThatThrownBy(() -> estimator.estimate(gram, SgdStep.of(2, 1)))
        .isInstanceOf(CancellationException.class);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> LyapunovEstimator.builder().build().estimate(gram, SgdStep.of(2, 1)))
        .isInstanceOf(CancellationException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void nonsenseIsRefusedWithRuleAndValue() {
    assertThatThrownBy(() -> LyapunovEstimator.builder().precision(-1))
        .hasMessage("precision must be at least 0, got -1.0");
    assertThatThrownBy(() -> LyapunovEstimator.builder().realisations(0))
        .hasMessage("realisations must be at least 1, got 0");
    assertThatThrownBy(() -> LyapunovEstimator.builder().maxEpochs(0))
        .hasMessage("maximal epochs must be at least 1, got 0");
    assertThatThrownBy(
            () ->
                LyapunovEstimator.builder()
                    .build()
                    .estimate(TestGrams.wishart(4, 1, 9, 1), SgdStep.of(1, 5)))
        .hasMessage(
            "batch size must be at least 1 and, unless drawn with replacement, at most the number of examples 4, got 5");
    assertThatThrownBy(() -> SgdStep.of(-1, 1))
        .hasMessage("learning rate must be finite and at least 0, got -1.0");
    assertThatThrownBy(() -> SgdStep.of(Double.NaN, 1))
        .hasMessage("learning rate must be finite and at least 0, got NaN");
  }
}
