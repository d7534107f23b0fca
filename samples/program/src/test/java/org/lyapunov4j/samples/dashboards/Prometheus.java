// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.dashboards;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A real Prometheus server for a test, asked through its HTTP API. */
final class Prometheus implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final Process process;
  private final URI base;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private Prometheus(Process process, URI base) {
    this.process = process;
    this.base = base;
  }

  /** Starts a server; its files are in the folder, its data below "data". */
  static Prometheus start(Path folder, String configuration) throws Exception {
    Path file = folder.resolve("prometheus.yml");
    Files.writeString(file, configuration);
    String address = "127.0.0.1:" + freePort();
    Process process =
        new ProcessBuilder(
                "prometheus",
                "--config.file=" + file,
                "--storage.tsdb.path=" + folder.resolve("data"),
                "--storage.tsdb.retention.time=10y",
                "--web.listen-address=" + address,
                "--log.level=warn")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("prometheus.log").toFile())
            .start();
    Prometheus prometheus = new Prometheus(process, URI.create("http://" + address));
    prometheus.await("/-/ready", response -> true);
    return prometheus;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Runs promtool and returns what it says. */
  static String promtool(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("promtool"));
    command.addAll(List.of(arguments));
    Process tool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (tool.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + ":\n" + output);
    }
    return output;
  }

  /** Asks until there is an answer that is not empty. */
  JsonNode query(String expression) throws Exception {
    return query(expression, result -> true);
  }

  JsonNode query(String expression, Predicate<JsonNode> enough) throws Exception {
    return await(
            "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8),
            body -> {
              JsonNode result = parse(body).at("/data/result");
              return !result.isEmpty() && enough.test(result);
            })
        .at("/data/result");
  }

  /** Waits until an alert fires. */
  JsonNode alert(String name) throws Exception {
    return query("ALERTS{alertname=\"" + name + "\",alertstate=\"firing\"}");
  }

  private JsonNode await(String path, Predicate<String> enough) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(base.resolve(path)).timeout(Duration.ofSeconds(20)).build();
    Instant end = Instant.now().plus(PATIENCE);
    String last = "no answer";
    while (Instant.now().isBefore(end) && process.isAlive()) {
      try {
        HttpResponse<String> response =
            client.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        last = response.body();
        if (response.statusCode() == 200 && enough.test(last)) {
          return path.startsWith("/api") ? parse(last) : null;
        }
        if (response.statusCode() == 400) {
          throw new AssertionError(path + ": " + last);
        }
      } catch (IOException notYet) {
        last = notYet.toString();
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
    throw new AssertionError("no answer from Prometheus to " + path + ": " + last);
  }

  private static JsonNode parse(String body) {
    try {
      return new ObjectMapper().readTree(body);
    } catch (IOException e) {
      throw new AssertionError(body, e);
    }
  }

  @Override
  public void close() {
    process.destroy();
    process
        .onExit()
        .orTimeout(20, TimeUnit.SECONDS)
        .exceptionally(late -> process.destroyForcibly())
        .join();
  }
}
