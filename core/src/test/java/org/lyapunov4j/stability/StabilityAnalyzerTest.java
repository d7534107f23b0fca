// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

class StabilityAnalyzerTest {
  @Test
  void neverContradictsTheReference() {
    for (ReferenceCases.Case reference : ReferenceCases.all()) {
      StabilityReport report =
          StabilityAnalyzer.builder().build().analyze(reference.gram(), reference.step());
      Verdict.Kind kind = report.verdict().kind();
      switch (reference.sign()) {
        case "stable" -> assertThat(kind).as(reference.id()).isNotEqualTo(Verdict.Kind.UNSTABLE);
        case "unstable" ->
            assertThat(kind)
                .as(reference.id())
                .isIn(Verdict.Kind.UNSTABLE, Verdict.Kind.INCONCLUSIVE);
        default -> assertThat(kind).as(reference.id()).isEqualTo(Verdict.Kind.INCONCLUSIVE);
      }
      assertThat(report.gdExponent()).isCloseTo(reference.number("mu"), within(1e-6));
      assertThat(report.sharpness())
          .isCloseTo(reference.number("g_max") / reference.gram().examples(), within(1e-6));
    }
  }

  @Test
  void theFullBatchIsExact() {
    ReferenceCases.Case reference = ReferenceCases.named("fullbatch4-unstable");
    StabilityReport report =
        StabilityAnalyzer.builder().build().analyze(reference.gram(), reference.step());
    assertThat(report.exponent().standardError()).isZero();
    assertThat(report.exponent().value())
        .isCloseTo(reference.value("lambda").value(), within(1e-9));
    assertThat(report.classicEdgeRatio()).isCloseTo(4.2 * report.sharpness() / 2, within(1e-12));
  }

  @Test
  void aGramBeyondTheSpectrumLimitKeepsSharpnessAndSign() {
    GramMatrix gram = TestGrams.wishart(30, 2, 90, 3);
    StabilityReport whole = StabilityAnalyzer.builder().build().analyze(gram, SgdStep.of(1, 3));
    StabilityReport part =
        StabilityAnalyzer.builder().spectrumLimit(10).build().analyze(gram, SgdStep.of(1, 3));
    assertThat(part.spectrumComplete()).isFalse();
    assertThat(part.sharpness()).isCloseTo(whole.sharpness(), within(1e-9));
    assertThat(Math.signum(part.gdExponent())).isEqualTo(Math.signum(whole.gdExponent()));
  }

  @Test
  void aBatchLargerThanTheProbeIsRefused() {
    assertThatThrownBy(
            () ->
                StabilityAnalyzer.builder()
                    .build()
                    .analyze(TestGrams.wishart(4, 1, 9, 1), SgdStep.of(1, 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("number of examples 4, got 5");
  }
}
