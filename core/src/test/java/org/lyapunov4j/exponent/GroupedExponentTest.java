// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** Grouped cocycles and λ against products of dense matrices on the parameters. */
class GroupedExponentTest {
  private static final Momentum NONE = Momentum.NONE;
  private static final Momentum NESTEROV = new Momentum.Nesterov(0.9);

  static Stream<List<ParameterGroup>> groups() {
    return Stream.of(
        List.of(new ParameterGroup(NONE, 0.03, 0), new ParameterGroup(NONE, 0, 0)),
        List.of(new ParameterGroup(NONE, 0, 0.1), new ParameterGroup(NONE, 0.01, 0.02)),
        List.of(new ParameterGroup(NESTEROV, 0.003, 0), new ParameterGroup(NESTEROV, 0, 0)),
        List.of(new ParameterGroup(NESTEROV, 0, 0), new ParameterGroup(NONE, 0, 0)),
        List.of(new ParameterGroup(NESTEROV, 0, 0.01), new ParameterGroup(NONE, 0, 0.01)),
        List.of(
            new ParameterGroup(new Momentum.MovingAverage(0.9), 0, 0),
            new ParameterGroup(NONE, 0.05, 0)),
        List.of(
            new ParameterGroup(NESTEROV, 0.01, 0),
            new ParameterGroup(NESTEROV, 0, 0),
            new ParameterGroup(new Momentum.HeavyBall(0.5), 0, 0)));
  }

  private static GroupedProduct product(int groups) {
    return groups == 2
        ? GroupedProduct.of(4, 2, 5, new int[] {6, 5}, 1, 0.7)
        : GroupedProduct.of(4, 2, 5, new int[] {6, 3, 4}, 1, 0.7, 0.5);
  }

  /** The same batches, the same start Jᵀw: the outputs move as those of the dense product. */
  @ParameterizedTest
  @MethodSource("groups")
  void residualsMoveAsTheOutputsDo(List<ParameterGroup> groups) {
    GroupedProduct product = product(groups.size());
    for (int size : new int[] {1, 3, 4}) {
      GroupedStep step = new GroupedStep(SgdStep.of(0.3, size), groups);
      GroupedCocycle cocycle = new GroupedCocycle(product.gram(), step);
      double[] w = new RandomStream(4).gaussians(8);
      assertThat(cocycle.start(w)).isTrue();
      double[] state = product.state(w);
      MiniBatchSampler sampler =
          new MiniBatchSampler(4, size, MiniBatchSampling.IID_SUBSETS, new RandomStream(8));
      int[] batch = new int[size];
      for (int t = 0; t < 40; t++) {
        sampler.next(batch);
        cocycle.apply(batch, size);
        state = product.apply(step, batch, size, state);
        if (t % 7 == 0) {
          cocycle.normalise();
        }
      }
      double[] truth = unit(product.outputs(state));
      double[] found = unit(cocycle.residual());
      for (int i = 0; i < truth.length; i++) {
        assertThat(found[i]).isCloseTo(truth[i], within(1e-10));
      }
    }
  }

  /** Below, at and above the edge, with directions that have no effect left out. */
  @ParameterizedTest
  @MethodSource("groups")
  void theExponentIsThatOfTheDenseProduct(List<ParameterGroup> groups) {
    GroupedProduct product = product(groups.size());
    GroupedGram gram = product.gram();
    GroupedStep any = new GroupedStep(SgdStep.of(1, 1), groups);
    double edge = GroupedFullBatch.criticalLearningRate(gram, any);
    for (double share : new double[] {0.05, 1.2}) {
      for (int size : new int[] {1, 2}) {
        GroupedStep step =
            new GroupedStep(SgdStep.of(share * edge * Math.sqrt(size / 4.0), size), groups);
        double[] truth = product.exponent(step, 60_000, 3);
        LyapunovExponent found =
            LyapunovEstimator.builder()
                .seed(2)
                .build()
                .estimate(gram, step, GroupedFullBatch.of(gram, step), Sign.UNDECIDED, false);
        assertThat(found.low()).isLessThan(truth[0] + 3 * truth[1]);
        assertThat(found.high()).isGreaterThan(truth[0] - 3 * truth[1]);
        boolean oscillates = GroupedFullBatch.of(gram, step).slowest().isEmpty();
        assertThat(oscillates && share < 1).isFalse();
        if (oscillates) {
          continue; // no slow direction to measure along
        }
        assertThat(found.high() - found.low())
            .as("%s at %s, B = %s: %s beside %s", groups, share, size, found, truth[0])
            .isLessThan(0.2 * Math.abs(truth[0]) + 6 * truth[1]);
      }
    }
  }

  @Test
  void theNumberOfThreadsChangesNothing() {
    GroupedProduct product = product(2);
    List<ParameterGroup> groups =
        List.of(new ParameterGroup(NESTEROV, 0.01, 0), new ParameterGroup(NONE, 0, 0));
    GroupedStep step = new GroupedStep(SgdStep.of(0.3, 2), groups);
    GroupedFullBatch mean = GroupedFullBatch.of(product.gram(), step);
    LyapunovExponent[] found = new LyapunovExponent[2];
    for (int threads = 1; threads <= 2; threads++) {
      found[threads - 1] =
          LyapunovEstimator.builder()
              .threads(threads)
              .build()
              .estimate(product.gram(), step, mean, Sign.UNDECIDED, false);
    }
    assertThat(found[0]).isEqualTo(found[1]);
  }

  private static double[] unit(double[] x) {
    double norm = Math.sqrt(Arrays.stream(x).map(v -> v * v).sum());
    return Arrays.stream(x).map(v -> v / norm).toArray();
  }
}
