// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.api.UIServer;

/**
 * Starts Deeplearning4j's training UI on the loopback interface. {@code UIServer.getInstance()} on
 * its own would start it on every interface of the machine, with no option to do otherwise and no
 * login; after {@link #start()} it returns the server that listens on {@code 127.0.0.1}.
 */
public final class LoopbackUI {
  private static final String LOOPBACK = "127.0.0.1";

  private LoopbackUI() {}

  /**
   * Starts the training UI, in single-session mode, on the port of the system property {@code
   * org.deeplearning4j.ui.port}, by default 9000; 0 for any free one.
   *
   * @return the server, the same as {@code UIServer.getInstance()} from now on
   * @throws IllegalStateException if a training UI runs already, or this one does not start, for
   *     example because the port is in use
   */
  public static UIServer start() {
    VertxUIServer running = VertxUIServer.getInstance();
    if (running != null && !running.isStopped()) {
      throw new IllegalStateException(
          "a training UI runs already, at "
              + running.getAddress()
              + "; start this one before anything calls UIServer.getInstance()");
    }
    CompletableFuture<String> started = new CompletableFuture<>();
    Vertx.vertx()
        .deployVerticle(
            new Server(),
            deployed -> {
              if (deployed.succeeded()) {
                started.complete(deployed.result());
              } else {
                started.completeExceptionally(deployed.cause());
              }
            });
    try {
      started.join();
    } catch (CompletionException e) {
      stop(e);
      throw new IllegalStateException("the training UI does not start: " + e.getCause(), e);
    }
    return UIServer.getInstance();
  }

  private static void stop(Exception reason) {
    try {
      UIServer.stopInstance();
    } catch (Exception e) {
      reason.addSuppressed(e);
    }
  }

  private static final class Server extends VertxUIServer {
    @Override
    public void init(Vertx vertx, Context context) {
      super.init(onLoopback(vertx), context);
    }
  }

  /** The same vert.x, but for its HTTP servers. */
  private static Vertx onLoopback(Vertx vertx) {
    return (Vertx)
        Proxy.newProxyInstance(
            Vertx.class.getClassLoader(),
            new Class<?>[] {Vertx.class},
            (proxy, method, arguments) -> {
              Object result = invoke(vertx, method, arguments);
              return result instanceof HttpServer server ? onLoopback(server) : result;
            });
  }

  /** The same HTTP server, but that it listens on the loopback interface if it is told none. */
  private static HttpServer onLoopback(HttpServer server) {
    return (HttpServer)
        Proxy.newProxyInstance(
            HttpServer.class.getClassLoader(),
            new Class<?>[] {HttpServer.class},
            (proxy, method, arguments) -> {
              Object result =
                  isListenWithoutHost(method)
                      ? listen(server, arguments)
                      : invoke(server, method, arguments);
              return result == server ? proxy : result;
            });
  }

  private static boolean isListenWithoutHost(Method method) {
    return method.getName().equals("listen")
        && method.getParameterCount() == 2
        && method.getParameterTypes()[0] == int.class
        && method.getParameterTypes()[1] == Handler.class;
  }

  @SuppressWarnings("unchecked") // checked by isListenWithoutHost
  private static HttpServer listen(HttpServer server, Object[] arguments) {
    return server.listen(
        (Integer) arguments[0], LOOPBACK, (Handler<AsyncResult<HttpServer>>) arguments[1]);
  }

  private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
