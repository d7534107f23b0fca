// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

class MetricsServerTest {
  @Test
  void answersOnLoopbackFromADaemonThread() throws IOException, InterruptedException {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Gauge.builder("answer", () -> -42).register(registry);
    try (MetricsServer server = MetricsServer.start(0, registry)) {
      assertThat(InetAddress.getByName(server.uri().getHost()).isLoopbackAddress()).isTrue();
      assertThat(get(server, "*/*").body()).contains("answer -42.0");
      HttpResponse<String> open = get(server, "application/openmetrics-text");
      assertThat(open.body()).endsWith("# EOF\n");
      assertThat(open.headers().firstValue("Content-Type").orElseThrow())
          .startsWith("application/openmetrics-text");
      assertThat(Thread.getAllStackTraces().keySet())
          .filteredOn(thread -> thread.getName().startsWith("HTTP-Dispatcher"))
          .isNotEmpty()
          .allMatch(Thread::isDaemon);
    }
  }

  private static HttpResponse<String> get(MetricsServer server, String accept)
      throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(server.uri()).header("Accept", accept).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
  }
}
