// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

class FullBatchExponentTest {
  @Test
  void thresholdsOfTheLiterature() {
    SgdStep step = SgdStep.of(0.01, 1);
    assertThat(FullBatchExponent.criticalCurvature(step)).isCloseTo(200, within(1e-9));
    assertThat(threshold(step, new Momentum.HeavyBall(0.9))).isCloseTo(380, within(1e-9));
    assertThat(threshold(step, new Momentum.Nesterov(0.9))).isCloseTo(135.714285714, within(1e-8));
    assertThat(threshold(step, new Momentum.MovingAverage(0.9))).isCloseTo(3800, within(1e-8));
    assertThat(threshold(step, new Momentum.NesterovAverage(0.9)))
        .isCloseTo(1357.14285714, within(1e-7));
  }

  private static double threshold(SgdStep step, Momentum momentum) {
    return FullBatchExponent.criticalCurvature(step.withMomentum(momentum));
  }

  static Stream<SgdStep> steps() {
    return Stream.of(
            Momentum.NONE,
            new Momentum.HeavyBall(0.9),
            new Momentum.Nesterov(0.9),
            new Momentum.MovingAverage(0.9),
            new Momentum.NesterovAverage(0.9))
        .flatMap(
            momentum ->
                Stream.of(0.0, 0.3)
                    .flatMap(
                        l2 ->
                            Stream.of(0.0, 0.4)
                                .map(
                                    decay ->
                                        SgdStep.of(0.05, 1)
                                            .withMomentum(momentum)
                                            .withL2(l2)
                                            .withWeightDecay(decay))));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void theExponentChangesSignAtTheCriticalCurvature(SgdStep step) {
    double critical = FullBatchExponent.criticalCurvature(step);
    assertThat(FullBatchExponent.along(critical * (1 - 1e-6), step)).isNegative();
    assertThat(FullBatchExponent.along(critical * (1 + 1e-6), step)).isPositive();
    double rate = FullBatchExponent.criticalLearningRate(critical, step.withLearningRate(77));
    assertThat(rate).isCloseTo(0.05, within(1e-12));
  }

  @Test
  void anAverageIsTheSameMomentumAtASmallerRate() {
    SgdStep slow = SgdStep.of(0.1 * 0.03, 1).withWeightDecay(0.2 / 0.1);
    SgdStep step = SgdStep.of(0.03, 1).withWeightDecay(0.2);
    for (double curvature : new double[] {0.5, 30, 400, 2000}) {
      assertThat(along(curvature, step.withMomentum(new Momentum.MovingAverage(0.9))))
          .isCloseTo(
              along(curvature, slow.withMomentum(new Momentum.HeavyBall(0.9))), within(1e-12));
      assertThat(along(curvature, step.withMomentum(new Momentum.NesterovAverage(0.9))))
          .isCloseTo(
              along(curvature, slow.withMomentum(new Momentum.Nesterov(0.9))), within(1e-12));
    }
  }

  private static double along(double curvature, SgdStep step) {
    return FullBatchExponent.along(curvature, step);
  }

  @Test
  void agreesWithTheReference() {
    for (ReferenceCases.Case reference : ReferenceCases.all()) {
      GramMatrix gram = reference.gram();
      double mu = FullBatchExponent.of(GramSpectrum.eigenvaluesOnly(gram), reference.step());
      assertThat(mu).as(reference.id()).isCloseTo(reference.number("mu"), within(1e-6));
    }
  }

  @Test
  void aZeroGramHasNoDirection() {
    GramMatrix zero = GramMatrix.of(new double[][] {{0, 0}, {0, 0}}, 2, 1);
    assertThat(FullBatchExponent.of(GramSpectrum.of(zero), SgdStep.of(1, 1)))
        .isEqualTo(Double.NEGATIVE_INFINITY);
  }
}
