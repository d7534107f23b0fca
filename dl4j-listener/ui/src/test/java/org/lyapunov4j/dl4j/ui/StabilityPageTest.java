// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The page in headless Chromium. */
@Tag("programs")
class StabilityPageTest {
  @TempDir(cleanup = CleanupMode.NEVER) // Chromium may still be writing into it
  static Path profile;

  private final StatsStorage storage = new InMemoryStatsStorage();
  private Ui ui;
  private Browser browser;

  @BeforeEach
  void start() throws IOException {
    ui = new Ui();
    ui.server.attach(storage);
    browser = new Browser(Files.createTempDirectory(profile, "chromium"));
  }

  @AfterEach
  void nothingWentWrongAndNothingWasAskedOfOthers() {
    try {
      assertThat(browser.problems()).isEmpty();
      assertThat(browser.requests())
          .isNotEmpty()
          .allMatch(uri -> uri.startsWith(ui.address() + "/") || uri.startsWith("data:"));
    } finally {
      browser.close();
      ui.close();
    }
  }

  @Test
  void withoutCheckpointsThePageSaysSoAndWaitsForTheFirst() {
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText === 'waiting for a checkpoint'");
    assertThat(browser.text("#empty")).contains("No checkpoints yet", "StabilityPublisher");
    assertThat(visible("#now")).isFalse();

    new StabilityPublisher(storage, "s").accept(Checkpoints.of("first", 100, -0.1, 1));

    browser.waitFor("document.getElementById('status').innerText.startsWith('1 checkpoint,')");
    assertThat(visible("#empty")).isFalse();
    assertThat(browser.text("#verdict")).contains("Stable", "iteration 100, epoch 10");
    assertThat(browser.text("#run")).startsWith("first · ");
  }

  @Test
  void thePageFollowsTraining() throws Exception {
    CountDownLatch seen = new CountDownLatch(1);
    MultiLayerNetwork network = network();
    DataSet data = data();
    Thread training;
    try (LyapunovListener listener =
        LyapunovListener.builder(data)
            .frequency(5)
            .run("training")
            .onCheckpoint(new StabilityPublisher(storage, "s"))
            .onCheckpoint(checkpoint -> await(checkpoint.iteration(), seen))
            .build()) {
      network.addListeners(listener);
      training = new Thread(() -> fit(network, data, 41), "training");
      training.start();
      browser.open(ui.address() + "/stability");
      browser.waitFor("document.getElementById('status').innerText.startsWith('5 checkpoints')");
      String before = browser.text("#now");
      seen.countDown();
      browser.waitFor("document.getElementById('status').innerText.startsWith('9 checkpoints')");
      training.join();

      assertThat(listener.failures()).isZero();
      assertThat(browser.text("#now"))
          .isNotEqualTo(before)
          .contains("iteration 40", "SGD, learning rate 0.05");
      assertThat(browser.evaluate("document.querySelectorAll('.plot .series').length").intValue())
          .isGreaterThanOrEqualTo(6);
      assertThat(browser.text("#numbers")).doesNotContain("NaN", "undefined");
    }
  }

  @Test
  void whatIsNoNumberLeavesAGap() {
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    double[] losses = {0.5, 0.4, Double.NaN, 0.3, 0.2, Double.POSITIVE_INFINITY, 0.1};
    for (int i = 0; i < losses.length; i++) {
      publisher.accept(Checkpoints.of("gaps", i, -0.1 - i, 1, losses[i]));
    }
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('7 checkpoints')");

    String loss = "[...document.querySelectorAll('figure')].at(-1).querySelector('svg.plot')";
    assertThat(browser.evaluate(loss + ".querySelectorAll('.series').length").intValue())
        .as("stretches of the line: 2, 2 and 1 points")
        .isEqualTo(3);
    assertThat(browser.evaluate(loss + ".querySelectorAll('.mark').length").intValue())
        .as("five points and a triangle for infinity")
        .isEqualTo(6);
    assertThat(browser.evaluate(loss + ".outerHTML").textValue()).doesNotContain("NaN");
  }

