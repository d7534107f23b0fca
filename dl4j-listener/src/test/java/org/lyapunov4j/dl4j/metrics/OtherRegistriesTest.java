// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.jmx.JmxConfig;
import io.micrometer.jmx.JmxMeterRegistry;
import io.micrometer.registry.otlp.OtlpConfig;
import io.micrometer.registry.otlp.OtlpMeterRegistry;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.metrics.v1.Metric;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/** Micrometer's ways out other than Prometheus. */
class OtherRegistriesTest {
  private final MetricsSink metrics =
      MetricsSinkTest.metrics("a", Tags.empty(), InstantSource.system());

  /** A job shorter than the publishing interval: all is sent when the registry is closed. */
  @Test
  void openTelemetryGetsTheLastCheckpointOnClose() throws Exception {
    List<byte[]> received = new CopyOnWriteArrayList<>();
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/metrics",
        exchange -> {
          received.add(exchange.getRequestBody().readAllBytes());
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    try {
      String url = "http://127.0.0.1:" + collector.getAddress().getPort() + "/v1/metrics";
      Map<String, String> settings = Map.of("otlp.url", url, "otlp.step", "1h");
      OtlpMeterRegistry registry = new OtlpMeterRegistry(otlp(settings), Clock.SYSTEM);
      metrics.bindTo(registry);
      metrics.accept(MetricsSinkTest.checkpoint(0.2));
      assertThat(received).isEmpty();

      registry.close();

      assertThat(received).hasSize(1);
      Map<String, Metric> sent =
          ExportMetricsServiceRequest.parseFrom(received.get(0))
              .getResourceMetrics(0)
              .getScopeMetrics(0)
              .getMetricsList()
              .stream()
              .collect(Collectors.toMap(Metric::getName, m -> m, (one, other) -> one));
      assertThat(sent.get("lyapunov.learning.rate").getGauge().getDataPoints(0).getAsDouble())
          .isEqualTo(0.2);
      assertThat(sent.get("lyapunov.exponent").getUnit()).isEqualTo("nats");
    } finally {
      collector.stop(0);
    }
  }

  private static OtlpConfig otlp(Map<String, String> settings) {
    return settings::get;
  }

  @Test
  void jmxShowsTheGauges() throws Exception {
    JmxMeterRegistry registry = new JmxMeterRegistry(JmxConfig.DEFAULT, Clock.SYSTEM);
    try {
      metrics.bindTo(registry);
      metrics.accept(MetricsSinkTest.checkpoint(0.2));
      ObjectName name = new ObjectName("metrics:name=lyapunovLearningRate.run.a,type=gauges");
      assertThat(ManagementFactory.getPlatformMBeanServer().getAttribute(name, "Value"))
          .isEqualTo(0.2);
      metrics.close();
      assertThat(ManagementFactory.getPlatformMBeanServer().isRegistered(name)).isFalse();
    } finally {
      registry.close();
    }
  }

  @Test
  void aRegistryAddedLaterShowsWhatIsThere() {
    CompositeMeterRegistry composite = new CompositeMeterRegistry();
    metrics.bindTo(composite);
    metrics.accept(MetricsSinkTest.checkpoint(0.2));
    SimpleMeterRegistry late = new SimpleMeterRegistry();
    composite.add(late);
    assertThat(late.get("lyapunov.learning.rate").gauge().value()).isEqualTo(0.2);
    metrics.close();
    assertThat(late.getMeters()).isEmpty();
  }

  @Test
  void aClosedRegistryIsNoTrouble() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    metrics.bindTo(registry);
    registry.close();
    metrics.accept(MetricsSinkTest.checkpoint(0.2));
    metrics.status(MetricsSinkTest.status(0, 0, 1));
    metrics.close();
    assertThat(registry.getMeters()).isEmpty();
  }
}
