// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

class EdgeFinderTest {
  private final EdgeFinder finder = EdgeFinder.builder().seed(5).build();

  @Test
  void theToyOfWuMaAndE() {
    // f₁, f₂ with curvatures 0.2 and 3.8 in one dimension: ½ Σ log|1 − ηh| = 0 at η = 0.5594716
    double[][] f = {{Math.sqrt(0.2)}, {Math.sqrt(3.8)}};
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 1), 2, 1);
    CriticalLearningRate edge =
        EdgeFinder.builder()
            .maxEpochs(4096)
            .tolerance(0.005)
            .build()
            .criticalLearningRate(gram, SgdStep.of(1, 1));
    assertThat(edge.value()).isCloseTo(0.5594716, within(0.003));
    assertThat(edge.low()).isLessThan(0.5594716);
    assertThat(edge.high()).isGreaterThan(0.5594716);
    assertThat(edge.high() / edge.low()).isLessThan(1.03);
  }

  @Test
  void equalDiagonalsHaveTheirEdgeAtTwoOverTheDiagonal() {
    double[][] g = TestGrams.wishart(20, 30, 7);
    double[] scale = new double[20];
    for (int i = 0; i < 20; i++) {
      scale[i] = 1 / Math.sqrt(g[i][i]);
    }
    for (int i = 0; i < 20; i++) {
      for (int j = 0; j < 20; j++) {
        g[i][j] *= scale[i] * scale[j];
      }
    }
    CriticalLearningRate edge =
        finder.criticalLearningRate(GramMatrix.of(g, 20, 1), SgdStep.of(1, 1));
    assertThat(edge.low()).isLessThanOrEqualTo(2);
    assertThat(edge.high()).isGreaterThanOrEqualTo(2);
    assertThat(edge.value()).isCloseTo(2, within(0.05));
  }

  @Test
  void theFullBatchIsClosedForm() {
    GramMatrix gram = TestGrams.wishart(10, 2, 40, 3);
    double largest = GramSpectrum.eigenvaluesOnly(gram).largest();
    CriticalLearningRate plain = finder.criticalLearningRate(gram, SgdStep.of(1, 10));
    assertThat(plain.isExact()).isTrue();
    assertThat(plain.value()).isCloseTo(20 / largest, within(1e-9));
    assertThat(plain.edgeRatio(10 / largest)).isCloseTo(0.5, within(1e-9));
    CriticalLearningRate heavy =
        finder.criticalLearningRate(
            gram, SgdStep.of(1, 10).withMomentum(new Momentum.HeavyBall(0.9)));
    assertThat(heavy.value()).isCloseTo(38 / largest, within(1e-9));
  }

  @Test
  void theIntervalHoldsUpAgainstLongRuns() {
    GramMatrix gram = TestGrams.powerLaw(24, 2, 1, 4);
    for (SgdStep step :
        new SgdStep[] {
          SgdStep.of(1, 1),
          SgdStep.of(1, 6),
          SgdStep.of(1, 5).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS),
          SgdStep.of(1, 4).withMomentum(new Momentum.Nesterov(0.9)),
          SgdStep.of(1, 4).withWeightDecay(0.05)
        }) {
      CriticalLearningRate edge = finder.criticalLearningRate(gram, step);
      assertThat(edge.high() / edge.low()).as("%s", step).isLessThan(2);
      assertThat(longRun(gram, step.withLearningRate(edge.value() * 1.06)))
          .as("%s", step)
          .isEqualTo(Sign.POSITIVE);
      assertThat(longRun(gram, step.withLearningRate(edge.value() * 0.94)))
          .as("%s", step)
          .isNotEqualTo(Sign.POSITIVE);
      assertThat(longRun(gram, step.withLearningRate(edge.high() * 1.05)))
          .as("%s", step)
          .isEqualTo(Sign.POSITIVE);
      assertThat(longRun(gram, step.withLearningRate(edge.low() * 0.95)))
          .as("%s", step)
          .isNotEqualTo(Sign.POSITIVE);
    }
  }

  private static Sign longRun(GramMatrix gram, SgdStep step) {
    return LyapunovEstimator.builder().seed(99).precision(0.1).build().estimate(gram, step).sign();
  }

  @Test
  void theSeedFixesTheSearchWhateverTheThreads() {
    GramMatrix gram = TestGrams.wishart(16, 2, 60, 2);
    EdgeFinder.Builder builder = EdgeFinder.builder().seed(8);
    CriticalLearningRate one =
        builder.threads(1).build().criticalLearningRate(gram, SgdStep.of(1, 4));
    assertThat(builder.threads(3).build().criticalLearningRate(gram, SgdStep.of(1, 4)))
        .isEqualTo(one);
  }

  @Test
  void theCriticalBatchSizeSeparatesStableFromUnstable() {
    GramMatrix gram = TestGrams.powerLaw(40, 1, 1, 9);
    double full = 2 * 40 / GramSpectrum.eigenvaluesOnly(gram).largest();
    SgdStep step = SgdStep.of(0.7 * full, 1);
    int critical = finder.criticalBatchSize(gram, step, 40).orElseThrow();
    assertThat(critical).isBetween(2, 40);
    assertThat(longRun(gram, step.withBatchSize(critical))).isEqualTo(Sign.NEGATIVE);
    assertThat(longRun(gram, step.withBatchSize(critical / 2))).isEqualTo(Sign.POSITIVE);
    assertThat(finder.criticalBatchSize(gram, SgdStep.of(1.1 * full, 1), 40)).isEmpty();
  }

  /** The same network some steps later: every example's features moved by a few per cent. */
  private static GramMatrix changed(double amount, double scale) {
    double[][] f = TestGrams.gaussian(30, 25, 6);
    double[][] noise = TestGrams.gaussian(30, 25, 7);
    for (int i = 0; i < 30; i++) {
      for (int j = 0; j < 25; j++) {
        f[i][j] = (f[i][j] + amount * noise[i][j]) / Math.sqrt(1 + 0.3 * j);
      }
    }
    return GramMatrix.adopt(TestGrams.product(f, scale), 30, 1);
  }

  private static double meanSquareRate(GramMatrix gram, SgdStep step) {
    return MeanSquareStability.of(GramSpectrum.of(gram)).criticalLearningRate(step).low();
  }

  private EdgeTrack track(GramMatrix gram, SgdStep step, Optional<EdgeTrack> before) {
    return finder.track(gram, step, meanSquareRate(gram, step), before);
  }

  @Test
  void aTrackFollowsTheEdgeForLess() {
    SgdStep step = SgdStep.of(1, 5);
    EdgeTrack first = track(changed(0, 1), step, Optional.empty());
    GramMatrix next = changed(0.03, 1.2);
    EdgeTrack cold = track(next, step, Optional.empty());
    EdgeTrack followed = track(next, step, Optional.of(first));
    assertThat(followed.edge().evaluations()).hasSizeLessThan(cold.edge().evaluations().size());
    assertThat(followed.edge().low()).isLessThan(cold.edge().high());
    assertThat(followed.edge().high()).isGreaterThan(cold.edge().low());
    assertThat(followed.edge().value()).isCloseTo(cold.edge().value(), withinPercentage(1.5));
    assertThat(track(next, step, Optional.of(first))).isEqualTo(followed);
  }

  @Test
  void anUnchangedMatrixKeepsItsEdge() {
    SgdStep step = SgdStep.of(1, 5);
    EdgeTrack track = track(changed(0, 1), step, Optional.empty());
    double cold = track.edge().value();
    track = track(changed(0, 1), step, Optional.of(track));
    assertThat(track.edge().value()).isCloseTo(cold, withinPercentage(2.5));
    for (int checkpoint = 0; checkpoint < 3; checkpoint++) {
      double before = track.edge().value();
      track = track(changed(0, 1), step, Optional.of(track));
      assertThat(track.edge().value()).isCloseTo(before, withinPercentage(1));
    }
  }

  @Test
  void aJumpIsSearchedAfresh() {
    SgdStep step = SgdStep.of(1, 5);
    EdgeTrack elsewhere = track(changed(0, 1), step, Optional.empty());
    GramMatrix next = changed(2, 1);
    CriticalLearningRate wrong =
        new CriticalLearningRate(
            2 * elsewhere.edge().value(),
            2 * elsewhere.edge().low(),
            2 * elsewhere.edge().high(),
            false,
            List.of());
    EdgeTrack misleading =
        new EdgeTrack(wrong, step, elsewhere.scale(), true, elsewhere.direction());
    EdgeTrack cold = track(next, step, Optional.empty());
    assertThat(track(next, step, Optional.of(misleading))).isEqualTo(cold);
    EdgeTrack otherBatch = track(changed(0, 1), step.withBatchSize(2), Optional.empty());
    assertThat(track(next, step, Optional.of(otherBatch))).isEqualTo(cold);
  }

  @Test
  void theFullBatchIsTrackedTrivially() {
    GramMatrix gram = changed(0, 1);
    EdgeTrack track = finder.track(gram, SgdStep.of(1, 30), 0, Optional.empty());
    assertThat(track.edge().isExact()).isTrue();
    assertThat(finder.track(gram, SgdStep.of(1, 30), 0, Optional.of(track))).isEqualTo(track);
    assertThat(track(gram, SgdStep.of(1, 5), Optional.of(track)).edge().isExact()).isFalse();
  }

  @Test
  void cancellingEndsTheSearchWherever() {
    GramMatrix gram = TestGrams.wishart(16, 2, 60, 2);
    for (int allowed : new int[] {0, 1, 30, 200, 2000}) {
      AtomicInteger asked = new AtomicInteger();
      EdgeFinder impatient =
          EdgeFinder.builder().cancelled(() -> asked.incrementAndGet() > allowed).build();
      assertThatThrownBy(() -> impatient.criticalLearningRate(gram, SgdStep.of(1, 4)))
          .isInstanceOf(CancellationException.class);
      asked.set(0);
      assertThatThrownBy(() -> impatient.criticalBatchSize(gram, SgdStep.of(0.2, 4), 15))
          .isInstanceOf(CancellationException.class);
    }
  }

  @Test
  void everyKindOfStepHasAnEdgeWhereLongRunsChangeSign() {
    GramMatrix gram = TestGrams.wishart(15, 2, 20, 8); // rank 20 of 30
    for (SgdStep step :
        new SgdStep[] {
          SgdStep.of(1, 4).withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT),
          SgdStep.of(1, 4).withSampling(MiniBatchSampling.ORDERED_EPOCHS),
          SgdStep.of(1, 4).withMomentum(new Momentum.HeavyBall(0.9)),
          SgdStep.of(1, 4).withMomentum(new Momentum.MovingAverage(0.9)),
          SgdStep.of(1, 4).withMomentum(new Momentum.NesterovAverage(0.9)),
          SgdStep.of(1, 4).withL2(0.01)
        }) {
      for (GramMatrix stored : new GramMatrix[] {gram, TestGrams.single(gram)}) {
        CriticalLearningRate edge = finder.criticalLearningRate(stored, step);
        assertThat(edge.high() / edge.low()).as("%s", step).isLessThan(1.1);
        assertThat(longRun(stored, step.withLearningRate(edge.high() * 1.03)))
            .as("%s", step)
            .isEqualTo(Sign.POSITIVE);
        assertThat(longRun(stored, step.withLearningRate(edge.low() * 0.97)))
            .as("%s", step)
            .isNotEqualTo(Sign.POSITIVE);
      }
    }
  }

  @Test
  void aZeroGramHasNoEdge() {
    GramMatrix zero = GramMatrix.of(new double[][] {{0, 0}, {0, 0}}, 2, 1);
    assertThatThrownBy(() -> finder.criticalLearningRate(zero, SgdStep.of(1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nonzero");
  }
}
