// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.stability.Verdict;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.RmsProp;

/** The first steps of adaptive updaters, which alarmed: λ = +2.2 with Adam, +6.8 with Nadam. */
class WarmUpOfARunTest {
  private final DataSet data = Networks.data(5, 24, 3, 2, DataType.DOUBLE);

  @TempDir private Path folder;

  static Stream<IUpdater> updaters() {
    return Stream.of(new Adam(0.01), new Nadam(0.01), new RmsProp(0.01, 0.95, 1e-8));
  }

  @ParameterizedTest
  @MethodSource("updaters")
  void warmingUpIsNoAlarm(IUpdater updater) throws IOException {
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(updater, DataType.DOUBLE), 3, 8, 2);
    Path file = folder.resolve("run.jsonl");
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(AnalysisSettings.standard().withSeed(0))
            .frequency(4)
            .record(file)
            .strict(true)
            .build();
    network.setListeners(listener);
    List<DataSet> batches = data.batchBy(6);
    for (int t = 0; t < 61; t++) {
      network.fit(batches.get(t % batches.size()));
    }
    listener.close();
    List<Checkpoint> run = listener.history();
    double settled = run.get(run.size() - 1).stability().edgeRatio().orElseThrow();
    double first = run.get(0).stability().edgeRatio().orElseThrow();
    assertThat(first).as("the false alarm").isGreaterThan(10 * settled);
    assertThat(run.get(0).stability().verdict().kind()).isEqualTo(Verdict.Kind.UNSTABLE);
    assertThat(run.get(0).toString()).contains("WARMING_UP").doesNotContain("UNSTABLE");
    assertThat(run.get(0).step().toString()).contains("warming up: ", " has seen 1 of the ");
    for (Checkpoint checkpoint : run) {
      if (checkpoint.iteration() >= 31) {
        assertThat(checkpoint.verdict().orElseThrow().kind()).isEqualTo(Verdict.Kind.STABLE);
      }
      if (checkpoint.verdict().orElseThrow().kind() != Verdict.Kind.WARMING_UP) {
        assertThat(checkpoint.stability().edgeRatio().orElseThrow())
            .as("%s at %d", updater, checkpoint.iteration())
            .isCloseTo(settled, withinPercentage(15));
      }
    }
    List<String> recorded =
        RunRecord.read(file).checkpoints().stream()
            .map(c -> c.text("verdict").orElseThrow())
            .toList();
    assertThat(recorded)
        .isEqualTo(run.stream().map(c -> c.verdict().orElseThrow().kind().name()).toList())
        .startsWith("WARMING_UP")
        .endsWith("STABLE");
  }
}
