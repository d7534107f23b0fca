// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/** The bounded mean square of large matrices, on matrices small enough for the exact one. */
class MeanSquareBoundsTest {
  private static void assertEncloses(Enclosure bounded, Enclosure exact, double widest) {
    assertThat(bounded.low()).isLessThanOrEqualTo(exact.high() * (1 + 1e-9));
    assertThat(bounded.low()).isLessThanOrEqualTo(exact.value() * (1 + 1e-7));
    assertThat(bounded.high()).isGreaterThanOrEqualTo(exact.value() * (1 - 1e-7));
    assertThat(bounded.high() / bounded.low()).isLessThan(1 + widest);
  }

  private static void compare(GramMatrix gram, SgdStep step) {
    GramSpectrum spectrum = GramSpectrum.of(gram);
    MeanSquareStability exact = MeanSquareStability.of(spectrum, Integer.MAX_VALUE);
    MeanSquareStability bounded = MeanSquareStability.of(spectrum, 0);
    Enclosure edge = exact.criticalLearningRate(step);
    double widest = step.batchSize() == 1 ? 3.1e-3 : 1.1e-3;
    assertEncloses(bounded.criticalLearningRate(step), edge, widest);
    for (double fraction : new double[] {0.3, 0.9, 0.97, 0.999, 1.001, 1.1, 1.5}) {
      SgdStep at = step.withLearningRate(fraction * edge.value());
      MeanSquareReport expected = exact.analyzeAtBatchSize(at);
      MeanSquareReport found = bounded.analyzeAtBatchSize(at);
      if (Double.isInfinite(expected.index().value())) {
        assertThat(found.index().value()).isInfinite();
      } else {
        assertEncloses(found.index(), expected.index(), widest);
      }
      assertThat(found.exponent() < 0)
          .as("sign of the exponent at %s", fraction)
          .isEqualTo(found.index().value() < 1);
      if (Math.abs(fraction - 1) > 0.01) {
        assertThat(found.exponent())
            .isCloseTo(expected.exponent(), within(3e-3 * Math.abs(expected.exponent())));
      }
    }
  }

  static Stream<TangentKernels.Row> rows() {
    return TangentKernels.rows().stream().filter(row -> row.gram().size() > 100);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void boundsHoldOnTangentKernels(TangentKernels.Row row) {
    compare(row.gram(), SgdStep.of(1, row.batchSize()));
  }

  static Stream<SgdStep> steps() {
    return Stream.of(
        SgdStep.of(1, 5).withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT),
        SgdStep.of(1, 3).withWeightDecay(0.02),
        SgdStep.of(1, 1).withL2(0.3));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void boundsHoldForEveryStepWithAClosedForm(SgdStep step) {
    compare(TestGrams.powerLaw(30, 5, 1, 3), step);
    compare(TestGrams.wishart(40, 3, 60, 4), step);
    compare(TestGrams.single(TestGrams.powerLaw(140, 1, 1.5, 5)), step);
  }

  @Test
  void theCriticalBatchSizeIsThatOfTheExactPairs() {
    for (GramMatrix gram :
        List.of(TestGrams.powerLaw(30, 5, 1, 3), TestGrams.wishart(40, 3, 60, 4))) {
      GramSpectrum spectrum = GramSpectrum.of(gram);
      SgdStep step = SgdStep.of(1.4 * gram.examples() / spectrum.largest(), 1);
      assertThat(MeanSquareStability.of(spectrum, 0).criticalBatchSize(step))
          .isEqualTo(MeanSquareStability.of(spectrum).criticalBatchSize(step));
    }
  }
}
