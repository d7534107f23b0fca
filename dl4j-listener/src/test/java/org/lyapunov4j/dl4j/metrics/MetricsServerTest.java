// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetricsServerTest {
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  @Test
  void servesBothTextFormatsOnTheLoopbackInterface() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0);
        MetricsSink metrics = MetricsSinkTest.metrics("a", Tags.empty(), InstantSource.system())) {
      metrics.bindTo(registry);
      metrics.accept(MetricsSinkTest.checkpoint(0.2));

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
          .filteredOn(thread -> thread.getName().startsWith("lyapunov4j metrics"))
          .isNotEmpty()
          .allMatch(Thread::isDaemon);
    }
  }

  private static String ask(URI uri, String request) throws IOException {
    try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
      socket.setSoTimeout(15_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  @Test
  void halfARequestBlocksNobody() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0)) {
      List<Socket> slow = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        Socket socket = new Socket(server.uri().getHost(), server.uri().getPort());
        socket.getOutputStream().write("GET /metrics HT".getBytes(StandardCharsets.US_ASCII));
        slow.add(socket);
      }
      assertThat(get(server.uri(), "*/*").statusCode()).isEqualTo(200);
      slow.get(0).setSoTimeout(30_000);
      assertThat(slow.get(0).getInputStream().read()).isNegative(); // cut off
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  @Test
  void whoeverComesBeyondTheLimitIsSentAwayAndServedLater() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0)) {
      List<Socket> many = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        many.add(new Socket(server.uri().getHost(), server.uri().getPort()));
      }
      for (Socket socket : many) {
        socket.close();
      }
      int status = 0;
      for (int i = 0; i < 50 && status != 200; i++) {
        try {
          status = get(server.uri(), "*/*").statusCode();
        } catch (IOException busy) {
          Thread.sleep(100);
        }
      }
      assertThat(status).isEqualTo(200);
    }
  }

  @Test
  void onlyGetAndHeadAreAnswered() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0)) {
      registry.counter("c").increment();
      URI uri = server.uri();
      assertThat(ask(uri, "POST /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"))
          .startsWith("HTTP/1.1 405 ")
          .contains("Allow: GET, HEAD");
      String get = ask(uri, "GET /metrics?name[]=x HTTP/1.1\r\nHost: a\r\n\r\n");
      String head = ask(uri, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
      assertThat(head).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\n");
      assertThat(get).startsWith(head).contains("c_total 1.0");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/2\r\n\r\n",
        "GET / HTTP/1.1\r\nx\r\n\r\n",
        "\u0016\u0003\u0001\r\n\r\n"
      })
  void whatIsNoRequestIsRefused(String request) throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0)) {
      assertThat(ask(server.uri(), request)).startsWith("HTTP/1.1 400 ");
    }
  }

  @Test
  void aRequestIsBounded() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0)) {
      assertThat(ask(server.uri(), "GET /" + "x".repeat(9000))).startsWith("HTTP/1.1 431 ");
    }
  }

  @Test
  void theAnswerIsCompressedIfAsked() throws Exception {
    try (MetricsServer server = MetricsServer.loopback(registry, 0)) {
      registry.counter("c").increment();
      HttpResponse<byte[]> response =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .build()
              .send(
                  HttpRequest.newBuilder(server.uri())
                      .header("Accept-Encoding", "br, gzip;q=0.5")
                      .timeout(Duration.ofSeconds(20))
                      .build(),
                  HttpResponse.BodyHandlers.ofByteArray());
      assertThat(response.headers().firstValue("Content-Encoding")).hasValue("gzip");
      try (GZIPInputStream text = new GZIPInputStream(new ByteArrayInputStream(response.body()))) {
        assertThat(new String(text.readAllBytes(), StandardCharsets.UTF_8)).contains("c_total 1.0");
      }
      assertThat(ask(server.uri(), "GET /metrics HTTP/1.1\r\nAccept-Encoding: gzip;q=0\r\n\r\n"))
          .doesNotContain("Content-Encoding");
    }
  }

  private static HttpResponse<String> get(URI uri, String accept) throws Exception {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .build()
        .send(
            HttpRequest.newBuilder(uri)
                .header("Accept", accept)
                .timeout(Duration.ofSeconds(20))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }
}
