// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.hipparchus.stat.inference.ChiSquareTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MiniBatchSamplerTest {
  @Test
  void anEpochHoldsEveryExampleOnceAndItsLastBatchIsSmaller() {
    MiniBatchSampler sampler = sampler(10, 4, MiniBatchSampling.SHUFFLED_EPOCHS);
    int[] batch = new int[4];
    for (int epoch = 0; epoch < 5; epoch++) {
      int[] seen = new int[10];
      int[] sizes = new int[sampler.stepsPerEpoch()];
      for (int s = 0; s < sizes.length; s++) {
        sizes[s] = sampler.next(batch);
        for (int i = 0; i < sizes[s]; i++) {
          seen[batch[i]]++;
        }
      }
      assertThat(sizes).containsExactly(4, 4, 2);
      assertThat(seen).containsOnly(1);
    }
  }

  @Test
  void orderedEpochsNeverChange() {
    MiniBatchSampler sampler = sampler(5, 2, MiniBatchSampling.ORDERED_EPOCHS);
    int[] batch = new int[2];
    for (int epoch = 0; epoch < 3; epoch++) {
      assertThat(sampler.next(batch)).isEqualTo(2);
      assertThat(batch).containsExactly(0, 1);
      assertThat(sampler.next(batch)).isEqualTo(2);
      assertThat(batch).containsExactly(2, 3);
      assertThat(sampler.next(batch)).isEqualTo(1);
      assertThat(batch[0]).isEqualTo(4);
    }
  }

  /**
   * All C(5, 2) subsets, all 5² draws, and the pairs that open a shuffled epoch are equally likely.
   */
  @ParameterizedTest
  @EnumSource(names = {"IID_SUBSETS", "IID_WITH_REPLACEMENT", "SHUFFLED_EPOCHS"})
  void batchesAreUniform(MiniBatchSampling sampling) {
    MiniBatchSampler sampler = sampler(5, 2, sampling);
    long[] counts = new long[25];
    int[] batch = new int[2];
    for (int draw = 0; draw < 60_000; draw++) {
      int size = sampler.next(batch);
      if (size == 2) {
        counts[batch[0] * 5 + batch[1]]++;
      }
    }
    long[] possible =
        sampling == MiniBatchSampling.IID_WITH_REPLACEMENT
            ? counts
            : Arrays.stream(counts).filter(c -> c > 0).toArray();
    assertThat(possible).hasSize(sampling == MiniBatchSampling.IID_WITH_REPLACEMENT ? 25 : 20);
    double[] uniform = new double[possible.length];
    Arrays.fill(uniform, 1);
    assertThat(new ChiSquareTest().chiSquareTest(uniform, possible)).isGreaterThan(1e-3);
  }

  @Test
  void namesRoundTripAndUnknownOnesAreRefused() {
    for (MiniBatchSampling sampling : MiniBatchSampling.values()) {
      assertThat(MiniBatchSampling.fromId(sampling.id())).isEqualTo(sampling);
    }
    assertThatThrownBy(() -> MiniBatchSampling.fromId("bootstrap"))
        .hasMessage("sampling must be one of iid, iid-replacement, epoch, ordered; got bootstrap");
  }

  @Test
  void aBatchBeyondTheExamplesIsRefused() {
    assertThatThrownBy(() -> sampler(3, 4, MiniBatchSampling.IID_SUBSETS))
        .hasMessageContaining("number of examples 3, got 4");
  }

  private static MiniBatchSampler sampler(int examples, int size, MiniBatchSampling sampling) {
    return new MiniBatchSampler(examples, size, sampling, new RandomStream(3));
  }
}
