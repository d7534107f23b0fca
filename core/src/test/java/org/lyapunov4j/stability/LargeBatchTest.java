// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.function.DoubleUnaryOperator;
import org.hipparchus.util.CombinatoricsUtils;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * Batches larger than the number of examples, drawn with replacement. For G = diag(1, 3) the
 * coordinates are independent and each is multiplied by 1 − ηnκ/B, where n, how often its example
 * was drawn, is binomial.
 */
class LargeBatchTest {
  private static final GramMatrix GRAM = GramMatrix.of(new double[][] {{1, 0}, {0, 3}}, 2, 1);

  @ParameterizedTest
  @ValueSource(ints = {3, 5, 64, 2000})
  void everythingIsThatOfTheBinomialLaw(int batchSize) {
    SgdStep step = SgdStep.of(0.2, batchSize).withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT);
    StabilityReport report =
        StabilityAnalyzer.builder().tier(Tier.FULL).build().analyze(GRAM, step);
    double slow = logMean(batchSize, 0.2 * 1);
    double fast = logMean(batchSize, 0.2 * 3);
    LyapunovEstimate lambda = (LyapunovEstimate) report.exponent();
    assertThat(lambda.value()).isCloseTo(slow, within(4 * lambda.standardError() + 1e-9));
    assertThat(lambda.standardError()).isLessThan(0.02 * -slow);
    assertThat(report.sumOfExponents().orElseThrow().value())
        .isCloseTo(
            slow + fast, within(4 * report.sumOfExponents().orElseThrow().standardError() + 1e-9));
    assertThat(report.meanSquare().orElseThrow().exponent())
        .isCloseTo(
            Math.log(expectation(batchSize, x -> (1 - 0.2 * x) * (1 - 0.2 * x))), within(1e-9));
    CriticalLearningRate critical = report.criticalLearningRate().orElseThrow();
    assertThat(logMean(batchSize, 3 * critical.low() * 0.999)).isNegative();
    assertThat(logMean(batchSize, 3 * critical.high() * 1.001)).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"iid", "epoch", "ordered"})
  void noOtherSchemeDrawsThem(String sampling) {
    SgdStep step = SgdStep.of(0.2, 3).withSampling(MiniBatchSampling.fromId(sampling));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StabilityAnalyzer.builder().build().analyze(GRAM, step))
        .withMessageContaining("must not exceed the number of examples 2, got 3");
  }

  private static double logMean(int batchSize, double rate) {
    return expectation(batchSize, share -> Math.log(Math.abs(1 - rate * share)));
  }

  /** E f(n/B) for n binomial with B trials of probability ½. */
  private static double expectation(int batchSize, DoubleUnaryOperator f) {
    double sum = 0;
    for (int n = 0; n <= batchSize; n++) {
      double probability =
          Math.exp(
              CombinatoricsUtils.factorialLog(batchSize)
                  - CombinatoricsUtils.factorialLog(n)
                  - CombinatoricsUtils.factorialLog(batchSize - n)
                  - batchSize * Math.log(2));
      sum += probability * f.applyAsDouble((double) n / batchSize);
    }
    return sum;
  }
}
