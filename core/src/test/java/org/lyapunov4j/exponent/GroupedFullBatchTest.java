// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.SgdStep;

/** The full-batch step of groups against all eigenvalues of its dense matrix on the parameters. */
class GroupedFullBatchTest {
  private static final Momentum NONE = Momentum.NONE;

  /** Two or three groups whose parameters all have an effect, and decays of their own. */
  static Stream<List<ParameterGroup>> decays() {
    Momentum nesterov = new Momentum.Nesterov(0.9);
    Momentum heavy = new Momentum.HeavyBall(0.8);
    Momentum average = new Momentum.MovingAverage(0.9);
    return Stream.of(
        List.of(new ParameterGroup(NONE, 1e-3, 0), new ParameterGroup(NONE, 0, 0)),
        List.of(new ParameterGroup(NONE, 0, 0), new ParameterGroup(NONE, 0, 0.05)),
        List.of(new ParameterGroup(NONE, 0.02, 0.01), new ParameterGroup(NONE, 0.001, 0)),
        List.of(
            new ParameterGroup(NONE, 0.02, 0),
            new ParameterGroup(NONE, 0, 0),
            new ParameterGroup(NONE, 0.001, 0.2)),
        List.of(new ParameterGroup(nesterov, 1e-3, 0), new ParameterGroup(nesterov, 0, 0)),
        List.of(new ParameterGroup(heavy, 0, 1e-2), new ParameterGroup(NONE, 0, 0)),
        List.of(new ParameterGroup(average, 0, 1e-2), new ParameterGroup(nesterov, 0.03, 0)));
  }

  private static GroupedProduct product(int groups) {
    return groups == 2
        ? GroupedProduct.of(4, 2, 5, new int[] {6, 5}, 1, 0.7)
        : GroupedProduct.of(4, 2, 5, new int[] {6, 3, 4}, 1, 0.7, 0.5);
  }

  @ParameterizedTest
  @MethodSource("decays")
  void theExponentIsThatOfTheLargestEigenvalue(List<ParameterGroup> groups) {
    GroupedProduct product = product(groups.size());
    GroupedGram gram = product.gram();
    for (double rate : new double[] {0.01, 0.1, 0.3, 1, 3}) {
      GroupedStep step = new GroupedStep(SgdStep.of(rate, 4), groups);
      double truth = Math.log(product.fullBatchModuli(step).get(0));
      LyapunovExponent found = GroupedFullBatch.of(gram, step).exponent();
      assertThat(found.low()).as("rate %s", rate).isLessThanOrEqualTo(truth + 1e-10);
      assertThat(found.high()).as("rate %s", rate).isGreaterThanOrEqualTo(truth - 1e-10);
      if (found instanceof ExactExponent) {
        assertThat(found.low()).isCloseTo(truth, within(1e-9 * Math.abs(truth) + 1e-10));
      } else {
        assertThat(truth).isLessThan(-0.04); // all of it oscillates
      }
    }
  }

  @ParameterizedTest
  @MethodSource("decays")
  void theEdgeIsWhereAnEigenvalueLeavesTheUnitCircle(List<ParameterGroup> groups) {
    GroupedProduct product = product(groups.size());
    GroupedGram gram = product.gram();
    GroupedStep step = new GroupedStep(SgdStep.of(1, 4), groups);
    double rate = GroupedFullBatch.criticalLearningRate(gram, step);
    GroupedStep at = step.withLearningRate(rate);
    assertThat(GroupedFullBatch.edgeRatio(gram, at)).isCloseTo(1, within(1e-11));
    assertThat(product.fullBatchModuli(step.withLearningRate(rate * (1 + 1e-7))).get(0))
        .isGreaterThan(1);
    assertThat(product.fullBatchModuli(step.withLearningRate(rate * (1 - 1e-7))).get(0))
        .isLessThan(1);
  }

  static Stream<List<ParameterGroup>> memories() {
    return Stream.of(new Momentum.Nesterov(0.9), new Momentum.MovingAverage(0.5))
        .map(other -> List.of(new ParameterGroup(NONE, 0, 0), new ParameterGroup(other, 0, 0)));
  }

  @ParameterizedTest
  @MethodSource("memories")
  void memoriesThatDifferAreOneClassOfPositions(List<ParameterGroup> groups) {
    GroupedProduct product = GroupedProduct.of(4, 2, 5, new int[] {4, 3}, 1, 0.7);
    GroupedGram gram = product.gram();
    for (double rate : new double[] {0.01, 0.1, 0.5, 5}) {
      GroupedStep step = new GroupedStep(SgdStep.of(rate, 4), groups);
      double truth = Math.log(product.fullBatchModuli(step).get(0));
      LyapunovExponent found = GroupedFullBatch.of(gram, step).exponent();
      assertThat(found.low()).isLessThanOrEqualTo(truth + 1e-10);
      assertThat(found.high()).isGreaterThanOrEqualTo(truth - 1e-10);
      assertThat(found instanceof ExactExponent || truth < -0.04).isTrue();
    }
    double edge =
        GroupedFullBatch.criticalLearningRate(gram, new GroupedStep(SgdStep.of(1, 4), groups));
    for (double by : new double[] {-1e-7, 1e-7}) {
      GroupedStep beside = new GroupedStep(SgdStep.of(edge * (1 + by), 4), groups);
      assertThat(Math.log(product.fullBatchModuli(beside).get(0)) * by).isPositive();
    }
  }

  /** With more parameters than outputs some directions stand still: they are no exponent. */
  @ParameterizedTest
  @MethodSource("memories")
  void directionsWithoutEffectAreLeftOut(List<ParameterGroup> groups) {
    GroupedProduct product = GroupedProduct.of(3, 1, 5, new int[] {4, 3}, 1, 0.7);
    GroupedStep step = new GroupedStep(SgdStep.of(0.05, 3), groups);
    LyapunovExponent found = GroupedFullBatch.of(product.gram(), step).exponent();
    double[] state = new double[2 * product.parameters()];
    Arrays.fill(state, 0, product.parameters(), 1);
    int[] all = {0, 1, 2};
    double[] logs = new double[2];
    for (int t = 0; t < 1000; t++) {
      state = product.apply(step, all, 3, state);
      if (t == 499 || t == 999) {
        double squares = Arrays.stream(product.outputs(state)).map(x -> x * x).sum();
        logs[t / 500] = 0.5 * Math.log(squares);
      }
    }
    assertThat(found).isInstanceOf(ExactExponent.class);
    assertThat(found.low()).isCloseTo((logs[1] - logs[0]) / 500, withinPercentage(0.01));
  }

  @Test
  void refusesGroupsWithoutTheirParts() {
    GroupedGram gram = product(2).gram();
    GroupedStep step = new GroupedStep(SgdStep.of(1, 4), List.of(new ParameterGroup(NONE, 0.1, 0)));
    assertThatThrownBy(() -> GroupedFullBatch.of(gram, step))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 2 for 1");
  }
}
