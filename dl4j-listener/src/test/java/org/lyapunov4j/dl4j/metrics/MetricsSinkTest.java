// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class MetricsSinkTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:01:00Z");
  private static final Path TABLE = Path.of("..", "docs", "metrics.md");

  private final MeterRegistry registry = new SimpleMeterRegistry();
  private final MetricsSink metrics = metrics("a");

  @Test
  void gaugesAreNotANumberBeforeTheFirstCheckpoint() {
    metrics.bindTo(registry);
    for (LyapunovGauge gauge : LyapunovGauge.values()) {
      assertThat(value(registry, gauge)).as(gauge.meterName()).isNaN();
    }
    assertThat(registry.get(MetricsSink.AGE).timeGauge().value()).isNaN();
    assertThat(registry.get(MetricsSink.VERDICT_STATE).gauges())
        .hasSize(Verdict.Kind.values().length)
        .allSatisfy(gauge -> assertThat(gauge.value()).isNaN());
  }

  @Test
  void aCommonTagThatOursHideIsFoundByName() {
    assertThat(MetricsSink.hiddenTag(registry)).isEmpty();
    MeterRegistry tagged = new SimpleMeterRegistry();
    tagged.config().commonTags("host", "h", "run", "nightly");
    assertThat(MetricsSink.hiddenTag(tagged)).contains(Tag.of("run", "nightly"));
    assertThat(MetricsSink.hiddenTag(composite(tagged))).contains(Tag.of("run", "nightly"));
    assertThat(tagged.getMeters()).isEmpty();
    metrics.bindTo(tagged);
    assertThat(tagged.get(MetricsSink.AGE).tag("run", "a").tag("host", "h").timeGauge())
        .isNotNull();
    metrics.close();
    assertThat(tagged.getMeters()).isEmpty();
  }

  private static MeterRegistry composite(MeterRegistry part) {
    return new CompositeMeterRegistry().add(part);
  }

  @Test
  void aTagUnderTheNameOfOursIsRefused() {
    for (String name : List.of("run", "state", "level", "reason")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new MetricsSink(Tags.of(name, "x")))
          .withMessageContaining("got " + name + "=x");
    }
  }

  /** diag(1, 3), B = 1: closed forms of λ, μ and sharpness. */
  @Test
  void gaugesShowTheLatestCheckpoint() {
    metrics.bindTo(registry);
    metrics.accept(checkpoint(1.5));
    metrics.accept(checkpoint(0.2));
    assertThat(value(registry, LyapunovGauge.EXPONENT))
        .isCloseTo(
            0.5 * Math.log(0.8), within(4 * value(registry, LyapunovGauge.EXPONENT_ERROR) + 1e-3));
    assertThat(value(registry, LyapunovGauge.EXPONENT_LOW))
        .isLessThanOrEqualTo(value(registry, LyapunovGauge.EXPONENT))
        .isLessThanOrEqualTo(value(registry, LyapunovGauge.EXPONENT_HIGH));
    assertThat(value(registry, LyapunovGauge.GD_EXPONENT)).isCloseTo(Math.log(0.9), within(1e-12));
    assertThat(value(registry, LyapunovGauge.SHARPNESS)).isCloseTo(1.5, within(1e-12));
    assertThat(value(registry, LyapunovGauge.EDGE_RATIO_CLASSIC)).isCloseTo(0.15, within(1e-12));
    // The coordinates are independent, and the sharper one is unstable beyond 3η = 2.
    assertThat(value(registry, LyapunovGauge.CRITICAL_LEARNING_RATE))
        .isCloseTo(2.0 / 3, within(0.02));
    assertThat(value(registry, LyapunovGauge.EDGE_RATIO))
        .isEqualTo(0.2 / value(registry, LyapunovGauge.CRITICAL_LEARNING_RATE));
    assertThat(value(registry, LyapunovGauge.MEAN_SQUARE_INDEX)).isBetween(0.0, 1.0);
    assertThat(value(registry, LyapunovGauge.LEARNING_RATE)).isEqualTo(0.2);
    assertThat(value(registry, LyapunovGauge.BATCH_SIZE)).isEqualTo(1);
    assertThat(value(registry, LyapunovGauge.LOSS)).isEqualTo(0.25);
    assertThat(value(registry, LyapunovGauge.ITERATION)).isEqualTo(300);
    assertThat(value(registry, LyapunovGauge.GRAM_SIZE)).isEqualTo(2);
    assertThat(value(registry, LyapunovGauge.GRAM_MEMORY)).isEqualTo(32);
    assertThat(value(registry, LyapunovGauge.PROBE_LOSS)).isEqualTo(0.125);
    assertThat(value(registry, LyapunovGauge.BATCH_SHARPNESS_MEAN_OF_RATIOS)).isBetween(1.0, 3.0);
    // With one example a batch the two are 1 and 3, and (1 + 9)/(1 + 3) in the mean.
    assertThat(value(registry, LyapunovGauge.BATCH_SHARPNESS_RATIO_OF_MEANS))
        .isCloseTo(2.5, within(0.3));
    assertThat(value(registry, LyapunovGauge.TRAJECTORY_EXPONENT))
        .isEqualTo(value(registry, LyapunovGauge.TRAJECTORY_EXPONENT_CUMULATIVE))
        .isBetween(Math.log(0.4), Math.log(0.8) / 2 + 0.1);
    assertThat(value(registry, LyapunovGauge.FINITE_TIME_EXPONENT))
        .isBetween(Math.log(0.4), Math.log(0.9));
    assertThat(value(registry, LyapunovGauge.FINITE_TIME_EXPONENT_ERROR)).isBetween(1e-4, 0.05);
    assertThat(value(registry, LyapunovGauge.FINITE_TIME_SHRINKS)).isEqualTo(1);
    assertThat(value(registry, LyapunovGauge.FINITE_TIME_HORIZON)).isEqualTo(10);
    assertThat(value(registry, LyapunovGauge.PROBE_CHANGE)).isNaN();
    assertThat(registry.get(MetricsSink.AGE).timeGauge().value()).isEqualTo(60);
    assertThat(registry.get(MetricsSink.COMPUTE).timer().count()).isEqualTo(2);
    assertThat(
            registry
                .get(MetricsSink.COMPUTE)
                .timer()
                .mean(java.util.concurrent.TimeUnit.MILLISECONDS))
        .isEqualTo(50);
  }

  @Test
  void whatACheapTierLeavesOutKeepsItsLatestValue() {
    metrics.bindTo(registry);
    metrics.accept(checkpoint(0.2));
    double critical = value(registry, LyapunovGauge.CRITICAL_LEARNING_RATE);
    metrics.accept(checkpoint(0.3, Tier.ECONOMY));
    assertThat(value(registry, LyapunovGauge.LEARNING_RATE)).isEqualTo(0.3);
    assertThat(value(registry, LyapunovGauge.CRITICAL_LEARNING_RATE)).isEqualTo(critical);
  }

  /** A bound beside the value of an earlier checkpoint of a dearer tier would contradict itself. */
  @Test
  void aBoundReadsNanAndKeepsNoEarlierValue() {
    metrics.bindTo(registry);
    metrics.accept(checkpoint(SgdStep.of(0.2, 1), Tier.STANDARD));
    assertThat(value(registry, LyapunovGauge.GD_EXPONENT_LOW))
        .isEqualTo(value(registry, LyapunovGauge.GD_EXPONENT))
        .isEqualTo(value(registry, LyapunovGauge.GD_EXPONENT_HIGH));
    SgdStep spared = SgdStep.of(0.2, 1).withL2(0.1).withDecayInPart(true);
    metrics.accept(checkpoint(spared, Tier.ECONOMY));
    assertThat(value(registry, LyapunovGauge.EXPONENT)).isNaN();
    assertThat(value(registry, LyapunovGauge.EXPONENT_ERROR)).isNaN();
    assertThat(value(registry, LyapunovGauge.EXPONENT_LOW)).isNegative();
    assertThat(value(registry, LyapunovGauge.EXPONENT_HIGH)).isZero();
    assertThat(value(registry, LyapunovGauge.GD_EXPONENT)).isNaN();
    assertThat(value(registry, LyapunovGauge.GD_EXPONENT_LOW)).isNegative();
    assertThat(value(registry, LyapunovGauge.GD_EXPONENT_HIGH)).isZero();
    assertThat(value(registry, LyapunovGauge.EDGE_RATIO_LOW))
        .as("of the dearer checkpoint")
        .isLessThanOrEqualTo(value(registry, LyapunovGauge.EDGE_RATIO));
    assertThat(value(registry, LyapunovGauge.EDGE_RATIO_HIGH))
        .isGreaterThanOrEqualTo(value(registry, LyapunovGauge.EDGE_RATIO));
  }

  @Test
  void theVerdictIsACodeAndAState() {
    metrics.bindTo(registry);
    metrics.accept(checkpoint(0.2));
    assertThat(value(registry, LyapunovGauge.VERDICT)).isZero();
    assertThat(state("stable")).isEqualTo(1);
    assertThat(state("unstable")).isZero();
    metrics.accept(checkpoint(1.5));
    assertThat(value(registry, LyapunovGauge.VERDICT)).isEqualTo(2);
    assertThat(state("stable")).isZero();
    assertThat(state("unstable")).isEqualTo(1);
  }

  @Test
  void countsWhatDidNotHappen() {
    metrics.bindTo(registry);
    metrics.status(status(1, 0, 1));
    metrics.status(status(1, 1, 2));
    assertThat(registry.get(MetricsSink.CANCELLED).counter().count()).isEqualTo(1);
    assertThat(registry.get(MetricsSink.SKIPPED).counter().count()).isEqualTo(1);
    assertThat(registry.get(MetricsSink.FAILED).counter().count()).isEqualTo(2);
  }

  @Test
  void theStateIsHeldStrongly() throws Exception {
    MetricsSink forgotten = metrics("forgotten");
    forgotten.bindTo(registry);
    forgotten.accept(checkpoint(0.2));
    forgotten = null;
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(value(registry, LyapunovGauge.LEARNING_RATE)).isEqualTo(0.2);
    assertThat(forgotten).isNull();
  }

  @Test
  void twoRunsShareARegistry() {
    MetricsSink other = metrics("b");
    metrics.bindTo(registry);
    other.bindTo(registry);
    metrics.accept(checkpoint(0.2));
    other.accept(checkpoint(1.5));
    assertThat(registry.get("lyapunov.learning.rate").tag("run", "a").gauge().value())
        .isEqualTo(0.2);
    assertThat(registry.get("lyapunov.learning.rate").tag("run", "b").gauge().value())
        .isEqualTo(1.5);
    other.close();
    assertThat(registry.getMeters())
        .isNotEmpty()
        .allMatch(m -> m.getId().getTag("run").equals("a"));
  }

  @Test
  void aSecondRunOfTheSameNameIsRefusedUntilTheFirstIsClosed() {
    metrics.bindTo(registry);
    MetricsSink second = metrics("a");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> second.bindTo(registry))
        .withMessageContaining("close the earlier listener or give this run another name");
    metrics.close();
    assertThat(registry.getMeters()).isEmpty();
    second.bindTo(registry);
    second.accept(checkpoint(0.2));
    assertThat(value(registry, LyapunovGauge.LEARNING_RATE)).isEqualTo(0.2);
  }

  @Test
  void prometheusGetsValidNamesAndNegativeValues() {
    PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    metrics.bindTo(prometheus);
    metrics.accept(checkpoint(0.2));
    assertThat(prometheus.scrape())
        .contains("lyapunov_exponent_nats{run=\"a\",task=\"toy\"} -")
        .contains("lyapunov_verdict_state{run=\"a\",state=\"stable\",task=\"toy\"} 1.0")
        .contains("lyapunov_checkpoint_age_seconds{run=\"a\",task=\"toy\"} 60.0");
  }

  /** The documented table is this one; on a difference, copy the expected text into the file. */
  @Test
  void theDocumentedTableIsTheCode() throws Exception {
    String text = Files.readString(TABLE);
    assertThat(text).contains(table());
  }

  private String table() {
    metrics.bindTo(registry);
    PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    var naming = prometheus.config().namingConvention();
    return Stream.concat(
            Stream.of(
                "| name | Prometheus name | type | unit | meaning |", "|---|---|---|---|---|"),
            registry.getMeters().stream()
                .map(Meter::getId)
                .sorted(java.util.Comparator.comparing(Meter.Id::getName))
                .map(
                    id ->
                        String.format(
                            "| `%s` | `%s` | %s | %s | %s |",
                            id.getName(),
                            naming.name(id.getName(), id.getType(), id.getBaseUnit()),
                            id.getType().name().toLowerCase(java.util.Locale.ROOT),
                            id.getBaseUnit() == null ? "" : id.getBaseUnit(),
                            id.getDescription()))
                .distinct())
        .collect(Collectors.joining("\n", "", "\n"));
  }

  static ListenerStatus status(long skipped, long cancelled, long failures) {
    return new ListenerStatus(
        "a", ListenerStatus.State.SKIPPED, "why", 0, skipped, cancelled, failures, 0);
  }

  private static MetricsSink metrics(String run) {
    return metrics(run, Tags.of("task", "toy"), () -> NOW);
  }

  /** Begun, but in no registry yet. */
  static MetricsSink metrics(String run, Tags tags, InstantSource clock) {
    MetricsSink sink = new MetricsSink(tags);
    sink.begin(new RunInfo(run, 2, "0f", 0, clock));
    return sink;
  }

  private static double value(MeterRegistry registry, LyapunovGauge gauge) {
    return registry.get(gauge.meterName()).gauge().value();
  }

  private double state(String name) {
    return registry.get(MetricsSink.VERDICT_STATE).tag(MetricsSink.STATE_TAG, name).gauge().value();
  }

  static Checkpoint checkpoint(double learningRate) {
    return checkpoint(learningRate, Tier.STANDARD);
  }

  private static Checkpoint checkpoint(double learningRate, Tier tier) {
    return checkpoint(SgdStep.of(learningRate, 1), tier);
  }

  private static Checkpoint checkpoint(SgdStep step, Tier tier) {
    GramMatrix gram = GramMatrix.of(new double[][] {{1, 0}, {0, 3}}, 2, 1);
    StabilityReport report =
        StabilityAnalyzer.builder().seed(1).maxEpochs(256).tier(tier).build().analyze(gram, step);
    return new Checkpoint(
        "a",
        300,
        2,
        NOW.minusSeconds(60),
        0.25,
        0.125,
        tier,
        new TrainingStep(step, List.of()),
        List.of(),
        report,
        Optional.of(new EdgeForecast(500, 420, 640)),
        List.of(),
        Optional.of(
            BatchSharpness.estimate(gram, new double[] {1, 1}, step, 64, new RandomStream(1))),
        Optional.of(new TrajectoryExponent.Window(0, 10, 10, -0.5, 10, -0.5)),
        Optional.of(FiniteTimeEstimator.builder().residual(1, 1).build().estimate(gram, step, 10)),
        32,
        Duration.ofMillis(20),
        Duration.ofMillis(30));
  }
}
