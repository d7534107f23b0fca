// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class MetricsServerTest {
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  @Test
  void servesBothTextFormatsOnTheLoopbackInterface() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0);
        LyapunovMetrics metrics = new LyapunovMetrics("a", Tags.empty(), InstantSource.system())) {
      metrics.bindTo(registry);
      metrics.update(LyapunovMetricsTest.checkpoint(0.2));

      HttpResponse<String> plain = get(server.uri(), "*/*");
      HttpResponse<String> open = get(server.uri(), "application/openmetrics-text");

      assertThat(InetAddress.getByName(server.uri().getHost()).isLoopbackAddress()).isTrue();
      assertThat(plain.headers().firstValue("Content-Type"))
          .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
      assertThat(plain.body()).contains("lyapunov_learning_rate{run=\"a\"} 0.2");
      assertThat(open.headers().firstValue("Content-Type"))
          .hasValueSatisfying(type -> assertThat(type).startsWith("application/openmetrics-text"));
      assertThat(open.body()).endsWith("# EOF\n");
      assertThat(get(server.uri().resolve("/metrics/secret"), "*/*").statusCode()).isEqualTo(404);
      assertThat(get(server.uri().resolve("/"), "*/*").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void aPortInUseIsRefused() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> MetricsServer.loopback(registry, taken.getLocalPort()))
          .withMessageContaining("port " + taken.getLocalPort())
          .withMessageContaining("choose a free port");
    }
  }

  @Test
  void nonsenseIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MetricsServer.loopback(registry, 65536))
        .withMessageContaining("port must be 0 to 65535, got 65536");
    assertThatIllegalArgumentException().isThrownBy(() -> MetricsServer.loopback(registry, -1));
    // An address that is reserved for documentation belongs to no machine.
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MetricsServer.exposed(registry, "192.0.2.1", 0))
        .withMessageContaining("192.0.2.1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MetricsServer.exposed(registry, "no such host", 0))
        .withMessageContaining("host must be an address");
  }

  @Test
  void isReachableFromElsewhereOnlyIfAsked() throws Exception {
    try (MetricsServer server = MetricsServer.exposed(registry, "0.0.0.0", 0)) {
      assertThat(InetAddress.getByName(server.uri().getHost()).isAnyLocalAddress()).isTrue();
      URI here = URI.create("http://127.0.0.1:" + server.uri().getPort() + "/metrics");
      assertThat(get(here, "*/*").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void closingTwiceIsHarmlessAndFreesThePort() throws Exception {
    MetricsServer server = MetricsServer.loopback(registry, 0);
    URI uri = server.uri();
    server.close();
    server.close();
    assertThatThrownBy(() -> get(uri, "*/*")).isInstanceOf(ConnectException.class);
  }

  @Test
  void itsThreadDoesNotKeepTheProgramAlive() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0)) {
      get(server.uri(), "*/*");
      assertThat(Thread.getAllStackTraces().keySet())
          .filteredOn(thread -> thread.getName().startsWith("HTTP-Dispatcher"))
          .isNotEmpty()
          .allMatch(Thread::isDaemon);
    }
  }

  private static HttpResponse<String> get(URI uri, String accept) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(uri).header("Accept", accept).build(),
            HttpResponse.BodyHandlers.ofString());
  }
}
