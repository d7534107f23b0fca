// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.exponent.DenseTangentOperator;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/** What is found without a Gram matrix against what is found with it. */
class OperatorAnalysisTest {
  private static StabilityAnalyzer analyzer(Tier tier) {
    return StabilityAnalyzer.builder().tier(tier).build();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0.3, IID_SUBSETS",
    "4, 1, 0.3, SHUFFLED_EPOCHS",
    "4, 3, 0.7, IID_WITH_REPLACEMENT",
    "16, 3, 0.7, ORDERED_EPOCHS",
    "16, 3, 0.3, IID_SUBSETS"
  })
  void edgeSharpnessAndVerdictAreThoseOfTheMatrix(
      int batchSize, int outputs, double shared, MiniBatchSampling sampling) {
    DenseTangentOperator operator = DenseTangentOperator.random(60, outputs, 50, 0.6, shared, 3);
    GramMatrix gram = operator.gram();
    SgdStep step = SgdStep.of(1e-3, batchSize).withSampling(sampling);
    StabilityReport known = analyzer(Tier.STANDARD).analyze(gram, step);
    CriticalLearningRate edge = known.criticalLearningRate().orElseThrow();
    StabilityReport found = analyzer(Tier.STANDARD).analyze(operator, step);
    assertThat(found.sharpness()).isCloseTo(known.sharpness(), within(1e-6 * known.sharpness()));
    double rate = found.criticalLearningRate().orElseThrow().value();
    assertThat(rate).isCloseTo(edge.value(), within(0.03 * edge.value()));
    for (double share : new double[] {0.5, 1.5}) {
      SgdStep beside = step.withLearningRate(share * edge.value());
      StabilityReport expected = analyzer(Tier.STANDARD).analyze(gram, beside);
      StabilityReport report = analyzer(Tier.STANDARD).analyze(operator, beside);
      assertThat(report.exponent().sign())
          .isEqualTo(share < 1 ? Sign.NEGATIVE : Sign.POSITIVE)
          .isEqualTo(expected.exponent().sign());
      if (share < 1) {
        assertThat(report.exponent()).isInstanceOf(ExponentBound.class);
        double value = expected.exponent().point().orElseThrow();
        assertThat(value).isBetween(report.exponent().low(), report.exponent().high());
      } else {
        double value = expected.exponent().point().orElseThrow();
        assertThat(report.exponent().point().orElseThrow()).isCloseTo(value, within(0.1 * value));
      }
      assertThat(expected.gdExponent().low())
          .isBetween(report.gdExponent().low() - 1e-9, report.gdExponent().high() + 1e-9);
    }
  }

  @Test
  void theFullBatchIsExactBeyondTheEdge() {
    DenseTangentOperator operator = DenseTangentOperator.random(30, 2, 90, 0.6, 0.5, 5);
    GramMatrix gram = operator.gram();
    SgdStep step = SgdStep.of(1e-3, 30).withMomentum(new Momentum.Nesterov(0.9));
    CriticalLearningRate edge =
        analyzer(Tier.STANDARD).analyze(gram, step).criticalLearningRate().orElseThrow();
    SgdStep beyond = step.withLearningRate(1.2 * edge.value());
    StabilityReport found = analyzer(Tier.STANDARD).analyze(operator, beyond);
    StabilityReport expected = analyzer(Tier.STANDARD).analyze(gram, beyond);
    CriticalLearningRate rate = found.criticalLearningRate().orElseThrow();
    assertThat(rate.isExact()).isTrue();
    assertThat(rate.value()).isCloseTo(edge.value(), within(1e-6 * edge.value()));
    assertThat(found.exponent().low()).isCloseTo(expected.exponent().low(), within(1e-5));
    assertThat(found.verdict().kind()).isEqualTo(expected.verdict().kind());
  }

  @Test
  void heapHasTheVectorsAndTheSpacesThatFit() {
    long economy = analyzer(Tier.ECONOMY).heapBytes(1000, 10, 200_000);
    assertThat(economy).isEqualTo(Double.BYTES * (64L * 10_000 + 16L * 200_000));
    long standard = analyzer(Tier.STANDARD).heapBytes(1000, 10, 200_000);
    long spaces = standard - economy - Double.BYTES * 48L * 200_000;
    // Q and F of the largest space, which is of 512 dimensions
    assertThat(spaces).isGreaterThan(Double.BYTES * 2L * 512 * 10_000);
    assertThat(analyzer(Tier.STANDARD).heapBytes(Integer.MAX_VALUE / 10, 10, 0))
        .as("spaces that do not fit are not made")
        .isEqualTo(Double.BYTES * 64L * (Integer.MAX_VALUE / 10) * 10);
    StabilityAnalyzer few = StabilityAnalyzer.builder().spectrumLimit(100).build();
    assertThat(few.heapBytes(100)).isEqualTo(3 * Double.BYTES * 100L * 100);
    assertThat(few.heapBytes(101)).isEqualTo(Double.BYTES * 101L * 101);
  }

  @Test
  void economyTellsTheSignWithoutAnEdge() {
    DenseTangentOperator operator = DenseTangentOperator.random(60, 1, 50, 0.6, 0.5, 3);
    double edge =
        analyzer(Tier.STANDARD)
            .analyze(operator.gram(), SgdStep.of(1e-3, 4))
            .criticalLearningRate()
            .orElseThrow()
            .value();
    for (double share : new double[] {0.4, 1.3}) {
      StabilityReport report =
          analyzer(Tier.ECONOMY).analyze(operator, SgdStep.of(share * edge, 4));
      assertThat(report.criticalLearningRate()).isEmpty();
      assertThat(report.exponent().sign()).isEqualTo(share < 1 ? Sign.NEGATIVE : Sign.POSITIVE);
    }
  }

  @Test
  void theSeedFixesTheReportForAnyNumberOfThreads() {
    DenseTangentOperator operator = DenseTangentOperator.random(60, 2, 30, 0.6, 0.5, 3);
    SgdStep step = SgdStep.of(0.05, 4);
    StabilityReport one = StabilityAnalyzer.builder().threads(1).build().analyze(operator, step);
    StabilityReport three = StabilityAnalyzer.builder().threads(3).build().analyze(operator, step);
    assertThat(three).isEqualTo(one);
    StabilityReport other = StabilityAnalyzer.builder().seed(2).build().analyze(operator, step);
    assertThat(other.criticalLearningRate()).isNotEqualTo(one.criticalLearningRate());
  }

  @Test
  void theEdgeAloneIsThatOfTheReport() {
    DenseTangentOperator operator = DenseTangentOperator.random(60, 2, 30, 0.6, 0.5, 3);
    SgdStep step = SgdStep.of(0.05, 4);
    for (Tier tier : Tier.values()) {
      StabilityReport report = analyzer(tier).analyze(operator, step);
      EdgeReport edge = analyzer(tier).analyzeEdge(operator, step, 3);
      assertThat(edge.sharpness()).isEqualTo(report.sharpness());
      assertThat(edge.classicEdgeRatio()).isEqualTo(report.classicEdgeRatio());
      assertThat(edge.criticalLearningRate()).isEqualTo(report.criticalLearningRate());
      assertThat(edge.factor()).isEqualTo(3);
      assertThat(edge.remarks()).isEqualTo(report.remarks());
    }
  }

  @Test
  void nothingToSayWhereNothingActs() {
    DenseTangentOperator zero = new DenseTangentOperator(new double[8][5], 2);
    StabilityReport report = analyzer(Tier.STANDARD).analyze(zero, SgdStep.of(0.1, 2));
    assertThat(report.sharpness()).isZero();
    assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.INCONCLUSIVE);
    DenseTangentOperator frozen = new DenseTangentOperator(new double[8][0], 2);
    assertThat(analyzer(Tier.STANDARD).analyze(frozen, SgdStep.of(0.1, 2)).sharpness()).isZero();
    DenseTangentOperator operator = DenseTangentOperator.random(8, 1, 5, 0, 0, 1);
    assertThat(analyzer(Tier.ECONOMY).analyze(operator, SgdStep.of(0, 2)).exponent().high())
        .isZero();
  }

  @Test
  void refusesABatchThatCannotBeDrawnAndStopsWhenTold() {
    DenseTangentOperator operator = DenseTangentOperator.random(8, 1, 5, 0, 0, 1);
    assertThatThrownBy(() -> analyzer(Tier.STANDARD).analyze(operator, SgdStep.of(0.1, 9)))
        .hasMessageContaining("batch size must not exceed the number of examples 8, got 9");
    StabilityAnalyzer cancelled = StabilityAnalyzer.builder().cancelled(() -> true).build();
    assertThatThrownBy(() -> cancelled.analyze(operator, SgdStep.of(0.1, 2)))
        .isInstanceOf(CancellationException.class);
  }
}
