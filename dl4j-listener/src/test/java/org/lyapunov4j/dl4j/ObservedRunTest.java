// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.metrics.MetricsSink;
import org.lyapunov4j.dl4j.metrics.OpenMetricsFile;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** A run without a linear step: what it shows, and that it shows no λ, edge or verdict anywhere. */
class ObservedRunTest {
  private static final List<String> CONCLUSIONS =
      List.of(
          "lyapunov.exponent",
          "lyapunov.exponent.low",
          "lyapunov.exponent.high",
          "lyapunov.gd.exponent",
          "lyapunov.edge.ratio",
          "lyapunov.edge.ratio.classic",
          "lyapunov.critical.learning.rate",
          "lyapunov.mean.square.index",
          "lyapunov.verdict");

  private final DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);
  private final MeterRegistry registry = new SimpleMeterRegistry();

  @TempDir private Path folder;

  private static NeuralNetConfiguration.Builder builder() {
    return Networks.configuration(new Sgd(0.05), DataType.DOUBLE);
  }

  private LyapunovListener train(NeuralNetConfiguration.Builder configuration) {
    MultiLayerNetwork network = Networks.regression(configuration, 3, 5, 2);
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(
                AnalysisSettings.standard()
                    .withSeed(0)
                    .withAnalyzer(settings -> settings.maxEpochs(16)))
            .frequency(1)
            .run("a")
            .registry(registry)
            .record(folder.resolve("run.jsonl"))
            .build();
    network.setListeners(listener);
    network.fit(data);
    network.fit(data);
    return listener;
  }

  private Gauge gauge(String name) {
    return registry.find(name).tag(MetricsSink.RUN_TAG, "a").gauge();
  }

  private double level(String level) {
    return registry.get(MetricsSink.LEVEL).tag("run", "a").tag("level", level).gauge().value();
  }

  @Test
  void conclusionsHaveNoGauges() {
    LyapunovListener listener = train(builder().optimizationAlgo(OptimizationAlgorithm.LBFGS));
    Checkpoint last = listener.history().get(listener.history().size() - 1);
    for (String gauge : CONCLUSIONS) {
      assertThat(gauge(gauge)).as(gauge).isNull();
    }
    assertThat(registry.find(MetricsSink.VERDICT_STATE).gauges()).isEmpty();
    assertThat(gauge("lyapunov.sharpness").value())
        .isCloseTo(last.findings().measuredSharpness().orElseThrow(), within(0.0));
    assertThat(gauge("lyapunov.loss").value()).isEqualTo(last.loss());
    assertThat(level("observed")).isOne();
    assertThat(level("exact")).isZero();
    listener.close();
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void anExactRunHasThemAll() {
    LyapunovListener listener = train(builder());
    for (String gauge : CONCLUSIONS) {
      assertThat(gauge(gauge)).as(gauge).isNotNull();
    }
    assertThat(gauge("lyapunov.loss.floor.ratio")).isNull();
    assertThat(level("exact")).isOne();
    listener.close();
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void theRecordHoldsWhatWasSeenAndWhy() throws Exception {
    LyapunovListener listener = train(builder().optimizationAlgo(OptimizationAlgorithm.LBFGS));
    listener.close();
    RunRecord record = RunRecord.read(folder.resolve("run.jsonl"));
    assertThat(record.unreadable()).isZero();
    assertThat(record.checkpoints()).isEmpty();
    assertThat(record.observations()).hasSameSizeAs(listener.history());
    CheckpointDocument line = record.observations().get(0);
    assertThat(line.text("level.kind")).contains("OBSERVED");
    assertThat(line.text("level.reason").orElseThrow()).contains("LBFGS");
    assertThat(line.text("level.remedy").orElseThrow()).contains("STOCHASTIC_GRADIENT_DESCENT");
    assertThat(line.number("sharpness"))
        .isEqualTo(listener.history().get(0).findings().measuredSharpness().orElseThrow());
    assertThat(line.has("edgeRatio")).isFalse();
    assertThat(line.text("step").orElseThrow()).startsWith("OBSERVED");
    assertThat(record.run().orElseThrow().step()).startsWith("OBSERVED");
    String text = Files.readString(folder.resolve("run.jsonl"));
    assertThat(text).doesNotContain("\"exponent\"", "\"verdict\"", "edgeRatio");
  }

  @Test
  void aFileOfMetricsHasNoConclusionsEither() throws Exception {
    LyapunovListener listener = train(builder().optimizationAlgo(OptimizationAlgorithm.LBFGS));
    Path file = folder.resolve("run.om");
    OpenMetricsFile.write(file, listener.history());
    assertThat(Files.readString(file))
        .contains("lyapunov_level{run=\"a\",level=\"observed\"} 1.0", "lyapunov_sharpness{")
        .doesNotContain("lyapunov_exponent_nats{", "lyapunov_verdict_state{");
    listener.close();
  }
}
