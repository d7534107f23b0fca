// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;

/**
 * Serves {@code /metrics} to Prometheus, for programs that have no web server. Its threads do not
 * keep the program alive. It answers GET and HEAD, compressed if asked, to 16 clients at a time;
 * one that has not asked and read within 10 s is cut off. The JDK's server has no time limits but
 * those of the whole process.
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

  /** Clients at a time; whoever comes beyond them is sent away. */
  private static final int CLIENTS = 16;

  /** What a client may take for its question and the answer. */
  private static final int SECONDS = 10;

  private final ServerSocket server;
  private final PrometheusMeterRegistry registry;
  private final ExecutorService clients =
      new ThreadPoolExecutor(
          0, CLIENTS, SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), MetricsServer::daemon);
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(MetricsServer::daemon);

  private MetricsServer(ServerSocket server, PrometheusMeterRegistry registry) {
    this.server = server;
    this.registry = registry;
    daemon(this::accept).start();
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
    ServerSocket socket = new ServerSocket();
    try {
      socket.bind(address);
    } catch (BindException e) {
      socket.close();
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
    return new MetricsServer(socket, registry);
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "lyapunov4j metrics");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Where the metrics are.
   *
   * @return the address to scrape, with the real port
   */
  public URI uri() {
    String host = server.getInetAddress().getHostAddress();
    return URI.create(
        "http://"
            + (host.contains(":") ? "[" + host + "]" : host)
            + ":"
            + server.getLocalPort()
            + "/metrics");
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        try {
          clients.execute(() -> serve(client));
        } catch (RejectedExecutionException busy) {
          client.close();
        }
      } catch (IOException | RuntimeException lost) {
        // The server was closed, or a client was gone before it was accepted.
      }
    }
  }

  /** One request, one answer, in a limited time. */
  private void serve(Socket client) {
    Future<?> end = clock.schedule(() -> close(client), SECONDS, TimeUnit.SECONDS);
    try (client) {
      HttpRequest request = HttpRequest.read(client.getInputStream());
      OutputStream out = client.getOutputStream();
      out.write(answer(request));
      out.flush();
      client.shutdownOutput();
      client.getInputStream().skip(HttpRequest.LONGEST);
    } catch (IOException | RuntimeException lost) {
      // Whoever asks again is served again.
    } finally {
      end.cancel(false);
    }
  }

  private static void close(Socket client) {
    try {
      client.close();
    } catch (IOException e) {
      // It is as good as closed.
    }
  }

  private byte[] answer(HttpRequest request) throws IOException {
    if (request.error() != null) {
      return response(request.error(), "", new byte[0], true);
    }
    if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
      return response("405 Method Not Allowed", "Allow: GET, HEAD\r\n", new byte[0], true);
    }
    if (!request.path().equals("/metrics")) {
      return response("404 Not Found", "", new byte[0], true);
    }
    boolean open = request.header("accept").contains("application/openmetrics-text");
    String type = open ? OPEN_METRICS : TEXT;
    byte[] body = registry.scrape(type).getBytes(StandardCharsets.UTF_8);
    String fields = "Content-Type: " + type + "\r\nVary: Accept, Accept-Encoding\r\n";
    if (request.acceptsGzip()) {
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
        gzip.write(body);
      }
      body = packed.toByteArray();
      fields += "Content-Encoding: gzip\r\n";
    }
    return response("200 OK", fields, body, request.method().equals("GET"));
  }

  private static byte[] response(String status, String fields, byte[] body, boolean withBody) {
    String head =
        "HTTP/1.1 "
            + status
            + "\r\n"
            + fields
            + "Content-Length: "
            + body.length
            + "\r\nConnection: close\r\n\r\n";
    ByteArrayOutputStream response = new ByteArrayOutputStream();
    response.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
    if (withBody) {
      response.writeBytes(body);
    }
    return response.toByteArray();
  }

  /** Stops serving. Closing again does nothing. */
  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      // It no longer listens.
    }
    clients.shutdownNow();
    clock.shutdownNow();
  }
}
