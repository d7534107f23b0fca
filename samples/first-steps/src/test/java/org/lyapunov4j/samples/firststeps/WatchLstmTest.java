// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;

class WatchLstmTest {
  @Test
  void aSeriesOfSixStepsHasSixRows() {
    List<Checkpoint> checkpoints = WatchLstm.run();
    assertThat(checkpoints).extracting(Checkpoint::iteration).containsExactly(0, 100, 200);
    assertThat(checkpoints.get(2).loss()).isLessThan(checkpoints.get(0).loss());
    assertThat(checkpoints)
        .allSatisfy(
            checkpoint -> {
              assertThat(checkpoint.stability().examples()).isEqualTo(24);
              assertThat(checkpoint.stability().outputs()).isEqualTo(6);
              assertThat(checkpoint.step().toString()).startsWith("EXACT");
            });
  }
}
