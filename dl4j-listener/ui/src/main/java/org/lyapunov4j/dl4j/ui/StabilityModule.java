// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.core.storage.StatsStorageEvent;
import org.deeplearning4j.ui.api.HttpMethod;
import org.deeplearning4j.ui.api.Route;
import org.deeplearning4j.ui.api.UIModule;
import org.deeplearning4j.ui.i18n.I18NResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The page {@value #PATH} of Deeplearning4j's training UI, which finds it by {@code ServiceLoader}
 * and lists it in its menu. It shows the checkpoints that a {@link StabilityPublisher} put into any
 * of the attached storages, while training runs or afterwards.
 *
 * <p>The training UI listens on every network interface and knows no login. This page answers
 * requests from the machine it runs on and refuses all others, unless the system property {@value
 * #REMOTE_PROPERTY} is {@code true}.
 */
public final class StabilityModule implements UIModule {
  /** Where the page is. */
  public static final String PATH = "/stability";

  /** The system property that opens the page to other machines. */
  public static final String REMOTE_PROPERTY = "org.lyapunov4j.ui.remote";

  private static final Logger log = LoggerFactory.getLogger(StabilityModule.class);

  private final History history = new History();

  /** For {@code ServiceLoader}. */
  public StabilityModule() {}

  @Override
  public List<String> getCallbackTypeIDs() {
    return List.of(StabilityUpdate.TYPE_ID);
  }

  @Override
  public List<Route> getRoutes() {
    return List.of(
        route("", StabilityModule::page),
        route("/fields", rc -> answer(rc, Json.tree(Map.of("fields", Point.fields())))),
        route("/runs", rc -> answer(rc, history.runs())),
        route("/checkpoints", this::checkpoints));
  }

  /** Does nothing: the page asks the storages themselves. */
  @Override
  public void reportStorageEvents(Collection<StatsStorageEvent> events) {}

  @Override
  public void onAttach(StatsStorage statsStorage) {
    history.attach(statsStorage);
  }

  @Override
  public void onDetach(StatsStorage statsStorage) {
    history.detach(statsStorage);
  }

  @Override
  public List<I18NResource> getInternationalizationResources() {
    return MenuEntry.inAllLanguages();
  }

  private void checkpoints(RoutingContext rc) {
    String session = rc.request().getParam("session");
    String run = rc.request().getParam("run");
    String after = rc.request().getParam("after");
    if (session == null || run == null || after == null || !after.matches("-?\\d{1,18}")) {
      refuse(rc.response(), 400, "needs session, run and after, a time in milliseconds");
      return;
    }
    answer(rc, history.after(session, run, Long.parseLong(after)));
  }

  private static void page(RoutingContext rc) {
    Page page = Page.load();
    rc.response()
        .putHeader("content-type", "text/html; charset=utf-8")
        .putHeader("content-security-policy", page.policy())
        .putHeader("referrer-policy", "no-referrer")
        .end(page.html());
  }

  private static void answer(RoutingContext rc, JsonNode json) {
    rc.response().putHeader("content-type", "application/json; charset=utf-8").end(json.toString());
  }

  private static Route route(String path, Consumer<RoutingContext> handler) {
    return new Route(PATH + path, HttpMethod.GET, (parameters, rc) -> handle(rc, handler));
  }

  private static void handle(RoutingContext rc, Consumer<RoutingContext> handler) {
    HttpServerResponse response =
        rc.response()
            .putHeader("cache-control", "no-store")
            .putHeader("x-content-type-options", "nosniff");
    try {
      if (mayRead(rc.request())) {
        handler.accept(rc);
      } else {
        refuse(
            response,
            403,
            "The stability page answers this machine only. Start the JVM with -D"
                + REMOTE_PROPERTY
                + "=true to show it to others.");
      }
    } catch (Throwable failure) { // a closed FileStatsStorage throws an Error
      log.warn("The stability page could not answer {}", rc.request().uri(), failure);
      refuse(response, 500, "The stability page could not answer; the log says why.");
    }
  }

  private static void refuse(HttpServerResponse response, int status, String reason) {
    response.setStatusCode(status).end(reason);
  }

  private static boolean mayRead(HttpServerRequest request) {
    try {
      return Boolean.getBoolean(REMOTE_PROPERTY)
          || InetAddress.getByName(request.remoteAddress().host()).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
