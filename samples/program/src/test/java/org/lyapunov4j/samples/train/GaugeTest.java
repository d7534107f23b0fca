// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GaugeTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "0;      [                |    ]",
        "0.5;    [████████        |    ]",
        "0.5078; [████████▏       |    ]",
        "1;      [████████████████|    ]",
        "1.125;  [████████████████|██  ]",
        "7;      [████████████████|████]",
        "-1;     [                |    ]",
      })
  void theMarkIsAtOne(double ratio, String bar) {
    assertThat(Gauge.of(ratio)).isEqualTo(bar);
  }
}
