// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.WrongRoutines;
import org.lyapunov4j.step.SgdStep;

/** What a report holds if every routine for eigenvalues is wrong in the same way. */
class WrongDecompositionTest {
  private static final GramMatrix GRAM = TestGrams.powerLaw(20, 1, 1, 5);
  private static final SgdStep STEP = SgdStep.of(0.5, 4);

  private static StabilityReport report(StabilityAnalyzer.Builder builder) {
    return builder.tier(Tier.FULL).maxEpochs(64).threads(1).build().analyze(GRAM, STEP);
  }

  @ParameterizedTest
  @EnumSource
  void whatNeedsTheDecompositionIsAbsentByNameAndTheRestIsPublished(WrongRoutines wrong) {
    StabilityReport right = report(StabilityAnalyzer.builder());

    StabilityReport found = report(StabilityAnalyzer.builder().decomposer(wrong::withoutRescue));

    assertThat(right.remarks()).isEmpty();
    assertThat(found.remarks()).hasSize(1);
    assertThat(found.remarks().get(0))
        .contains(wrong.name())
        .endsWith(
            wrong.hasRightValues()
                ? "what needs eigenvectors is absent"
                : "what needs eigenvalues is absent");
    assertThat(found.meanSquare()).isEmpty();
    assertThat(right.meanSquare()).isPresent();
    assertThat(found.diagnosis().isPresent()).isEqualTo(wrong.hasRightValues());
    assertThat(found.sumOfExponents().isPresent()).isEqualTo(wrong.hasRightValues());
    assertThat(found.sharpness()).isCloseTo(right.sharpness(), within(1e-9 * right.sharpness()));
    assertThat(found.exponent().low()).isLessThanOrEqualTo(right.exponent().high());
    assertThat(found.exponent().high()).isGreaterThanOrEqualTo(right.exponent().low());
    assertThat(found.criticalLearningRate()).isPresent();
  }
}
