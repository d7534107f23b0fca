// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.deeplearning4j.ui.api.UIServer;

/** Deeplearning4j's training UI on a free port, and what it answers. */
final class Ui implements AutoCloseable {
  final UIServer server;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  Ui() {
    System.setProperty("org.deeplearning4j.ui.port", "0");
    server = UIServer.getInstance();
  }

  String address() {
    return "http://127.0.0.1:" + server.getPort();
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return getFrom(address() + path);
  }

  HttpResponse<String> getFrom(String uri) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create(uri)).timeout(Duration.ofSeconds(60)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  JsonNode runs() throws IOException, InterruptedException {
    return json("/stability/runs").get("runs");
  }

  JsonNode checkpoints(JsonNode run, long after) throws IOException, InterruptedException {
    return json(
        "/stability/checkpoints?session="
            + encode(run.get("session").textValue())
            + "&run="
            + encode(run.get("worker").textValue())
            + "&after="
            + after);
  }

  private JsonNode json(String path) throws IOException, InterruptedException {
    HttpResponse<String> answer = get(path);
    if (answer.statusCode() != 200) {
      throw new IOException(path + " answered " + answer.statusCode() + ": " + answer.body());
    }
    return Json.parse(answer.body().getBytes(StandardCharsets.UTF_8));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    System.clearProperty("org.deeplearning4j.ui.port");
    try {
      UIServer.stopInstance();
    } catch (Exception e) {
      throw new IllegalStateException("the training UI does not stop", e);
    }
  }
}
