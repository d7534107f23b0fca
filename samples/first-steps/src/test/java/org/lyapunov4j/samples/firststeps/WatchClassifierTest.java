// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;

class WatchClassifierTest {
  @Test
  void theEdgeRatioIsThere() {
    List<Checkpoint> checkpoints = WatchClassifier.run();
    assertThat(checkpoints).extracting(Checkpoint::iteration).containsExactly(0, 100, 200);
    assertThat(checkpoints.get(2).loss()).isLessThan(checkpoints.get(0).loss());
    assertThat(checkpoints.get(2).toString()).contains("η/η_c = 0.");
  }
}
