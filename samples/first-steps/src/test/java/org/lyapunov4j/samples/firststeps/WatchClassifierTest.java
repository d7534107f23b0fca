// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;

class WatchClassifierTest {
  @Test
  void theEdgeRatioIsThere() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    List<Checkpoint> checkpoints = WatchClassifier.run(registry);
    assertThat(checkpoints).extracting(Checkpoint::iteration).containsExactly(0, 100, 200);
    assertThat(checkpoints.get(2).loss()).isLessThan(checkpoints.get(0).loss());
    assertThat(registry.get("lyapunov.edge.ratio").gauge().value()).isBetween(0.0, 1.0);
  }
}
