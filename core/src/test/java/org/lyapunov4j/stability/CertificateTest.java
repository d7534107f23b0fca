// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
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
      Sign sampled =
          LyapunovEstimator.builder()
              .maxEpochs(4096)
              .level(0.001)
              .threads(1)
              .build()
              .estimate(gram, step)
              .sign();
      assertThat(sampled)
          .as("%s", certificate.get())
          .isIn(certificate.get().sign(), Sign.UNDECIDED);
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
