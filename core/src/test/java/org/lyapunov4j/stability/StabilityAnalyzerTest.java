// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.MomentEstimator;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.SpectrumEstimator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

class StabilityAnalyzerTest {
  @Test
  void neverContradictsTheReference() {
    for (ReferenceCases.Case reference : ReferenceCases.all()) {
      StabilityReport report =
          StabilityAnalyzer.builder().build().analyze(reference.gram(), reference.step());
      Verdict.Kind kind = report.verdict().kind();
      assertThat(kind).as(reference.id()).isIn(possible(reference));
      assertThat(report.gdExponent().point().getAsDouble())
          .isCloseTo(reference.number("mu"), within(1e-6));
      assertThat(report.sharpness())
          .isCloseTo(reference.number("g_max") / reference.gram().examples(), within(1e-6));
    }
  }

  private static Set<Verdict.Kind> possible(ReferenceCases.Case reference) {
    if (reference.sign().equals("zero")) {
      return EnumSet.of(Verdict.Kind.INCONCLUSIVE, Verdict.Kind.AT_EDGE);
    }
    if (reference.sign().equals("unstable")) {
      return EnumSet.of(Verdict.Kind.UNSTABLE);
    }
    return reference.json().path("as_stable_ms_unstable").asBoolean()
        ? EnumSet.of(
            Verdict.Kind.MEAN_SQUARE_UNSTABLE, Verdict.Kind.AT_EDGE, Verdict.Kind.INCONCLUSIVE)
        : EnumSet.of(Verdict.Kind.STABLE);
  }

