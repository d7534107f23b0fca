// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Headless Chromium with one page, driven through its DevTools protocol. */
final class Browser implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Process process;
  private final WebSocket socket;
  private final Map<Integer, CompletableFuture<JsonNode>> questions = new ConcurrentHashMap<>();
  private final List<JsonNode> events = new CopyOnWriteArrayList<>();
  private final String session;
  private int asked;

  /**
   * Starts Chromium.
   *
   * @param profile an empty folder for its files
   */
  Browser(Path profile) throws IOException {
    process =
        new ProcessBuilder(
                "chromium",
                "--headless=new",
                "--no-sandbox", // Chromium refuses to run as root with it
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--user-data-dir=" + profile,
                "--remote-debugging-port=0",
                "about:blank")
            .redirectErrorStream(true)
            .start();
    socket =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .build()
            .newWebSocketBuilder()
            .connectTimeout(PATIENCE)
            .buildAsync(URI.create(devTools()), new Receiver())
            .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
            .join();
    String target = page();
    session =
        ask("Target.attachToTarget", Json.object().put("targetId", target).put("flatten", true))
            .get("sessionId")
            .textValue();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      ask(domain + ".enable", Json.object());
    }
    ask("Emulation.setScrollbarsHidden", Json.object().put("hidden", true));
  }

  /** The address of its DevTools, which it prints when it has started. */
  private String devTools() throws IOException {
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    StringBuilder seen = new StringBuilder();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith("DevTools listening on ")) {
        Thread drain = new Thread(() -> output.lines().forEach(ignored -> {}), "chromium-output");
        drain.setDaemon(true);
        drain.start();
        return line.substring("DevTools listening on ".length());
      }
      seen.append(line).append('\n');
    }
    throw new IOException("Chromium did not start: " + seen);
  }

  private String page() {
    for (JsonNode target : ask("Target.getTargets", Json.object()).get("targetInfos")) {
      if (target.get("type").textValue().equals("page")) {
        return target.get("targetId").textValue();
      }
    }
    throw new IllegalStateException("Chromium has no page");
  }

  private synchronized JsonNode ask(String method, ObjectNode parameters) {
    int id = ++asked;
    ObjectNode message = Json.object().put("id", id).put("method", method);
    message.set("params", parameters);
    if (session != null) {
      message.put("sessionId", session);
    }
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    questions.put(id, answer);
    socket
        .sendText(message.toString(), true)
        .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .join();
    JsonNode received = answer.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
    if (received.has("error")) {
      throw new IllegalStateException(method + ": " + received.get("error"));
    }
    return received.get("result");
  }

  void open(String uri) {
    ask("Page.navigate", Json.object().put("url", uri));
    waitFor("document.readyState === 'complete'");
  }

  /** Sets the size of the window in CSS pixels and the colour scheme, light or dark. */
  void show(int width, int height, String scheme) {
    ask(
        "Emulation.setDeviceMetricsOverride",
        Json.object()
            .put("width", width)
            .put("height", height)
            .put("deviceScaleFactor", 1)
            .put("mobile", false));
    ObjectNode media = Json.object();
    media.putArray("features").addObject().put("name", "prefers-color-scheme").put("value", scheme);
    ask("Emulation.setEmulatedMedia", media);
    evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
  }

  /** The value of a JavaScript expression; promises are awaited. */
  JsonNode evaluate(String expression) {
    JsonNode result =
        ask(
            "Runtime.evaluate",
            Json.object()
                .put("expression", expression)
                .put("returnByValue", true)
                .put("awaitPromise", true));
    if (result.has("exceptionDetails")) {
      throw new IllegalStateException(expression + ": " + result.get("exceptionDetails"));
    }
    return result.get("result").path("value");
  }

  String text(String selector) {
    return evaluate("document.querySelector(\"" + selector + "\").innerText").textValue();
  }

  void waitFor(String condition) {
    Instant deadline = Instant.now().plus(PATIENCE);
    while (!evaluate(condition).asBoolean()) {
      if (Instant.now().isAfter(deadline)) {
        throw new IllegalStateException(
            "never: " + condition + "\n" + text("body") + "\n" + problems());
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  void press(String key) {
    for (String type : List.of("keyDown", "keyUp")) {
      ask(
          "Input.dispatchKeyEvent",
          Json.object().put("type", type).put("key", key).put("code", key));
    }
  }

  void screenshot(Path file) throws IOException {
    ObjectNode whole = Json.object().put("captureBeyondViewport", true);
    JsonNode size = ask("Page.getLayoutMetrics", Json.object()).get("cssContentSize");
    whole
        .putObject("clip")
        .put("x", 0)
        .put("y", 0)
        .put("width", size.get("width").asDouble())
        .put("height", size.get("height").asDouble())
        .put("scale", 1);
    String data = ask("Page.captureScreenshot", whole).get("data").textValue();
    Files.write(file, Base64.getDecoder().decode(data));
  }

  /** What went wrong on the page: exceptions, and errors and warnings on the console. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    for (JsonNode event : events) {
      JsonNode parameters = event.get("params");
      String level =
          switch (event.get("method").textValue()) {
            case "Runtime.exceptionThrown" -> "error";
            case "Log.entryAdded" -> parameters.get("entry").get("level").textValue();
            case "Runtime.consoleAPICalled" -> parameters.get("type").textValue();
            default -> "none";
          };
      if (List.of("error", "warning", "assert").contains(level)) {
        problems.add(parameters.toString());
      }
    }
    return problems;
  }

  /** The addresses that were asked for. */
  List<String> requests() {
    return events.stream()
        .filter(event -> event.get("method").textValue().equals("Network.requestWillBeSent"))
        .map(event -> event.get("params").get("request").get("url").textValue())
        .toList();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Receiver implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        receive(text.toString());
        text.setLength(0);
      }
      webSocket.request(1);
      return null;
    }

    private void receive(String message) {
      JsonNode json;
      try {
        json = Json.parse(message.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        throw new IllegalStateException("no JSON from Chromium: " + message, e);
      }
      if (json.has("id")) {
        questions.remove(json.get("id").intValue()).complete(json);
      } else if (json.has("method")) {
        events.add(json);
      }
    }
  }
}
