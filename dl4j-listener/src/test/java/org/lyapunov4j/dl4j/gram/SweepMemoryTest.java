// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SweepMemoryTest {
  @ParameterizedTest
  @CsvSource({
    "1000, 200, 600",
    "1000, 0, 750",
    "1000, 1000, 0",
    "1000, 1200, 0",
    "9223372036854775807, 0, 6917529027641081853",
    "0, 200, 9223372036854775807"
  })
  void aQuarterOfWhatIsLeftStaysForTraining(long limit, long taken, long share) {
    assertThat(SweepMemory.share(limit, taken)).isEqualTo(share);
  }
}
