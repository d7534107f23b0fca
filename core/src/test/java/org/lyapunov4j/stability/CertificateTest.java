// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

class CertificateTest {
  @Test
  void neverContradictsTheReferenceAndDecidesManyCases() {
    int decided = 0;
    for (ReferenceCases.Case reference : ReferenceCases.all()) {
      Optional<Certificate> certificate = decide(reference.gram(), reference.step());
      if (certificate.isPresent()) {
        decided++;
        double truth = reference.quotientExponent().value();
        assertThat(certificate.get().sign())
            .as("%s: %s", reference.id(), certificate.get())
            .isEqualTo(truth < 0 ? Sign.NEGATIVE : Sign.POSITIVE);
        if (certificate.get().meanSquareStable()) {
          assertThat(reference.number("Lambda2")).as(reference.id()).isNegative();
        }
      }
    }
    assertThat(decided).isGreaterThanOrEqualTo(8);
  }

  @Test
  void reflectionsAreNotDecided() {
    ReferenceCases.Case reference = ReferenceCases.named("reflections5");
    assertThat(decide(reference.gram(), reference.step())).isEmpty();
  }

  @Test
  void everyBoundDecidesSomewhere() {
    Set<Certificate.Kind> seen = EnumSet.noneOf(Certificate.Kind.class);
    GramMatrix flat = TestGrams.wishart(20, 1, 200, 2);
    GramMatrix steep = TestGrams.powerLaw(20, 1, 1, 3);
    for (GramMatrix gram : new GramMatrix[] {flat, steep}) {
      for (int batch : new int[] {1, 2, 8, 16, 20}) {
        for (double rate = 0.05; rate < 40; rate *= 1.1) {
          decide(gram, SgdStep.of(rate, batch)).ifPresent(c -> seen.add(c.kind()));
        }
      }
    }
    assertThat(seen).containsExactlyInAnyOrder(Certificate.Kind.values());
  }

  @Property(tries = 60, seed = "71")
  void aCertificateAgreesWithALongEstimate(
      @ForAll @IntRange(min = 2, max = 8) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @IntRange(min = 1, max = 8) int batch,
      @ForAll @DoubleRange(min = 0.1, max = 8) double rate,
      @ForAll MiniBatchSampling sampling,
      @ForAll boolean singular,
      @ForAll long seed) {
    int m = examples * outputs;
    GramMatrix gram =
        TestGrams.wishart(examples, outputs, singular ? Math.max(1, m / 2) : 3 * m, seed);
    SgdStep step = SgdStep.of(rate, Math.min(batch, examples)).withSampling(sampling);
    Optional<Certificate> certificate = decide(gram, step);
    if (certificate.isPresent()) {
      Sign sampled = LyapunovEstimator.builder().threads(1).build().estimate(gram, step).sign();
      assertThat(sampled)
          .as("%s", certificate.get())
          .isIn(certificate.get().sign(), Sign.UNDECIDED);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.3, 0.9, 0.999})
  void aConstantDiagonalDecidesEveryRateButTheCriticalOne(double correlation) {
    for (int outputs = 1; outputs <= 2; outputs++) {
      GramMatrix gram = correlated(7, outputs, correlation);
      for (MiniBatchSampling sampling : MiniBatchSampling.values()) {
        for (double distance : new double[] {0.5, 1e-3, 1e-7}) {
          SgdStep step = SgdStep.of(2 - distance, 1).withSampling(sampling);
          Certificate below = decide(gram, step).orElseThrow();
          assertThat(below.kind()).isEqualTo(Certificate.Kind.EVERY_STEP_CONTRACTS);
          Certificate above = decide(gram, step.withLearningRate(2 + distance)).orElseThrow();
          assertThat(above.kind()).isEqualTo(Certificate.Kind.VOLUME_GROWS);
          assertThat(above.value()).isCloseTo(Math.log1p(distance) / 7, within(1e-12));
        }
        for (double rate : new double[] {2, 2 - 1e-10, 2 + 1e-10}) {
          assertThat(decide(gram, SgdStep.of(rate, 1).withSampling(sampling))).isEmpty();
        }
      }
    }
  }

  /** Unit diagonal; outputs do not interact. */
  private static GramMatrix correlated(int examples, int outputs, double correlation) {
    int m = examples * outputs;
    double[][] rows = new double[m][m];
    for (int a = 0; a < m; a++) {
      for (int b = 0; b < m; b++) {
        rows[a][b] = a == b ? 1 : a % outputs == b % outputs ? correlation : 0;
      }
    }
    return GramMatrix.of(rows, examples, outputs);
  }

