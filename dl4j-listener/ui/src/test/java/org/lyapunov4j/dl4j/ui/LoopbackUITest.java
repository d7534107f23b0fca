// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.deeplearning4j.ui.api.UIServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LoopbackUITest {
  @AfterEach
  void stop() throws Exception {
    System.clearProperty("org.deeplearning4j.ui.port");
    UIServer.stopInstance();
  }

  @Test
  void theTrainingUiListensOnLoopbackAlone() throws Exception {
    System.setProperty("org.deeplearning4j.ui.port", "0");
    UIServer server = LoopbackUI.start();

    assertThat(UIServer.getInstance()).isSameAs(server);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getPort() + "/stability"))
            .timeout(Duration.ofSeconds(60))
            .build();
    assertThat(
            HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .build()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .statusCode())
        .isEqualTo(200);
    assertThat(isTakenOnAnotherAddress(server.getPort())).isFalse();
  }

  @Test
  void aServerThatRunsAlreadyIsLeftAlone() throws Exception {
    System.setProperty("org.deeplearning4j.ui.port", "0");
    UIServer first = UIServer.getInstance();
    assertThat(isTakenOnAnotherAddress(first.getPort())).as("the reason for LoopbackUI").isTrue();
    assertThatThrownBy(LoopbackUI::start)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(first.getAddress());
    assertThat(UIServer.getInstance()).isSameAs(first);
  }

  @Test
  void aPortInUseIsAnErrorAndTheNextStartWorks() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      System.setProperty("org.deeplearning4j.ui.port", String.valueOf(taken.getLocalPort()));
      assertThatThrownBy(LoopbackUI::start)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("port " + taken.getLocalPort());
    }
    System.setProperty("org.deeplearning4j.ui.port", "0");
    assertThat(LoopbackUI.start().getPort()).isPositive();
  }

  private static boolean isTakenOnAnotherAddress(int port) throws IOException {
    InetAddress other = InetAddress.getByAddress(new byte[] {127, 0, 0, 2});
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(other, port));
      return false;
    } catch (BindException e) {
      return true;
    }
  }
}
