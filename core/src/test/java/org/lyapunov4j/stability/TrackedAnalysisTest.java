// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

/** Reports whose critical learning rate follows that of the checkpoint before. */
class TrackedAnalysisTest {
  private static final int EXAMPLES = 40;
  private final StabilityAnalyzer analyzer = StabilityAnalyzer.builder().build();
  private final SgdStep step = SgdStep.of(0.2, 4);

  /** A network in training: its features turn a little from checkpoint to checkpoint. */
  private static GramMatrix at(double time, double scale) {
    double[][] f = TestGrams.gaussian(EXAMPLES, 30, 16);
    double[][] later = TestGrams.gaussian(EXAMPLES, 30, 17);
    for (int i = 0; i < EXAMPLES; i++) {
      for (int j = 0; j < 30; j++) {
        f[i][j] = (Math.cos(time) * f[i][j] + Math.sin(time) * later[i][j]) / (1 + 0.2 * j);
      }
    }
    return GramMatrix.adopt(TestGrams.product(f, scale), EXAMPLES, 1);
  }

  @Test
  void theFirstCheckpointIsAnyOther() {
    GramMatrix gram = at(0, 1);
    StabilityAnalyzer.Tracked<StabilityReport> first = analyzer.track(gram, step, Optional.empty());
    StabilityReport alone = analyzer.analyze(gram, step);
    CriticalLearningRate edge = first.report().criticalLearningRate().orElseThrow();
    CriticalLearningRate other = alone.criticalLearningRate().orElseThrow();
    assertThat(edge.low()).isLessThan(other.high());
    assertThat(edge.high()).isGreaterThan(other.low());
    assertThat(first.report().exponent().sign()).isEqualTo(alone.exponent().sign());
    assertThat(first.track().orElseThrow().edge().value()).isEqualTo(edge.value());
  }

  /**
   * The path is smooth, so that second differences along it are noise, √6 times that of a point.
   */
  @Test
  void theCurveIsAsSmoothAsTheChangeOfTheNetwork() {
    double[] ratios = new double[9];
    Optional<EdgeTrack> track = Optional.empty();
    for (int t = 0; t < ratios.length; t++) {
      StabilityAnalyzer.Tracked<StabilityReport> next =
          analyzer.track(at(0.01 * t, 1), step, track);
      track = next.track();
      ratios[t] = next.report().edgeRatio().orElseThrow();
    }
    double squares = 0;
    int differences = 0;
    // the first search is of another kind
    for (int t = 2; t < ratios.length - 1; t++) {
      squares += Math.pow((ratios[t - 1] - 2 * ratios[t] + ratios[t + 1]) / ratios[t], 2);
      differences++;
    }
    // a twentieth of the width of the interval
    assertThat(Math.sqrt(squares / differences / 6)).isLessThan(1e-3);
  }

  @ParameterizedTest
  @ValueSource(ints = {-300, -7, 0, 5, 400})
  void unitsChangeNoBit(int exponent) {
    EdgeTrack before = analyzer.track(at(0, 1), step, Optional.empty()).track().orElseThrow();
    StabilityAnalyzer.Tracked<StabilityReport> plain =
        analyzer.track(at(0.02, 1), step, Optional.of(before));
    SgdStep other = step.withLearningRate(Math.scalb(step.learningRate(), -exponent));
    double scale = Math.scalb(1.0, exponent);
    EdgeTrack first = analyzer.track(at(0, scale), other, Optional.empty()).track().orElseThrow();
    StabilityAnalyzer.Tracked<StabilityReport> scaled =
        analyzer.track(at(0.02, scale), other, Optional.of(first));
    assertThat(scaled.report().edgeRatio()).isEqualTo(plain.report().edgeRatio());
    assertThat(scaled.report().exponent()).isEqualTo(plain.report().exponent());
  }

  @Test
  void aCheckpointWithoutAnEdgeKeepsTheTrack() {
    Optional<EdgeTrack> track = analyzer.track(at(0, 1), step, Optional.empty()).track();
    StabilityAnalyzer zero = StabilityAnalyzer.builder().build();
    GramMatrix nothing = GramMatrix.adopt(new double[EXAMPLES][EXAMPLES], EXAMPLES, 1);
    assertThat(zero.track(nothing, step, track).track()).isEqualTo(track);
  }

  /** And what λ would cost is not paid: its estimator would have told of its progress. */
  @ParameterizedTest
  @EnumSource(Tier.class)
  void theEdgeAloneIsTheSameEdge(Tier tier) {
    AtomicInteger progress = new AtomicInteger();
    StabilityAnalyzer counting =
        StabilityAnalyzer.builder()
            .tier(tier)
            .maxEpochs(8)
            .progress(part -> progress.incrementAndGet())
            .build();
    Optional<EdgeTrack> before = counting.track(at(0, 1), step, Optional.empty()).track();
    GramMatrix gram = at(0.02, 1);
    progress.set(0);
    StabilityAnalyzer.Tracked<EdgeReport> alone = counting.trackEdge(gram, step, before, 2);
    assertThat(progress).hasValue(0);
    StabilityAnalyzer.Tracked<StabilityReport> whole = counting.track(gram, step, before);
    assertThat(progress).hasPositiveValue();
    assertThat(alone.track()).isEqualTo(whole.track());
    EdgeReport edge = alone.report();
    StabilityReport report = whole.report();
    assertThat(edge.sharpness()).isEqualTo(report.sharpness());
    assertThat(edge.classicEdgeRatio()).isEqualTo(report.classicEdgeRatio());
    assertThat(edge.criticalLearningRate()).isEqualTo(report.criticalLearningRate());
    assertThat(edge.criticalLearningRate().isPresent()).isEqualTo(tier != Tier.ECONOMY);
    assertThat(edge.factor()).isEqualTo(2);
  }

  @Test
  void aGaugeNeedsAFactorAboveOne() {
    assertThatThrownBy(() -> analyzer.trackEdge(at(0, 1), step, Optional.empty(), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("above 1, got 1.0");
  }
}
