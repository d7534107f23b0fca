// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * Serves {@code /metrics} to Prometheus on the loopback interface, from a thread that does not keep
 * the program alive.
 */
final class MetricsServer implements AutoCloseable {
  private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
  private static final String OPEN_METRICS =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";

  private final HttpServer server;
  private final PrometheusMeterRegistry registry;

  private MetricsServer(HttpServer server, PrometheusMeterRegistry registry) {
    this.server = server;
    this.registry = registry;
  }

  /**
   * Starts serving.
   *
   * @param port 0 for a free one
   * @throws IllegalArgumentException if the port is in use
   */
  static MetricsServer start(int port, PrometheusMeterRegistry registry) throws IOException {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try {
      MetricsServer metrics = new MetricsServer(HttpServer.create(address, 0), registry);
      metrics.server.createContext("/metrics", metrics::answer);
      // The dispatcher inherits from the thread that starts it whether it is a daemon.
      Thread starter = new Thread(metrics.server::start, "metrics-http");
      starter.setDaemon(true);
      starter.start();
      return metrics;
    } catch (BindException e) {
      throw new IllegalArgumentException(
          "--metrics-port must be a free port, got "
              + port
              + " which is in use; choose another, or 0 for any",
          e);
    }
  }

  URI uri() {
    InetSocketAddress address = server.getAddress();
    return URI.create(
        "http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + "/metrics");
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String accept = exchange.getRequestHeaders().getFirst("Accept");
      boolean open = accept != null && accept.contains("application/openmetrics-text");
      String type = open ? OPEN_METRICS : TEXT;
      byte[] body = registry.scrape(type).getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
