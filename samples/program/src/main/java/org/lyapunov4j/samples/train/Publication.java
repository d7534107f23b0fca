// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.micrometer.registry.otlp.OtlpConfig;
import io.micrometer.registry.otlp.OtlpMeterRegistry;
import io.prometheus.metrics.exporter.pushgateway.PushGateway;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.metrics.OpenMetricsFile;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.OutputFile;
import picocli.CommandLine.Option;

/** Where the metrics of a run go that may be over before anybody scrapes it. */
final class Publication {
  @Option(
      names = "--openmetrics",
      paramLabel = "FILE",
      description =
          "At the end, write all checkpoints with their times, for promtool tsdb"
              + " create-blocks-from openmetrics.")
  private Path file;

  @Option(
      names = "--otlp",
      paramLabel = "URL",
      description =
          "Send metrics to an OpenTelemetry collector, every minute and at the end, for example"
              + " http://127.0.0.1:4318/v1/metrics.")
  private URI collector;

  @Option(
      names = "--push",
      paramLabel = "URL",
      description =
          "At the end, leave the last values with a Pushgateway, for example"
              + " http://127.0.0.1:9091.")
  private URI gateway;

  Path file() {
    return file;
  }

  /** Refuses addresses that cannot be meant. */
  Void requireAddresses() {
    requireHttp("--otlp", collector);
    requireHttp("--push", gateway);
    return null;
  }

  private static void requireHttp(String option, URI address) {
    Input.require(
        address == null
            || (address.getHost() != null
                && ("http".equals(address.getScheme()) || "https".equals(address.getScheme()))),
        "%s must be an http or https address, got %s",
        option,
        address);
  }

  /**
   * The registries of a run.
   *
   * @param scraped the one that waits to be read
   * @param sending those that send on their own, and for the last time when they are closed
   */
  record Registries(PrometheusMeterRegistry scraped, List<MeterRegistry> sending)
      implements AutoCloseable {
    List<MeterRegistry> all() {
      List<MeterRegistry> all = new ArrayList<>(sending);
      all.add(scraped);
      return all;
    }

    @Override
    public void close() {
      all().forEach(MeterRegistry::close);
    }
  }

  /** The given registry, and one that sends on its own if that was asked for. */
  Registries registries(PrometheusMeterRegistry scraped) {
    if (collector == null) {
      return new Registries(scraped, List.of());
    }
    Map<String, String> settings = Map.of("otlp.url", collector.toString());
    OtlpConfig config = settings::get;
    return new Registries(scraped, List.of(new OtlpMeterRegistry(config, Clock.SYSTEM)));
  }

  /** What is done at the end of a run, before its meters are removed. */
  void publish(Registries registries, String run, List<Checkpoint> checkpoints) throws IOException {
    registries.sending().forEach(MeterRegistry::close);
    if (file != null) {
      StringWriter text = new StringWriter();
      OpenMetricsFile.write(text, checkpoints);
      OutputFile.write(file, text.getBuffer());
    }
    if (gateway != null) {
      PushGateway.builder()
          .address(gateway.getAuthority())
          .scheme(io.prometheus.metrics.exporter.pushgateway.Scheme.fromString(gateway.getScheme()))
          .job("lyapunov4j")
          .groupingKey("run_id", run)
          .registry(registries.scraped().getPrometheusRegistry())
          .build()
          .push();
    }
  }
}
