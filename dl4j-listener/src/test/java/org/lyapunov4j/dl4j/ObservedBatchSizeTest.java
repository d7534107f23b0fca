// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ObservedBatchSizeTest {
  private final ObservedBatchSize observed = new ObservedBatchSize();

  @Test
  void theLastBatchOfAnEpochDoesNotCount() {
    for (int epoch = 0; epoch < 3; epoch++) {
      record(32, 32, 5);
    }
    assertThat(observed.get()).isEqualTo(32);
  }

  @Test
  void ofEquallyFrequentSizesTheLargerCounts() {
    record(5, 32, 5, 32);
    assertThat(observed.get()).isEqualTo(32);
  }

  @Test
  void aChangeOfSizeIsFollowed() {
    for (int i = 0; i < 100; i++) {
      record(64);
    }
    for (int i = 0; i < 17; i++) {
      record(8);
    }
    assertThat(observed.get()).isEqualTo(8);
  }

  private void record(int... sizes) {
    for (int size : sizes) {
      observed.record(size);
    }
  }
}
