// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Serves {@code /metrics} to Prometheus, for programs that have no web server. Its thread does not
 * keep the program alive.
 *
 * <pre>{@code
 * try (MetricsServer server = MetricsServer.loopback(registry, 9464)) {
 *   network.fit(iterator, epochs);
 * }
 * }</pre>
 *
 * <p>Needs {@code micrometer-registry-prometheus}, which this library does not bring along.
 */
public final class MetricsServer implements AutoCloseable {
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
   * Serves on the loopback interface, so to this machine alone.
   *
   * @param registry what is served
   * @param port 0 for a free one, see {@link #uri()}
   * @return the running server
   * @throws IllegalArgumentException if the port is no port or in use
   * @throws IOException if the server cannot be started
   */
  public static MetricsServer loopback(PrometheusMeterRegistry registry, int port)
      throws IOException {
    return start(registry, new InetSocketAddress(InetAddress.getLoopbackAddress(), port(port)));
  }

  /**
   * Serves on any interface, to whoever can reach it: there is no log-in and no encryption.
   *
   * @param registry what is served
   * @param host the address of an interface of this machine, for example 0.0.0.0 for all
   * @param port 0 for a free one, see {@link #uri()}
   * @return the running server
   * @throws IllegalArgumentException if the port is no port or in use, or the host not an address
   *     of this machine
   * @throws IOException if the server cannot be started
   */
  public static MetricsServer exposed(PrometheusMeterRegistry registry, String host, int port)
      throws IOException {
    InetSocketAddress address = new InetSocketAddress(host, port(port));
    if (address.isUnresolved()) {
      throw new IllegalArgumentException(
          "host must be an address of this machine, got '" + host + "'; 0.0.0.0 is all of them");
    }
    return start(registry, address);
  }

  private static int port(int port) {
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException(
          "port must be 0 to 65535, got " + port + "; 0 takes a free port");
    }
    return port;
  }

  private static MetricsServer start(PrometheusMeterRegistry registry, InetSocketAddress address)
      throws IOException {
    Objects.requireNonNull(registry, "registry");
    try {
      MetricsServer metrics = new MetricsServer(HttpServer.create(address, 0), registry);
      metrics.server.createContext("/metrics", metrics::answer);
      metrics.startAsDaemon();
      return metrics;
    } catch (BindException e) {
      throw new IllegalArgumentException(
          "cannot listen on "
              + address.getAddress().getHostAddress()
              + ", port "
              + address.getPort()
              + ": "
              + e.getMessage()
              + "; choose a free port, 0 for any, on an address of this machine",
          e);
    }
  }

  /** The dispatcher inherits from the thread that starts it whether it is a daemon. */
  private void startAsDaemon() throws IOException {
    Thread starter = new Thread(server::start, "lyapunov4j metrics");
    starter.setDaemon(true);
    starter.start();
    try {
      starter.join();
    } catch (InterruptedException e) {
      server.stop(0);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the metrics server was starting");
    }
  }

  /**
   * Where the metrics are.
   *
   * @return the address to scrape, with the real port
   */
  public URI uri() {
    InetSocketAddress address = server.getAddress();
    String host = address.getAddress().getHostAddress();
    return URI.create(
        "http://"
            + (host.contains(":") ? "[" + host + "]" : host)
            + ":"
            + address.getPort()
            + "/metrics");
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().getPath().equals("/metrics")) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      String accept = exchange.getRequestHeaders().getFirst("Accept");
      boolean open = accept != null && accept.contains("application/openmetrics-text");
      String type = open ? OPEN_METRICS : TEXT;
      byte[] body = registry.scrape(type).getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** Stops serving. Closing again does nothing. */
  @Override
  public void close() {
    server.stop(0);
  }
}