  @Test
  void theFullTierHasEverythingAndItsPartsAgree() {
    GramMatrix gram = TestGrams.powerLaw(20, 2, 1, 5);
    double rate = 0.6 * 2 * 20 / LargestEigenpair.of(gram).value();
    StabilityReport report =
        StabilityAnalyzer.builder().tier(Tier.FULL).build().analyze(gram, SgdStep.of(rate, 1));
    assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.UNSTABLE);
    double critical = report.criticalLearningRate().orElseThrow().value();
    assertThat(report.edgeRatio().orElseThrow()).isCloseTo(rate / critical, within(1e-12));
    assertThat(report.edgeRatio().orElseThrow()).isGreaterThan(1);
    assertThat(critical)
        .isGreaterThan(report.meanSquare().orElseThrow().criticalLearningRate().low());
    assertThat(report.criticalBatchSize().orElseThrow()).isGreaterThan(1);
    assertThat(report.sumOfExponents()).isPresent();
    assertThat(report.diagnosis().orElseThrow().isNonsingular()).isTrue();
    assertThat(report.advice().orElseThrow())
        .startsWith("lower the learning rate below")
        .endsWith("raise the batch size to " + report.criticalBatchSize().orElseThrow());
    StabilityReport advised =
        StabilityAnalyzer.builder()
            .build()
            .analyze(gram, SgdStep.of(rate, report.criticalBatchSize().orElseThrow()));
    assertThat(advised.verdict().kind())
        .isIn(Verdict.Kind.STABLE, Verdict.Kind.MEAN_SQUARE_UNSTABLE);
  }

  @Test
  void theEconomyTierLeavesOutWhatIsDear() {
    GramMatrix gram = TestGrams.wishart(10, 2, 60, 3);
    SgdStep step = SgdStep.of(1, 3);
    StabilityReport report =
        StabilityAnalyzer.builder().tier(Tier.ECONOMY).build().analyze(gram, step);
    assertThat(report.edgeRatio()).isEmpty();
    assertThat(report.diagnosis()).isEmpty();
    assertThat(report.verdict().kind()).isNotEqualTo(Verdict.Kind.INCONCLUSIVE);
    StabilityReport standard = StabilityAnalyzer.builder().build().analyze(gram, step);
    assertThat(report.meanSquare()).isPresent().isEqualTo(standard.meanSquare());
    assertThat(report.certificate()).isEqualTo(standard.certificate());
    StabilityReport without =
        StabilityAnalyzer.builder()
            .tier(Tier.ECONOMY)
            .meanSquareLimit(19)
            .build()
            .analyze(gram, step);
    assertThat(without.meanSquare()).isEmpty();
    assertThat(without.certificate()).isEmpty();
  }

  @Test
  void whatIsNoGramMatrixIsRefused() {
    GramMatrix indefinite = GramMatrix.of(new double[][] {{1, 2}, {2, 1}}, 2, 1);
    for (Tier tier : Tier.values()) {
      StabilityAnalyzer analyzer = StabilityAnalyzer.builder().tier(tier).build();
      for (int batch = 1; batch <= 2; batch++) {
        SgdStep step = SgdStep.of(0.1, batch);
        assertThatThrownBy(() -> analyzer.analyze(indefinite, step))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("positive semidefinite, got the eigenvalue -1.00000 or")
            .hasMessageContaining("(0, 2, 1, 3)");
      }
      assertThatThrownBy(() -> analyzer.on(indefinite)).hasMessageContaining("semidefinite");
    }
  }

  @Test
  void beyondTheSpectrumLimitWhatIsNoGramMatrixIsRefusedToo() {
    for (double negative : new double[] {1, 0.1, 0.01}) {
      double[][] rows = TestGrams.powerLaw(200, 1, 1, 3).toArray();
      double[] direction = TestGrams.gaussian(1, 200, 9)[0];
      double square = 0;
      for (double entry : direction) {
        square += entry * entry;
      }
      double largest = LargestEigenpair.of(GramMatrix.of(rows, 200, 1)).value();
      for (int i = 0; i < 200; i++) {
        for (int j = 0; j < 200; j++) {
          rows[i][j] -= 2 * negative * largest * direction[i] * direction[j] / square;
        }
        rows[i][i] = Math.max(rows[i][i], 0);
      }
      GramMatrix indefinite = GramMatrix.of(rows, 200, 1);
      assertThat(GramSpectrum.eigenvaluesOnly(indefinite).lowest())
          .isLessThan(-0.5 * negative * largest);
      for (Tier tier : Tier.values()) {
        StabilityAnalyzer analyzer =
            StabilityAnalyzer.builder().tier(tier).spectrumLimit(10).build();
        assertThatThrownBy(() -> analyzer.analyze(indefinite, SgdStep.of(0.1, 20)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("positive semidefinite, got the eigenvalue -");
      }
    }
  }

  @Test
  void roundingIsNoReasonToRefuse() {
    for (int seed = 0; seed < 20; seed++) {
      GramMatrix singular = TestGrams.wishart(30, 2, 5, seed);
      for (GramMatrix gram : List.of(singular, TestGrams.single(singular))) {
        GramSpectrum spectrum = GramSpectrum.eigenvaluesOnly(gram);
        assertThat(spectrum.isPositiveSemidefinite()).isTrue();
        assertThat(LargestEigenpair.lowestEnergy(gram, spectrum.largest()))
            .isGreaterThanOrEqualTo(-spectrum.noise());
      }
    }
    for (TangentKernels.Row row : TangentKernels.rows()) {
      GramSpectrum spectrum = GramSpectrum.eigenvaluesOnly(row.gram());
      assertThat(spectrum.isPositiveSemidefinite()).as("%s", row).isTrue();
      assertThat(LargestEigenpair.lowestEnergy(row.gram(), spectrum.largest()))
          .isGreaterThanOrEqualTo(-spectrum.noise());
    }
  }

  @Test
  void nothingToContractIsNotStable() {
    for (boolean single : new boolean[] {false, true}) {
      GramMatrix zero = GramMatrix.of(new double[4][4], 2, 2);
      for (Tier tier : Tier.values()) {
        for (SgdStep step : List.of(SgdStep.of(1, 1), SgdStep.of(1, 2), SgdStep.of(0, 1))) {
          for (int limit : new int[] {0, 100}) {
            StabilityReport report =
                StabilityAnalyzer.builder()
                    .tier(tier)
                    .spectrumLimit(limit)
                    .build()
                    .analyze(single ? TestGrams.single(zero) : zero, step);
            assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.INCONCLUSIVE);
            assertThat(report.verdict().evidence()).contains("no curvature on this probe");
            assertThat(report.exponent().point()).isEmpty();
            assertThat(report.exponent().sign()).isEqualTo(Sign.UNDECIDED);
            assertThat(report.gdExponent()).isEqualTo(report.exponent());
            assertThat(report.sharpness()).isZero();
            assertThat(report.certificate()).isEmpty();
            assertThat(report.meanSquare()).isEmpty();
            assertThat(report.edgeRatio()).isEmpty();
          }
        }
      }
    }
  }

  /** One step at ηκ/N = 1 erases range(G); that is what −∞ means. */
  @Test
  void whatIsAnnihilatedIsStable() {
    GramMatrix gram = GramMatrix.of(new double[][] {{2, 0}, {0, 2}}, 2, 1);
    StabilityReport report = StabilityAnalyzer.builder().build().analyze(gram, SgdStep.of(1, 2));
    assertThat(report.exponent()).isEqualTo(new ExactExponent(Double.NEGATIVE_INFINITY));
    assertThat(report.gdExponent()).isEqualTo(report.exponent());
    assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.STABLE);
  }

  @Test
  void learningRateZeroIsTheIdentity() {
    GramMatrix gram = TestGrams.wishart(12, 2, 60, 8);
    SgdStep plain = SgdStep.of(0, 3);
    for (Tier tier : Tier.values()) {
      StabilityAnalyzer analyzer = StabilityAnalyzer.builder().tier(tier).build();
      for (SgdStep step :
          List.of(
              plain,
              plain.withBatchSize(12),
              plain.withBatchSize(1).withL2(0.1).withWeightDecay(0.1),
              plain.withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT),
              plain.withSampling(MiniBatchSampling.SHUFFLED_EPOCHS),
              plain.withMomentum(new Momentum.HeavyBall(0.9)),
              plain.withMomentum(new Momentum.Nesterov(0.9)),
              plain.withMomentum(new Momentum.MovingAverage(0.9)),
              plain.withMomentum(new Momentum.NesterovAverage(0.9)))) {
        StabilityReport report = analyzer.analyze(gram, step);
        assertThat(report.exponent()).as("%s", step).isEqualTo(new ExactExponent(0));
        assertThat(report.gdExponent()).isEqualTo(new ExactExponent(0));
        assertThat(report.classicEdgeRatio()).isZero();
        assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.INCONCLUSIVE);
        assertThat(report.verdict().evidence()).contains("the learning rate is 0");
        assertThat(report.certificate()).isEmpty();
        assertThat(report.criticalBatchSize()).isEmpty();
        assertThat(report.advice()).isEmpty();
        StabilityReport moving = analyzer.analyze(gram, step.withLearningRate(0.01));
        assertThat(report.sharpness()).isEqualTo(moving.sharpness());
        report.edgeRatio().ifPresent(ratio -> assertThat(ratio).isZero());
        assertThat(report.criticalLearningRate().isPresent())
            .isEqualTo(moving.criticalLearningRate().isPresent());
        assertThat(report.meanSquare().isPresent()).isEqualTo(moving.meanSquare().isPresent());
        report
            .meanSquare()
            .ifPresent(
                meanSquare -> {
                  assertThat(meanSquare.exponent()).isZero();
                  assertThat(meanSquare.isStable()).isFalse();
                  assertThat(meanSquare.criticalLearningRate().value())
                      .isCloseTo(
                          moving.meanSquare().orElseThrow().criticalLearningRate().value(),
                          withinPercentage(0.01));
                });
        assertThat(analyzer.on(gram).apply(step).verdict()).isEqualTo(report.verdict());
      }
    }
  }

  @Test
  void everyEstimatorSurvivesLearningRateZero() {
    GramMatrix gram = TestGrams.wishart(6, 1, 20, 8);
    SgdStep step = SgdStep.of(0, 2);
    assertThat(LyapunovEstimator.builder().epochs(16).build().estimate(gram, step).low())
        .isCloseTo(0, within(1e-12));
    assertThat(MomentEstimator.builder().build().estimate(gram, step, 2).of(2).value())
        .isCloseTo(0, within(1e-12));
    SpectrumEstimator.builder()
        .build()
        .estimate(gram, step)
        .exponents()
        .forEach(exponent -> assertThat(exponent.value()).isCloseTo(0, within(1e-12)));
    assertThat(FiniteTimeEstimator.builder().build().estimate(gram, step, 10).mean().value())
        .isCloseTo(0, within(1e-12));
    assertThat(MeanSquareStability.of(GramSpectrum.of(gram)).analyze(step).criticalBatchSize())
        .isEmpty();
  }

  /** A power of two is exact, so that every number is the same to the last bit. */
  @Test
  void aPowerOfTwoChangesNoBit() {
    GramMatrix gram = TestGrams.powerLaw(12, 2, 1, 5);
    double edge = 2 * 12 / LargestEigenpair.of(gram).value();
    for (Tier tier : Tier.values()) {
      StabilityAnalyzer analyzer = StabilityAnalyzer.builder().tier(tier).build();
      for (SgdStep step :
          List.of(
              SgdStep.of(0.3 * edge, 3),
              SgdStep.of(0.6 * edge, 12).withL2(0.01),
              SgdStep.of(edge, 1).withMomentum(new Momentum.HeavyBall(0.5)))) {
        StabilityReport one = analyzer.analyze(gram, step);
        for (int k : new int[] {-997, -600, -256, -1, 1, 256, 997, 1010}) {
          StabilityReport other = analyzer.analyze(times(gram, k), step.scaled(k));
          assertThat(other.exponent()).isEqualTo(one.exponent());
          assertThat(other.gdExponent()).isEqualTo(one.gdExponent());
          assertThat(other.sharpness()).isEqualTo(Math.scalb(one.sharpness(), -k));
          assertThat(other.classicEdgeRatio()).isEqualTo(one.classicEdgeRatio());
          assertThat(other.edgeRatio()).isEqualTo(one.edgeRatio());
          assertThat(other.criticalBatchSize()).isEqualTo(one.criticalBatchSize());
          assertThat(other.sumOfExponents()).isEqualTo(one.sumOfExponents());
          assertThat(other.verdict().kind()).isEqualTo(one.verdict().kind());
          assertThat(other.certificate().map(Certificate::kind))
              .isEqualTo(one.certificate().map(Certificate::kind));
          assertThat(other.meanSquare().map(MeanSquareReport::index))
              .isEqualTo(one.meanSquare().map(MeanSquareReport::index));
          assertThat(other.meanSquare().map(MeanSquareReport::exponent))
              .isEqualTo(one.meanSquare().map(MeanSquareReport::exponent));
          assertThat(other.meanSquare().map(m -> m.criticalLearningRate().value()))
              .isEqualTo(
                  one.meanSquare().map(m -> Math.scalb(m.criticalLearningRate().value(), k)));
          assertThat(other.diagnosis().map(d -> d.conditionNumber()))
              .isEqualTo(one.diagnosis().map(d -> d.conditionNumber()));
          assertThat(other.diagnosis().map(d -> d.largest()))
              .isEqualTo(one.diagnosis().map(d -> Math.scalb(d.largest(), -k)));
        }
      }
    }
  }

  /** 2⁻ᵏ·G. */
  private static GramMatrix times(GramMatrix gram, int k) {
    double[][] rows = gram.toArray();
    for (double[] row : rows) {
      for (int j = 0; j < row.length; j++) {
        row[j] = Math.scalb(row[j], -k);
      }
    }
    return GramMatrix.adopt(rows, gram.examples(), gram.outputs());
  }

  @Test
  void scaleChangesNothing() {
    for (int batch : new int[] {2, 8}) {
      StabilityAnalyzer analyzer = StabilityAnalyzer.builder().tier(Tier.FULL).build();
      double[][] unit = TestGrams.wishart(8, 6, 3);
      for (double rate : new double[] {0.2, 2, 20}) {
        StabilityReport one = analyzer.analyze(GramMatrix.of(unit, 8, 1), SgdStep.of(rate, batch));
        for (double s : new double[] {1e-300, 1e-155, 1e-20, 3, 1e20, 1e155, 1e300}) {
          double[][] rows = unit.clone();
          for (int i = 0; i < 8; i++) {
            rows[i] = Arrays.stream(unit[i]).map(x -> s * x).toArray();
          }
          StabilityReport other =
              analyzer.analyze(GramMatrix.of(rows, 8, 1), SgdStep.of(rate / s, batch));
          assertThat(other.verdict().kind()).as("s = %s", s).isEqualTo(one.verdict().kind());
          assertThat(other.exponent().low())
              .isCloseTo(one.exponent().low(), withinPercentage(1e-3));
          assertThat(other.exponent().high())
              .isCloseTo(one.exponent().high(), withinPercentage(1e-3));
          assertThat(other.gdExponent().low())
              .isCloseTo(one.gdExponent().low(), withinPercentage(1e-6));
          assertThat(other.sharpness() / s).isCloseTo(one.sharpness(), withinPercentage(1e-9));
          assertThat(other.classicEdgeRatio())
              .isCloseTo(one.classicEdgeRatio(), withinPercentage(1e-9));
          assertThat(other.edgeRatio().orElseThrow())
              .isCloseTo(one.edgeRatio().orElseThrow(), withinPercentage(0.01));
          assertThat(other.meanSquare().orElseThrow().exponent())
              .isCloseTo(one.meanSquare().orElseThrow().exponent(), withinPercentage(1e-6));
          assertThat(other.criticalBatchSize()).isEqualTo(one.criticalBatchSize());
          assertThat(other.diagnosis().orElseThrow().rank())
              .isEqualTo(one.diagnosis().orElseThrow().rank());
        }
      }
    }
  }

  /** Each gets an answer that is right, or one line that says what to do. */
  @Test
  void extremeEntriesAndRatesGetAnAnswerOrOneLine() {
    StabilityAnalyzer analyzer = StabilityAnalyzer.builder().tier(Tier.FULL).build();
    int answers = 0;
    for (double entry : new double[] {4.9e-324, 1e-320, 1e-310, 1e-300, 1, 1e300, 2e307, 1.7e308}) {
      GramMatrix gram =
          GramMatrix.of(
              new double[][] {{entry, entry / 2, 0}, {entry / 2, entry, 0}, {0, 0, entry}}, 3, 1);
      for (double rate : new double[] {4.9e-324, 1e-300, 1e-10, 1, 1e10, 1e300, 1.7e308}) {
        for (int batch = 1; batch <= 3; batch++) {
          SgdStep step = SgdStep.of(rate, batch);
          try {
            StabilityReport report = analyzer.analyze(gram, step);
            answers++;
            double product = rate * entry;
            assertThat(report.exponent().low()).isNotNaN();
            assertThat(report.verdict().kind())
                .as("entry %s, %s", entry, step)
                .isEqualTo(product < 1.5 ? Verdict.Kind.STABLE : Verdict.Kind.UNSTABLE);
          } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).contains("must be", "got").hasSizeLessThan(400);
            assertThat(e.getMessage().lines()).hasSize(1);
          }
        }
      }
    }
    assertThat(answers).isGreaterThanOrEqualTo(25);
  }

  @Test
  void floatMatricesOfAnyScaleHaveTheSameReport() {
    GramMatrix unit = TestGrams.single(TestGrams.wishart(8, 1, 6, 3));
    StabilityReport one = StabilityAnalyzer.builder().build().analyze(unit, SgdStep.of(2, 2));
    for (int k : new int[] {-120, 120}) {
      GramMatrix other = TestGrams.single(times(unit, k));
      StabilityReport report =
          StabilityAnalyzer.builder().build().analyze(other, SgdStep.of(2, 2).scaled(k));
      assertThat(report.exponent()).isEqualTo(one.exponent());
      assertThat(report.edgeRatio()).isEqualTo(one.edgeRatio());
    }
  }

  @Test
  void oneSeedFixesTheReportWhateverTheThreads() {
    GramMatrix gram = TestGrams.wishart(12, 2, 60, 8);
    StabilityAnalyzer.Builder builder = StabilityAnalyzer.builder().tier(Tier.FULL).seed(4);
    StabilityReport one = builder.threads(1).build().analyze(gram, SgdStep.of(1.5, 3));
    assertThat(builder.threads(4).build().analyze(gram, SgdStep.of(1.5, 3))).isEqualTo(one);
  }

  @Test
  void theFullBatchIsExact() {
    ReferenceCases.Case reference = ReferenceCases.named("fullbatch4-unstable");
    StabilityReport report =
        StabilityAnalyzer.builder().build().analyze(reference.gram(), reference.step());
    assertThat(report.exponent()).isInstanceOf(ExactExponent.class);
    assertThat(report.exponent().low()).isCloseTo(reference.value("lambda").value(), within(1e-9));
    assertThat(report.classicEdgeRatio()).isCloseTo(4.2 * report.sharpness() / 2, within(1e-12));
  }

  @Test
  void aGramBeyondTheSpectrumLimitKeepsSharpnessAndSign() {
    GramMatrix gram = TestGrams.wishart(30, 2, 90, 3);
    StabilityReport whole = StabilityAnalyzer.builder().build().analyze(gram, SgdStep.of(1, 3));
    StabilityReport part =
        StabilityAnalyzer.builder().spectrumLimit(10).build().analyze(gram, SgdStep.of(1, 3));
    assertThat(part.sharpness()).isCloseTo(whole.sharpness(), within(1e-9));
    assertThat(part.gdExponent().low()).isCloseTo(whole.gdExponent().low(), within(1e-9));
    assertThat(part.gdExponent()).isInstanceOf(ExactExponent.class);
    assertThat(part.exponent().low()).isCloseTo(whole.exponent().low(), within(1e-3));
  }

  /** Inverse iteration needs a factor, which a singular matrix has not. */
  @Test
  void beyondTheSpectrumLimitASingularGramGivesBounds() {
    GramMatrix gram = TestGrams.wishart(30, 2, 20, 3);
    SgdStep step = SgdStep.of(0.3, 3);
    StabilityReport whole = StabilityAnalyzer.builder().build().analyze(gram, step);
    StabilityReport part =
        StabilityAnalyzer.builder().spectrumLimit(10).build().analyze(gram, step);
    for (LyapunovExponent bound : List.of(part.exponent(), part.gdExponent())) {
      assertThat(bound.point()).isEmpty();
      assertThat(bound.sign()).isEqualTo(Sign.NEGATIVE);
      assertThat(bound.high()).isZero();
    }
    assertThat(part.exponent().low()).isLessThan(whole.exponent().high());
    assertThat(part.gdExponent().low()).isLessThan(whole.gdExponent().high());
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

  @Test
  void manyStepsOfOneMatrixGiveWhatEachGivesAlone() {
    GramMatrix gram = TestGrams.wishart(12, 2, 60, 8);
    StabilityAnalyzer analyzer = StabilityAnalyzer.builder().seed(4).build();
    Function<SgdStep, StabilityReport> shared = analyzer.on(gram);
    for (int batch : new int[] {3, 12}) {
      CriticalLearningRate first = null;
      for (double rate : new double[] {0.5, 4, 40}) {
        SgdStep step = SgdStep.of(rate, batch);
        StabilityReport alone = analyzer.analyze(gram, step);
        StabilityReport one = shared.apply(step);
        assertThat(one.exponent()).isEqualTo(alone.exponent());
        assertThat(one.verdict().kind()).isEqualTo(alone.verdict().kind());
        assertThat(one.meanSquare()).isEqualTo(alone.meanSquare());
        CriticalLearningRate critical = one.criticalLearningRate().orElseThrow();
        assertThat(critical.value())
            .isCloseTo(alone.criticalLearningRate().orElseThrow().value(), withinPercentage(2));
        first = first == null ? critical : first;
        assertThat(critical).isEqualTo(first);
      }
    }
    assertThat(analyzer.on(gram).apply(SgdStep.of(40, 3)))
        .isEqualTo(shared.apply(SgdStep.of(40, 3)));
  }
}
