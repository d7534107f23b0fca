// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SparklineTest {
  @Test
  void mapsTheScaleToBlocks() {
    assertThat(Sparkline.of(List.of(0.0, 0.5, 0.99, 1.0, 7.0, -1.0), 1, 10)).isEqualTo("▁▅███▁");
  }

  @Test
  void keepsTheLatestAndSkipsWhatIsUndefined() {
    assertThat(Sparkline.of(List.of(0.0, Double.NaN, 1.0), 1, 2)).isEqualTo(" █");
  }
}
