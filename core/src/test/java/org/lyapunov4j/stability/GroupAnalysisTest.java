// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.exponent.GroupedFullBatch;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.SgdStep;

/** Reports on steps of groups. */
class GroupAnalysisTest {
  private static final int EXAMPLES = 20;
  private static final Momentum NESTEROV = new Momentum.Nesterov(0.9);

  private static GroupedGram gram() {
    GramMatrix biases = TestGrams.wishart(EXAMPLES, 2, 9, 4);
    return GroupedGram.of(
        List.of(
            TestGrams.powerLaw(EXAMPLES, 2, 1, 3), GramMatrix.weightedSum(List.of(biases), 0.1)));
  }

  private static GroupedStep decaying(SgdStep step, double l2) {
    return new GroupedStep(
        step,
        List.of(new ParameterGroup(Momentum.NONE, l2, 0), new ParameterGroup(Momentum.NONE, 0, 0)));
  }

  private static StabilityAnalyzer analyzer(Tier tier, int threads) {
    return StabilityAnalyzer.builder().seed(3).tier(tier).threads(threads).build();
  }

  /** λ of a stable step is the creep, not the decay, and the edge is that of the common decay. */
  @ParameterizedTest
  @EnumSource(Tier.class)
  void tellsTheCreepOfWhatDoesNotDecay(Tier tier) {
    GroupedGram gram = gram();
    double edge = 2 * EXAMPLES / LargestEigenpair.of(gram.whole()).value();
    double l2 = 1e-5 / edge;
    for (int batch : new int[] {2, EXAMPLES}) {
      GroupedStep step = decaying(SgdStep.of(0.05 * edge, batch), l2);
      StabilityReport report = analyzer(tier, 2).analyze(gram, step);
      double decay = step.common().learningRate() * l2;
      assertThat(report.verdict().kind()).isEqualTo(Verdict.Kind.STABLE);
      assertThat(report.exponent().high()).isLessThanOrEqualTo(0);
      assertThat(report.exponent().low()).isGreaterThan(-decay);
      assertThat(report.gdExponent().low()).isGreaterThan(-decay);
      assertThat(report.meanSquare()).isEmpty();
      assertThat(report.classicEdgeRatio()).isCloseTo(0.05, within(1e-6));
      StabilityReport plain = analyzer(tier, 2).analyze(gram.whole(), step.common());
      if (tier != Tier.ECONOMY) {
        // the plain search knows η_ms and sweeps more often
        double found = report.criticalLearningRate().orElseThrow().value();
        assertThat(plain.criticalLearningRate().orElseThrow().value())
            .isCloseTo(found, within(2e-3 * found));
      }
      assertThat(report.remarks())
          .anyMatch(remark -> remark.startsWith("mean-square stability is not known for groups"));
    }
  }

  /** Where the spread of the decay or of memories is wide, the groups are searched themselves. */
  @Test
  void theEdgeIsWhereTheExponentOfTheGroupsChangesSign() {
    GroupedGram gram = gram();
    for (List<ParameterGroup> groups :
        List.of(
            List.of(
                new ParameterGroup(Momentum.NONE, 0.05, 0),
                new ParameterGroup(Momentum.NONE, 0, 0)),
            List.of(new ParameterGroup(NESTEROV, 0, 0), new ParameterGroup(Momentum.NONE, 0, 0)))) {
      GroupedStep step = new GroupedStep(SgdStep.of(0.01, 2), groups);
      CriticalLearningRate edge =
          analyzer(Tier.STANDARD, 2).analyze(gram, step).criticalLearningRate().orElseThrow();
      assertThat(edge.high()).isLessThan(1.15 * edge.low());
      LyapunovEstimator estimator = LyapunovEstimator.builder().seed(8).build();
      GroupedStep beyond = step.withLearningRate(1.1 * edge.high());
      assertThat(exponent(estimator, gram, beyond).sign()).isEqualTo(Sign.POSITIVE);
      GroupedStep below = step.withLearningRate(0.8 * edge.low());
      assertThat(exponent(estimator, gram, below).sign()).isNotEqualTo(Sign.POSITIVE);
    }
  }

  private static LyapunovExponent exponent(
      LyapunovEstimator estimator, GroupedGram gram, GroupedStep step) {
    return estimator.estimate(gram, step, GroupedFullBatch.of(gram, step), Sign.UNDECIDED, false);
  }

  /** To the last bit, as for one step. */
  @Test
  void unitsAndThreadsChangeNothing() {
    GroupedGram gram = gram();
    GroupedStep step =
        new GroupedStep(
            SgdStep.of(0.05, 2),
            List.of(
                new ParameterGroup(NESTEROV, 0.01, 0), new ParameterGroup(Momentum.NONE, 0, 0)));
    StabilityReport report = analyzer(Tier.STANDARD, 1).analyze(gram, step);
    assertThat(analyzer(Tier.STANDARD, 2).analyze(gram, step)).isEqualTo(report);
    GroupedGram large =
        GroupedGram.of(
            gram.parts().stream()
                .map(part -> GramMatrix.weightedSum(List.of(part), 0x1p40))
                .toList());
    StabilityReport other = analyzer(Tier.STANDARD, 2).analyze(large, step.scaled(-40));
    assertThat(other.exponent()).isEqualTo(report.exponent());
    assertThat(other.gdExponent()).isEqualTo(report.gdExponent());
    assertThat(other.classicEdgeRatio()).isEqualTo(report.classicEdgeRatio());
    assertThat(other.edgeRatio()).isEqualTo(report.edgeRatio());
    assertThat(other.verdict().kind()).isEqualTo(report.verdict().kind());
  }

  /** A group without any effect on the outputs is none. */
  @Test
  void groupsWithoutEffectAreLeftOut() {
    GramMatrix whole = TestGrams.powerLaw(EXAMPLES, 1, 1, 3);
    GramMatrix zero = GramMatrix.of(new double[EXAMPLES][EXAMPLES], EXAMPLES, 1);
    GroupedStep step = decaying(SgdStep.of(0.01, 2), 0.1);
    GroupedGram gram = new GroupedGram(whole, List.of(whole, zero));
    assertThat(analyzer(Tier.STANDARD, 2).analyze(gram, step))
        .isEqualTo(analyzer(Tier.STANDARD, 2).analyze(whole, step.of(0)));
    assertThat(analyzer(Tier.STANDARD, 2).track(gram, step, Optional.empty()).track()).isPresent();
  }

  @Test
  void aRateOfZeroMovesNothing() {
    StabilityReport report =
        analyzer(Tier.STANDARD, 2).analyze(gram(), decaying(SgdStep.of(0, 2), 0.1));
    assertThat(report.exponent().point()).hasValue(0);
    assertThat(report.classicEdgeRatio()).isZero();
  }
}
