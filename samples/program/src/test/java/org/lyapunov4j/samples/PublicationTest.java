// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.metrics.v1.Metric;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ways out of a {@code train} that is over before anybody scrapes it. */
class PublicationTest {
  @TempDir private Path folder;

  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private HttpServer server;
  private int status = 200;

  record Request(String method, URI uri, ByteString body) {}

  @BeforeEach
  void listen() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          ByteString body = ByteString.readFrom(exchange.getRequestBody());
          requests.add(new Request(exchange.getRequestMethod(), exchange.getRequestURI(), body));
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void aCollectorGetsTheLastCheckpoint() throws IOException {
    Outcome outcome = train("--otlp=" + address("/v1/metrics"));

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    assertThat(requests).hasSize(1);
    assertThat(requests.get(0).uri().getPath()).isEqualTo("/v1/metrics");
    Map<String, Metric> sent =
        ExportMetricsServiceRequest.parseFrom(requests.get(0).body())
            .getResourceMetrics(0)
            .getScopeMetrics(0)
            .getMetricsList()
            .stream()
            .collect(Collectors.toMap(Metric::getName, m -> m, (one, other) -> one));
    var iteration = sent.get("lyapunov.checkpoint.iteration").getGauge().getDataPoints(0);
    assertThat(iteration.getAsDouble()).isEqualTo(5);
    assertThat(iteration.getAttributes(0).getValue().getStringValue()).isEqualTo("short");
  }

  @Test
  void aPushgatewayGetsTheLastValuesUnderTheNameOfTheRun() {
    Outcome outcome = train("--push=" + address(""));

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    assertThat(requests).hasSize(1);
    Request push = requests.get(0);
    assertThat(push.method()).isEqualTo("PUT");
    assertThat(push.uri().getPath()).isEqualTo("/metrics/job/lyapunov4j/run_id/short");
    assertThat(push.body().toStringUtf8())
        .contains("lyapunov_checkpoint_iteration_iterations", "short");
  }

  @Test
  void aGatewayThatRefusesDoesNotFailTheRun() {
    status = 500;

    Outcome outcome = train("--push=" + address(""));

    assertThat(outcome.status()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.lines())
        .anyMatch(
            line -> line.startsWith("could not publish the metrics: ") && line.contains("500"));
  }

  @Test
  void anAddressWhereNobodyListensDoesNotFailTheRun() throws IOException {
    int free;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      free = socket.getLocalPort();
    }

    Outcome outcome = train("--push=http://127.0.0.1:" + free);

    assertThat(outcome.status()).isZero();
    assertThat(outcome.lines())
        .anyMatch(line -> line.matches("could not publish the metrics: .*refused.*"));
  }

  @Test
  void aFileGetsEveryCheckpointWithItsTime() throws IOException {
    Path file = folder.resolve("run.om");

    Outcome outcome = train("--openmetrics=" + file);

    assertThat(outcome.status()).isZero();
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).last().isEqualTo("# EOF");
    assertThat(lines.stream().filter(line -> line.startsWith("lyapunov_checkpoint_iteration")))
        .extracting(line -> line.split(" ", 3)[1])
        .extracting(Double::valueOf)
        .containsExactly(0.0, 2.0, 4.0, 5.0);
  }

  @Test
  @Tag("programs")
  void promtoolTakesThatFile() throws Exception {
    Path file = folder.resolve("run.om");
    train("--openmetrics=" + file);
    String data = folder.resolve("data").toString();

    promtool("tsdb", "create-blocks-from", "openmetrics", file.toString(), data);

    Files.createDirectory(Path.of(data, "wal")); // of a running Prometheus
    assertThat(promtool("tsdb", "dump", data).lines())
        .filteredOn(line -> line.contains("lyapunov_checkpoint_iteration"))
        .extracting(line -> line.replaceAll(".*\\} (\\S+) \\d+", "$1"))
        .containsExactly("0", "2", "4", "5");
  }

  private static String promtool(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("promtool"));
    command.addAll(List.of(arguments));
    Process tool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(tool.waitFor()).as(output).isZero();
    return output;
  }

  @ParameterizedTest
  @CsvSource({
    "--otlp, localhost:4318",
    "--otlp, ftp://127.0.0.1:4318/v1/metrics",
    "--otlp, http:///v1/metrics",
    "--push, 127.0.0.1",
    "--push, file:/metrics"
  })
  void anAddressThatCannotBeMeantIsRefusedAtOnce(String option, String address) {
    Outcome outcome = train(option, address);

    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err().lines())
        .containsExactly(
            "lyapunov4j train: " + option + " must be an http or https address, got " + address);
  }

  private String address(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private static Outcome train(String... options) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--run=short",
                "--examples=8",
                "--hidden=4",
                "--batch-size=4",
                "--iterations=6",
                "--interval=2"));
    arguments.addAll(List.of(options));
    return Outcome.of(arguments.toArray(String[]::new));
  }
}