  @Test
  void aRaggedLastBatchCountsWithItsOwnSize() {
    GramMatrix gram = GramMatrix.of(new double[][] {{2, 0, 0}, {0, 1, 0.1}, {0, 0.1, 1}}, 3, 1);
    SgdStep step = SgdStep.of(1.9, 2);
    Certificate certificate = decide(gram, step).orElseThrow();
    assertThat(certificate.kind()).isEqualTo(Certificate.Kind.EVERY_BATCH_CONTRACTS);
    assertThat(certificate.value()).isCloseTo(1.9, within(1e-12));
    // an example that comes alone sees the whole learning rate, one drawn twice as well
    assertThat(decide(gram, step.withSampling(MiniBatchSampling.SHUFFLED_EPOCHS))).isEmpty();
    assertThat(
            decide(gram, step.withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT))
                .map(Certificate::kind))
        .isNotEqualTo(Optional.of(Certificate.Kind.EVERY_BATCH_CONTRACTS));
    SgdStep ragged = SgdStep.of(0.99, 2).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    assertThat(decide(gram, ragged).orElseThrow().sign()).isEqualTo(Sign.NEGATIVE);
  }

  @Property(tries = 60, seed = "71")
  void aCertificateWithDecayAgreesWithTheSecondMomentOfAllBatches(
      @ForAll @IntRange(min = 2, max = 4) int examples,
      @ForAll @IntRange(min = 1, max = 2) int outputs,
      @ForAll @IntRange(min = 1, max = 3) int batch,
      @ForAll @DoubleRange(min = 0.1, max = 8) double rate,
      @ForAll @DoubleRange(min = 0, max = 0.5) double decay,
      @ForAll boolean replacement,
      @ForAll long seed) {
    int p = Math.min(4, examples * outputs);
    SecondMomentOracle oracle = SecondMomentOracle.random(examples, outputs, p, 0.9, seed);
    SgdStep step =
        SgdStep.of(rate, Math.min(batch, examples))
            .withL2(decay)
            .withSampling(
                replacement
                    ? MiniBatchSampling.IID_WITH_REPLACEMENT
                    : MiniBatchSampling.IID_SUBSETS);
    decide(oracle.gram(), step)
        .ifPresent(
            certificate ->
                assertThat(oracle.exponent(step) < 0)
                    .as("%s", certificate)
                    .isEqualTo(certificate.sign() == Sign.NEGATIVE));
  }

  @Test
  void theFullBatchIsDecidedWithMomentumToo() {
    GramMatrix gram = TestGrams.wishart(6, 2, 30, 9);
    double sharpness = GramSpectrum.of(gram).largest() / 6;
    for (Momentum momentum :
        List.of(
            Momentum.NONE,
            new Momentum.HeavyBall(0.9),
            new Momentum.Nesterov(0.9),
            new Momentum.MovingAverage(0.9))) {
      SgdStep step = SgdStep.of(1, 6).withMomentum(momentum).withL2(0.001).withWeightDecay(0.002);
      double critical = FullBatchExponent.criticalLearningRate(sharpness, step);
      for (double factor : new double[] {0.5, 0.999, 1.001, 2}) {
        SgdStep moved = step.withLearningRate(factor * critical);
        Certificate found = decide(gram, moved).orElseThrow();
        assertThat(found.kind()).isEqualTo(Certificate.Kind.FULL_BATCH);
        assertThat(found.sign() == Sign.NEGATIVE).isEqualTo(factor < 1);
        assertThat(FullBatchExponent.of(GramSpectrum.of(gram), moved) < 0).isEqualTo(factor < 1);
      }
      assertThat(decide(gram, step.withLearningRate(critical))).isEmpty();
      if (momentum != Momentum.NONE) {
        assertThat(decide(gram, step.withLearningRate(0.1 * critical).withBatchSize(2))).isEmpty();
      }
    }
  }

  private static Optional<Certificate> decide(GramMatrix gram, SgdStep step) {
    GramSpectrum spectrum = GramSpectrum.of(gram);
    Optional<MeanSquareReport> meanSquare =
        MeanSquareStability.obstacle(step, gram.examples()).isEmpty()
            ? Optional.of(MeanSquareStability.of(spectrum).analyze(step))
            : Optional.empty();
    return Certificate.decide(gram, spectrum.largest(), step, meanSquare);
  }
}
