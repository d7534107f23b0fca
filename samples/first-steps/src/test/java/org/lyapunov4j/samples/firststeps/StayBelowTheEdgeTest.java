// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.Verdict;

class StayBelowTheEdgeTest {
  @Test
  void theRateIsLoweredOnceAndTrainingIsStable() {
    List<Checkpoint> checkpoints = StayBelowTheEdge.run();
    assertThat(checkpoints.get(0).verdict().orElseThrow().kind()).isEqualTo(Verdict.Kind.UNSTABLE);
    assertThat(checkpoints.get(0).step().sgd().learningRate()).isEqualTo(0.5);
    assertThat(checkpoints.subList(1, checkpoints.size()))
        .allSatisfy(
            checkpoint -> {
              assertThat(checkpoint.step().sgd().learningRate()).isLessThan(0.5);
              assertThat(checkpoint.verdict().orElseThrow().kind()).isEqualTo(Verdict.Kind.STABLE);
            });
  }
}
