// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.EdgeTrend;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

class EdgeFileTest {
  @TempDir private Path folder;

  @Test
  void aTrackComesBackToTheLastBit() throws IOException {
    EdgeFile file = new EdgeFile(folder.resolve("run.jsonl"));
    assertThat(file.read()).isEmpty();
    for (Momentum momentum :
        List.of(
            Momentum.NONE,
            new Momentum.HeavyBall(0.9),
            new Momentum.Nesterov(0.1),
            new Momentum.MovingAverage(1.0 / 3),
            new Momentum.NesterovAverage(0.9))) {
      SgdStep step =
          new SgdStep(0.7, 4, MiniBatchSampling.SHUFFLED_EPOCHS, momentum, 0.1, 0.2, true, 0.3);
      CriticalLearningRate edge =
          new CriticalLearningRate(1.0 / 3, 0.3, Double.POSITIVE_INFINITY, false, List.of());
      CriticalLearningRate finite = new CriticalLearningRate(0.3, 0.3, 0.3, true, List.of());
      Tangent direction = Tangent.of(new double[] {Math.PI, -0.0, Double.MIN_VALUE});
      EdgeTrack track = new EdgeTrack(edge, step, Math.E, true, Optional.of(direction));
      EdgeTrend trend = EdgeTrend.NONE.with(3, step, finite).with(7, step, finite);
      for (EdgeState state :
          List.of(new EdgeState(track, trend), new EdgeState(track, EdgeTrend.NONE))) {
        file.write(state);
        assertThat(file.read()).contains(state);
      }
    }
  }
}
