// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.Verdict;

class WatchGraphTest {
  @Test
  void adamWarmsUpAndIsApproximated() {
    List<Checkpoint> checkpoints = WatchGraph.run();
    assertThat(checkpoints).extracting(Checkpoint::iteration).containsExactly(0, 100, 200, 300);
    assertThat(checkpoints.get(3).loss()).isLessThan(0.01 * checkpoints.get(0).loss());
    assertThat(checkpoints.get(0).verdict().orElseThrow().kind())
        .isEqualTo(Verdict.Kind.WARMING_UP);
    assertThat(checkpoints.get(1).step().toString()).startsWith("APPROXIMATE");
  }
}
