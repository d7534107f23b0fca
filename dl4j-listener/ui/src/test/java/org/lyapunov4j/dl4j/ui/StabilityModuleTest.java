// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.core.storage.impl.RemoteUIStatsStorageRouter;
import org.deeplearning4j.ui.model.storage.FileStatsStorage;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The module in Deeplearning4j's real server. */
class StabilityModuleTest {
  private static final String EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>";

  private final Ui ui = new Ui();
  private final StatsStorage storage = new InMemoryStatsStorage();

  @AfterEach
  void stop() {
    ui.close();
  }

  @Test
  void thePageMayRunItsOwnScriptAndAskItsOwnServerOnly() throws Exception {
    HttpResponse<String> page = ui.get("/stability");

    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(page.headers().firstValue("content-type")).contains("text/html; charset=utf-8");
    String policy = page.headers().firstValue("content-security-policy").orElseThrow();
    assertThat(policy)
        .startsWith("default-src 'none'; connect-src 'self'; img-src data:; script-src 'sha256-")
        .doesNotContain("unsafe");
    assertThat(page.body().replace("http://www.w3.org/2000/svg", ""))
        .doesNotContain("http://", "https://", "innerHTML", "style=\"");
  }

  @Test
  void aServerWithoutCheckpointsAnswers() throws Exception {
    assertThat(ui.runs()).isEmpty();
    ui.server.attach(storage);
    assertThat(ui.runs()).isEmpty();
    HttpResponse<String> unknown = ui.get("/stability/checkpoints?session=no&run=no&after=-1");
    assertThat(unknown.body()).isEqualTo("{\"checkpoints\":[],\"next\":-1,\"more\":false}");
  }

  @Test
  void checkpointsAreAnsweredInPartsAndOnce() throws Exception {
    ui.server.attach(storage);
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    for (int i = 0; i <= History.PAGE_SIZE; i++) {
      publisher.accept(Checkpoints.of("run", i, -0.1, 1));
    }
    JsonNode run = ui.runs().get(0);

    JsonNode first = ui.checkpoints(run, -1);
    JsonNode second = ui.checkpoints(run, first.get("next").longValue());
    JsonNode third = ui.checkpoints(run, second.get("next").longValue());

    assertThat(first.get("checkpoints")).hasSize(History.PAGE_SIZE);
    assertThat(first.get("more").booleanValue()).isTrue();
    assertThat(second.get("checkpoints")).hasSize(1);
    assertThat(second.get("checkpoints").get(0).get("iteration").intValue())
        .isEqualTo(History.PAGE_SIZE);
    assertThat(second.get("more").booleanValue()).isFalse();
    assertThat(third.get("checkpoints")).isEmpty();
  }

  @Test
  void runsAreListedTheLatestFirst() throws Exception {
    StatsStorage other = new InMemoryStatsStorage();
    ui.server.attach(storage);
    ui.server.attach(other);
    new StabilityPublisher(storage, "s").accept(Checkpoints.of("old", 1, -0.1, 1));
    new StabilityPublisher(other, "t").accept(Checkpoints.of("new", 3, -0.1, 1));
    new StabilityPublisher(storage, "s").accept(Checkpoints.of("middle", 2, -0.1, 1));

    assertThat(ui.runs().findValuesAsText("run")).containsExactly("new", "middle", "old");
    ui.server.detach(other);
    assertThat(ui.runs().findValuesAsText("run")).containsExactly("middle", "old");
  }

  @Test
  void namesAreDataAndNeverMarkup() throws Exception {
    ui.server.attach(storage);
    new StabilityPublisher(storage, "s").accept(Checkpoints.of(EVIL, 1, -0.1, 1));

    HttpResponse<String> answer = ui.get("/stability/runs");
    assertThat(answer.headers().firstValue("content-type"))
        .contains("application/json; charset=utf-8");
    assertThat(answer.headers().firstValue("x-content-type-options")).contains("nosniff");
    JsonNode run = ui.runs().get(0);
    assertThat(run.get("run").textValue()).isEqualTo(EVIL);
    assertThat(ui.checkpoints(run, -1).get("checkpoints").get(0).get("run").textValue())
        .isEqualTo(EVIL);
    assertThat(ui.get("/stability").body()).doesNotContain("alert(");
  }

  @Test
  void aStorageThatFailsHidesNoOther(@TempDir Path folder) throws Exception {
    StatsStorage closed = new FileStatsStorage(folder.resolve("stats.db").toFile());
    ui.server.attach(closed);
    ui.server.attach(storage);
    closed.close();
    new StabilityPublisher(storage, "s").accept(Checkpoints.of("run", 1, -0.1, 1));

    assertThat(ui.runs().findValuesAsText("run")).containsExactly("run");
    assertThat(ui.checkpoints(ui.runs().get(0), -1).get("checkpoints")).hasSize(1);
  }

  @Test
  void aQuestionThatMakesNoSenseIsAnsweredWithAnError() throws Exception {
    assertThat(ui.get("/stability/checkpoints").statusCode()).isEqualTo(400);
    assertThat(ui.get("/stability/checkpoints?session=s&run=r&after=x").statusCode())
        .isEqualTo(400);
    assertThat(ui.get("/stability").statusCode()).isEqualTo(200);
  }

  @Test
  void otherMachinesAreRefusedUnlessAskedFor() throws Exception {
    Optional<String> outer = outerAddress();
    assumeThat(outer).as("an address besides loopback").isPresent();
    String uri = "http://" + outer.get() + ":" + ui.server.getPort() + "/stability";

    HttpResponse<String> refused = ui.getFrom(uri);
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("-Dorg.lyapunov4j.ui.remote=true");
    assertThat(ui.getFrom(uri + "/runs").statusCode()).isEqualTo(403);
    System.setProperty(StabilityModule.REMOTE_PROPERTY, "true");
    try {
      assertThat(ui.getFrom(uri).statusCode()).isEqualTo(200);
    } finally {
      System.clearProperty(StabilityModule.REMOTE_PROPERTY);
    }
  }

  @Test
  void checkpointsComeFromAnotherProcess() throws Exception {
    ui.server.enableRemoteListener(storage, true);
    try (RemoteUIStatsStorageRouter router = new RemoteUIStatsStorageRouter(ui.address())) {
      StabilityPublisher publisher = new StabilityPublisher(router, "s");
      publisher.accept(Checkpoints.of("far # away", 1, -0.1, 1, Double.NaN));
      publisher.accept(Checkpoints.of("far # away", 2, -0.1, 1));

      Instant deadline = Instant.now().plus(Duration.ofSeconds(30));
      while (storage.getNumUpdateRecordsFor("s") < 2 && Instant.now().isBefore(deadline)) {
        Thread.sleep(20);
      }
    }

    JsonNode run = ui.runs().get(0);
    assertThat(run.get("run").textValue()).isEqualTo("far # away");
    assertThat(ui.checkpoints(run, -1).get("checkpoints")).hasSize(2);
  }

  @Test
  void theMenuOfTheTrainingUiListsThePage() throws Exception {
    String overview = ui.get("/train/overview").body();
    assertThat(overview)
        .contains("<i class=\"nav-icon cui-speedometer\"></i>System</a></li>")
        .containsOnlyOnce("<a class=\"nav-link\" href=\"/stability\">");
    ui.get("/setlang/de");
    assertThat(ui.get("/train/overview").body()).contains("Übersicht", "href=\"/stability\"");
    ui.get("/setlang/en");
  }

  private static Optional<String> outerAddress() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
        .map(InetAddress::getHostAddress)
        .findFirst();
  }
}
