// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** Windows that do not come to their end. */
class TrajectoryTrackerTest {
  private final DataSet data = Networks.data(5, 8, 3, 2, DataType.DOUBLE);
  private final MultiLayerNetwork network =
      Networks.regression(Networks.configuration(new Sgd(0.05), DataType.DOUBLE), 3, 4, 2);

  /** The last window; at negative iterations a window fails halfway, for a batch that cannot be. */
  private TrajectoryExponent.Window last(int... iterations) {
    ObservedBatches batches = new ObservedBatches(data.getFeatures());
    TrajectoryTracker tracker =
        new TrajectoryTracker(3, TrajectoryExponent.Curvature.GAUSS_NEWTON, null, batches);
    TrajectoryExponent.Window window = null;
    tracker.prepare(network, data.toMultiDataSet());
    try (NtkGram ntk = NtkGram.builder(network).probe(data.toMultiDataSet()).build()) {
      for (int iteration : iterations) {
        try (Snapshot snapshot = snapshot(Math.abs(iteration))) {
          var gram = ntk.compute(snapshot.parameters()).gram();
          int halfway = Math.abs(iteration) - 3;
          batches.restore(Map.of(halfway, new int[] {iteration < 0 ? 99 : 1}));
          if (iteration < 0) {
            assertThatThrownBy(() -> tracker.observe(snapshot, gram, ntk))
                .isInstanceOf(IndexOutOfBoundsException.class);
            batches.restore(Map.of(halfway, new int[] {1}));
          } else {
            window = tracker.observe(snapshot, gram, ntk).orElse(null);
          }
        }
      }
    }
    tracker.close();
    return window;
  }

  private Snapshot snapshot(int iteration) {
    return new Snapshot(
        iteration,
        0,
        Instant.EPOCH,
        0,
        Tier.ECONOMY,
        new TrainingStep(SgdStep.of(0.05, 2), List.of()),
        null,
        null,
        null,
        List.of(),
        Networks.nearby(network.params(), 1e-3 * iteration, new RandomStream(iteration)),
        null);
  }

  /** It would leave the vector halfway, and count the iterations of the window twice. */
  @Test
  void aWindowThatIsCutShortIsTakenWithTheNextOne() {
    assertThat(last(0, -10, 10)).isEqualTo(last(0, 10));
    assertThat(last(0, 10, -30, 30)).isEqualTo(last(0, 10, 30));
    assertThat(last(0, 10, 30).steps()).isEqualTo(20);
    assertThat(last(0, 10, 30).cumulativeSteps()).isEqualTo(30);
    assertThat(last(0, 10, 30).drawn()).isEqualTo(1);
  }
}
