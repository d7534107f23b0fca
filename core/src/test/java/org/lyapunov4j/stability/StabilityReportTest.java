// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

class StabilityReportTest {
  private static final Certificate CONTRACTS =
      new Certificate(Certificate.Kind.EVERY_STEP_CONTRACTS, Sign.NEGATIVE, true, 0.2, 2);
  private static final Certificate GROWS =
      new Certificate(Certificate.Kind.VOLUME_GROWS, Sign.POSITIVE, false, 0.1, 0);

  /** The parts of a report, some of which a test replaces. */
  private record Parts(
      SgdStep step,
      double exponent,
      double gdExponent,
      double sharpness,
      Certificate certificate,
      MeanSquareReport meanSquare,
      CriticalLearningRate criticalLearningRate,
      OptionalInt criticalBatchSize,
      Verdict.Kind verdict) {
    StabilityReport report() {
      return new StabilityReport(
          8,
          1,
          step,
          new ExactExponent(exponent),
          new ExactExponent(gdExponent),
          sharpness,
          FullBatchExponent.edgeRatio(sharpness, step),
          Optional.ofNullable(certificate),
          Optional.ofNullable(meanSquare),
          Optional.ofNullable(criticalLearningRate),
          criticalBatchSize,
          Optional.empty(),
          Optional.empty(),
          new Verdict(verdict, "as it is", OptionalLong.empty()),
          List.of());
    }

    Parts at(SgdStep step) {
      return new Parts(
          step,
          exponent,
          gdExponent,
          sharpness,
          certificate,
          meanSquare,
          criticalLearningRate,
          criticalBatchSize,
          verdict);
    }

    Parts with(double exponent, double gdExponent, double sharpness) {
      return new Parts(
          step,
          exponent,
          gdExponent,
          sharpness,
          certificate,
          meanSquare,
          criticalLearningRate,
          criticalBatchSize,
          verdict);
    }

    Parts with(Certificate certificate) {
      return new Parts(
          step,
          exponent,
          gdExponent,
          sharpness,
          certificate,
          meanSquare,
          criticalLearningRate,
          criticalBatchSize,
          verdict);
    }

    Parts with(MeanSquareReport meanSquare) {
      return new Parts(
          step,
          exponent,
          gdExponent,
          sharpness,
          certificate,
          meanSquare,
          criticalLearningRate,
          criticalBatchSize,
          verdict);
    }

    Parts with(double low, double value, double high, int batchSize) {
      return new Parts(
          step,
          exponent,
          gdExponent,
          sharpness,
          certificate,
          meanSquare,
          new CriticalLearningRate(value, low, high, false, List.of()),
          OptionalInt.of(batchSize),
          verdict);
    }

    Parts with(Verdict.Kind verdict) {
      return new Parts(
          step,
          exponent,
          gdExponent,
          sharpness,
          certificate,
          meanSquare,
          criticalLearningRate,
          criticalBatchSize,
          verdict);
    }
  }

  private static MeanSquareReport meanSquare(double index, double exponent, double critical) {
    return new MeanSquareReport(
        Enclosure.exactly(index), exponent, Enclosure.exactly(critical), OptionalInt.of(4));
  }

  private static final Parts STABLE =
      new Parts(
              SgdStep.of(0.1, 2),
              -0.1,
              -0.2,
              1.5,
              CONTRACTS,
              meanSquare(0.5, -0.15, 0.2),
              null,
              OptionalInt.empty(),
              Verdict.Kind.STABLE)
          .with(0.2, 0.25, 0.3, 2);

  private static void refused(UnaryOperator<Parts> change, String... words) {
    assertThat(STABLE.report().verdict().kind()).isEqualTo(Verdict.Kind.STABLE);
    Parts parts = change.apply(STABLE);
    assertThatThrownBy(parts::report)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll(words)
        .hasMessageContainingAll("must not contradict itself", "report it with this line");
  }

  @Test
  void aCertificateAgreesWithTheSecondMoment() {
    refused(p -> p.with(meanSquare(1.5, 130, 0.05)), "certified λ < 0", "Λ(2) = 130.0");
    refused(p -> p.with(meanSquare(Double.POSITIVE_INFINITY, 130, 0.05)), "Λ(2) = 130.0");
    refused(
        p -> p.with(0.1, -0.2, 1.5).with(GROWS).with(Verdict.Kind.UNSTABLE),
        "certified λ > 0",
        "Λ(2) = -0.15");
  }