  @Test
  void aBoundIsABandWithoutAPoint() {
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    publisher.accept(Checkpoints.of("bounds", 0, -0.1, 1));
    for (int i = 1; i < 4; i++) {
      publisher.accept(Checkpoints.bounded("bounds", i, -3e-9, 1));
    }
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('4 checkpoints')");

    String exponents = "document.querySelectorAll('figure')[1].querySelector('svg.plot')";
    assertThat(browser.evaluate(exponents + ".querySelectorAll('.band').length").intValue())
        .isEqualTo(1);
    assertThat(browser.evaluate(exponents + ".querySelectorAll('.mark').length").intValue())
        .as("λ and μ of the first checkpoint")
        .isEqualTo(2);
    assertThat(browser.text("#numbers")).contains("between −3.0e−09 and 0", "only bounded");
    assertThat(browser.text("#numbers")).startsWith("η/η_c");
    assertThat(browser.evaluate(exponents + ".getAttribute('aria-label')").textValue())
        .isEqualTo(
            "Lyapunov exponent at iteration 3: λ between −3.0e−09 and 0, μ, full batch between"
                + " −3.0e−09 and 0");
    browser.evaluate("document.querySelector('#table summary').click()");
    browser.waitFor("document.querySelector('#table table') !== null");
    assertThat(browser.text("#table")).contains("between −3.0e−09 and 0").doesNotContain("NaN");
  }

  @Test
  void namesStayText() {
    String evil =
        "</script><script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">";
    new StabilityPublisher(storage, "<b>s</b>").accept(Checkpoints.of(evil, 1, 0.1, 5));
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('1 checkpoint,')");

    assertThat(browser.text("#run")).contains(evil);
    assertThat(browser.evaluate("document.title").textValue()).isEqualTo("Stability · " + evil);
    assertThat(browser.evaluate("document.querySelectorAll('img, b b').length").intValue())
        .isZero();
    assertThat(browser.text("#advice")).contains("lower the learning rate below 0.35");
  }

  @Test
  void theKeyboardReachesEveryCheckpointAndEveryRun() {
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    for (int i = 1; i <= 4; i++) {
      publisher.accept(Checkpoints.of("new", 10 * i, -0.1, i));
    }
    new StabilityPublisher(storage, "t").accept(Checkpoints.of("old", 5, 0.1, 1));
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('4 checkpoints')");

    browser.evaluate("document.querySelector('svg.plot').focus()");
    browser.press("ArrowLeft");
    assertThat(browser.text("#now")).contains("Checkpoint", "iteration 30,");
    assertThat(browser.evaluate("document.activeElement.getAttribute('aria-label')").textValue())
        .isEqualTo("Edge ratio at iteration 30: η/η_c 0.625, sharpness / limit 0.75");
    browser.press("Home");
    assertThat(browser.text("#now")).contains("iteration 10,");
    browser.press("Escape");
    assertThat(browser.text("#now")).contains("Latest checkpoint", "iteration 40,");

    browser.evaluate("document.getElementById('run').focus()");
    browser.press("ArrowDown");
    browser.waitFor("document.getElementById('verdict').innerText.includes('iteration 5,')");
    assertThat(browser.evaluate("location.search").textValue()).isEqualTo("?session=t&run=old");
  }

  /** The screenshots below target/ are for people; docs/images/stability.png is one of them. */
  @Test
  void aRealRunFitsOnEveryScreenInLightAndDark() throws IOException {
    new SampleRun().train(0.2, 8000, 200, new StabilityPublisher(storage, "s"));
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('40 checkpoints')");

    for (String scheme : List.of("light", "dark")) {
      for (int width : new int[] {1280, 360}) {
        browser.show(width, 900, scheme);
        assertThat(browser.evaluate("document.documentElement.scrollWidth").intValue())
            .isLessThanOrEqualTo(width);
        browser.screenshot(Path.of("target", "stability-" + scheme + "-" + width + ".png"));
      }
    }
  }

  private boolean visible(String selector) {
    return browser
        .evaluate("document.querySelector('" + selector + "').offsetParent !== null")
        .booleanValue();
  }

  /** Holds training at its fifth checkpoint until the page was looked at. */
  private static void await(int iteration, CountDownLatch seen) {
    try {
      if (iteration == 20) {
        seen.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void fit(MultiLayerNetwork network, DataSet data, int iterations) {
    for (int i = 0; i < iterations; i++) {
      network.fit(data);
    }
  }

  private static DataSet data() {
    return new DataSet(
        Nd4j.linspace(DataType.DOUBLE, -1, 0.11, 18).reshape(6, 3),
        Nd4j.linspace(DataType.DOUBLE, 1, -0.13, 12).reshape(6, 2));
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.05))
                .list()
                .layer(new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(4)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }
}
