// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
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

  /** A deadline that is over after so many questions. */
  private static Deadline after(int questions) {
    AtomicInteger asked = new AtomicInteger();
    return new Deadline(() -> asked.incrementAndGet() == questions);
  }

  private TrajectoryExponent.Window last(Deadline deadline, int... iterations) {
    TrajectoryTracker tracker =
        new TrajectoryTracker(
            3,
            TrajectoryExponent.Curvature.HESSIAN,
            null,
            new ObservedBatches(data.getFeatures()),
            deadline);
    TrajectoryExponent.Window window = null;
    tracker.prepare(network, data.toMultiDataSet());
    try (NtkGram ntk = NtkGram.builder(network).probe(data.toMultiDataSet()).build()) {
      for (int iteration : iterations) {
        try (Snapshot snapshot = snapshot(Math.abs(iteration))) {
          var gram = ntk.compute(snapshot.parameters()).gram();
          if (iteration < 0) {
            assertThatThrownBy(() -> tracker.observe(snapshot, gram, ntk))
                .isInstanceOf(CancellationException.class);
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
        List.of(),
        Networks.nearby(network.params(), 1e-3 * iteration, new RandomStream(iteration)));
  }

  /** It used to leave the vector halfway, and the iterations of the window were counted twice. */
  @Test
  void aWindowThatIsCutShortIsTakenWithTheNextOne() {
    TrajectoryExponent.Window whole = last(after(Integer.MAX_VALUE), 0, 10, 30);
    assertThat(last(after(17), 0, 10, -20, 30)).isEqualTo(whole);
    assertThat(last(after(5), 0, -10, 30)).isEqualTo(last(after(Integer.MAX_VALUE), 0, 30));
    assertThat(whole.steps()).isEqualTo(20);
    assertThat(whole.cumulativeSteps()).isEqualTo(30);
  }
}
