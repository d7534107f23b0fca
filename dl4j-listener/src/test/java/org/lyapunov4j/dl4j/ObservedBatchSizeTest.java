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

  @Test
  void anEpochSeenWholeIsDescribed() {
    observed.startEpoch();
    record(128, 128, 128, 5);
    assertThat(observed.epoch()).isEmpty();
    assertThat(observed.describe()).isEqualTo("mini-batches seen were of 5 to 128");
    observed.endEpoch();
    assertThat(observed.epoch()).contains(new ObservedBatchSize.Epoch(389, 4, 128, 128, 5));
    assertThat(observed.describe())
        .isEqualTo("training saw 389 examples an epoch in 4 mini-batches of 128, the last of 5");
  }

  @Test
  void aNewEpochTakesThePlaceOfTheOld() {
    epoch(8, 8);
    assertThat(observed.describe())
        .isEqualTo("training saw 16 examples an epoch in 2 mini-batches of 8");
    epoch(4, 16, 8, 16);
    assertThat(observed.describe())
        .isEqualTo("training saw 44 examples an epoch in 4 mini-batches of 4 to 16");
    epoch(50);
    assertThat(observed.describe())
        .isEqualTo("training saw 50 examples an epoch in one mini-batch");
  }

  @Test
  void anEpochWhoseStartWasMissedTellsNothing() {
    record(8, 8);
    observed.endEpoch();
    assertThat(observed.epoch()).isEmpty();
    assertThat(observed.describe()).isEqualTo("mini-batches seen were of 8");
  }

  private void epoch(int... sizes) {
    observed.startEpoch();
    record(sizes);
    observed.endEpoch();
  }

  private void record(int... sizes) {
    for (int size : sizes) {
      observed.record(size);
    }
  }
}