  @Test
  void aCertificateAgreesWithAnExactExponent() {
    refused(p -> p.with(0.1, -0.2, 1.5), "certified λ < 0", "λ = 0.1");
  }

  @Test
  void indexAndSecondMomentAgree() {
    refused(p -> p.with((Certificate) null).with(meanSquare(0.5, 0.1, 0.2)), "Λ(2) = 0.1", "0.5");
    refused(p -> p.with((Certificate) null).with(meanSquare(1.2, -0.1, 0.05)), "Λ(2) = -0.1");
  }

  @Test
  void theSecondMomentIsAtLeastTwiceTheExponent() {
    refused(p -> p.with(meanSquare(0.5, -0.3, 0.2)), "below 2λ");
  }

  @Test
  void criticalRatesAreOrdered() {
    refused(p -> p.with(meanSquare(0.5, -0.15, 0.4)), "η_ms = 0.4", "above η_c = 0.25");
    refused(p -> p.with(meanSquare(0.5, -0.15, 0.05)), "learning rate 0.1, but η_ms = 0.05");
    refused(p -> p.with(0.2, 0.25, 0.3, 5), "batch size 5 is above the mean-square one 4");
  }

  @Test
  void theFullBatchHasTheExponentOfGradientDescent() {
    refused(p -> p.at(SgdStep.of(0.1, 8)), "λ = -0.1000 is not μ = -0.2000");
  }

  @Test
  void learningRateZeroHasExponentZero() {
    refused(
        p -> p.at(SgdStep.of(0, 2)).with((Certificate) null).with(Verdict.Kind.INCONCLUSIVE),
        "λ = -0.1000 and μ = -0.2000 at learning rate 0");
    refused(p -> p.at(SgdStep.of(0, 2)).with(0, 0, 1.5), "a certificate where nothing acts");
  }

  @Test
  void numbersAreNumbers() {
    refused(p -> p.with(Double.POSITIVE_INFINITY, -0.2, 1.5), "λ = Infinity");
    assertThatThrownBy(() -> new ExactExponent(Double.NaN)).hasMessageContaining("got NaN");
    refused(p -> p.with(-0.1, -0.2, Double.POSITIVE_INFINITY), "a sharpness of Infinity");
    refused(p -> p.with(-0.1, -0.2, Double.NaN), "a sharpness of NaN");
  }

  @Test
  void theVerdictFollowsFromItsEvidence() {
    for (Verdict.Kind kind : Verdict.Kind.values()) {
      if (kind != Verdict.Kind.STABLE) {
        refused(p -> p.with(kind), "the verdict " + kind, "says STABLE");
      }
    }
    refused(
        p -> p.with(0, 0, 0).with((Certificate) null).with((MeanSquareReport) null),
        "says INCONCLUSIVE");
  }

  /** The right linear algebra contradicts itself nowhere. */
  @Test
  void noRealKernelIsRefused() {
    StabilityAnalyzer analyzer = StabilityAnalyzer.builder().maxEpochs(16).build();
    List<TangentKernels.Row> rows = TangentKernels.rows();
    for (int i = 0; i < rows.size(); i += 4) {
      TangentKernels.Row row = rows.get(i);
      var reports = analyzer.on(row.gram());
      row.cases().forEach(at -> assertThat(reports.apply(at.step())).isNotNull());
    }
  }

  /** η max‖G_ii‖ = 0.2, so that every step contracts. */
  @Test
  void nothingThatContractsHasAGrowingSecondMoment() {
    StabilityAnalyzer analyzer = StabilityAnalyzer.builder().maxEpochs(2).build();
    for (int seed = 0; seed < 20; seed++) {
      int m = 60 + 7 * (seed % 11);
      GramMatrix gram = TestGrams.wishart(m, 1, m + seed, seed);
      double largest = 0;
      for (int i = 0; i < m; i++) {
        largest = Math.max(largest, gram.get(i, i));
      }
      StabilityReport report = analyzer.analyze(gram, SgdStep.of(0.2 / largest, 1 + seed % 8));
      assertThat(report.meanSquare().orElseThrow().exponent()).isNegative();
      assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.STABLE);
    }
  }
}
