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
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus.State;
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
            .to(new StabilityPublisher(storage, "s"))
            .to(checkpoint -> await(checkpoint.iteration(), seen))
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
  void everyEntryOfTheDocumentIsOnThePage() {
    Checkpoint checkpoint = Checkpoints.bounded("all", 1, -3e-9, 1);
    new StabilityPublisher(storage, "s").accept(checkpoint);
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('1 checkpoint,')");
    browser.evaluate("document.querySelector('#all summary').click()");
    browser.waitFor("document.querySelector('#all table') !== null");
    assertThat(browser.evaluate("document.querySelectorAll('#all tr').length").intValue())
        .isEqualTo(CheckpointDocument.of(checkpoint).entries().size());
    assertThat(browser.text("#all"))
        .contains("lost in rounding", "dropout was off", "EXACT")
        .doesNotContain("undefined", "[object");
    browser.evaluate("document.querySelector('#assumed summary').click()");
    assertThat(browser.text("#assumptions"))
        .contains("dropout was off", "λ is only bounded: lost in rounding");
  }

  @Test
  void whereThereIsNoCheckpointThePageSaysWhy() throws IOException {
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    publisher.status(status(State.WAITING, "no checkpoint was due yet"));
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('listener').innerText.startsWith('Waiting')");
    assertThat(browser.text("#listener")).isEqualTo("Waiting: no checkpoint was due yet");
    // the page asks for the status and for the checkpoints; either answer may come first
    browser.waitFor(isShown("#empty"));

    publisher.status(status(State.WATCHING, ""));
    publisher.accept(Checkpoints.of("run", 100, -0.1, 1));
    browser.waitFor("document.getElementById('status').innerText.startsWith('1 checkpoint,')");
    browser.waitFor("document.getElementById('listener').innerText === ''");

    publisher.status(status(State.FAILED, "<b>out</b> of\nmemory"));
    browser.waitFor("document.getElementById('listener').innerText !== ''");
    assertThat(browser.text("#listener"))
        .isEqualTo("The last checkpoint failed: <b>out</b> of memory");
    assertThat(visible("#now")).isTrue();

    publisher.status(status(State.REFUSED, "the probe has 7 features, the network takes 3"));
    browser.waitFor("document.getElementById('listener').innerText.includes('is off')");
    for (int width : new int[] {1280, 360}) {
      browser.show(width, 900, "light");
      browser.screenshot(Path.of("target", "stability-refused-" + width + ".png"));
    }
  }

  @Test
  void aListenerThatIsRefusedTellsThePage() {
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    DataSet other = new DataSet(Nd4j.ones(DataType.DOUBLE, 4, 7), Nd4j.ones(DataType.DOUBLE, 4, 2));
    try (LyapunovListener listener =
        LyapunovListener.builder(other).frequency(1).run("refused").to(publisher).build()) {
      MultiLayerNetwork network = network();
      network.setListeners(listener);
      network.fit(data());
      browser.open(ui.address() + "/stability");
      browser.waitFor("document.getElementById('listener').innerText !== ''");
      assertThat(browser.text("#listener"))
          .startsWith("The listener is off: ")
          .contains(listener.status().reason());
    }
  }

  /** What a screen reader says by itself: changes of these, and not the time with every poll. */
  @Test
  void changesAreReadAloudAndTheTimeIsNot() {
    new StabilityPublisher(storage, "s").accept(Checkpoints.of("run", 100, -0.1, 1));
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('1 checkpoint,')");
    assertThat(
            browser
                .evaluate("[...document.querySelectorAll('[aria-live]')].map(e => e.id).join()")
                .textValue())
        .isEqualTo("said,listener");
    assertThat(browser.text("#said")).isEqualTo("1 checkpoint");
    browser.evaluate(
        "window.changes = 0; new MutationObserver(all => window.changes += all.length)"
            + ".observe(document.getElementById('said'), {childList: true, subtree: true,"
            + " characterData: true}), 0");
    String before = browser.text("#at");
    browser.waitFor("document.getElementById('at').innerText !== '" + before + "'");
    assertThat(browser.evaluate("window.changes").intValue()).isZero();
  }

  @Test
  void noNameTurnsTheDirectionOfWriting() {
    String override = "run \u202egnp.exe\u2066\u0007";
    String hebrew = "\u05e8\u05d9\u05e6\u05d4";
    StabilityPublisher publisher = new StabilityPublisher(storage, "\u202es");
    publisher.accept(Checkpoints.of(hebrew, 1, -0.1, 1));
    publisher.accept(Checkpoints.of(override, 100, -0.1, 1));
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('1 checkpoint,')");

    assertThat(browser.evaluate("document.title").textValue())
        .isEqualTo("Stability · run \ufffdgnp.exe\ufffd\ufffd");
    assertThat(browser.text("#run"))
        .contains(
            "run \ufffdgnp.exe\ufffd\ufffd · ", "\u2068" + hebrew + "\u2069 · ", "session \ufffds");
    assertThat(browser.text("body")).doesNotContain("\u202e", "\u2066");
  }

  /** Seen in target/stability-focus.png; the numbers hold what is seen there. */
  @Test
  void theFocusRingCoversNoText() throws IOException {
    StabilityPublisher publisher = new StabilityPublisher(storage, "s");
    for (int i = 1; i <= 4; i++) {
      publisher.accept(Checkpoints.of("run", 10 * i, -0.1, i));
    }
    browser.open(ui.address() + "/stability");
    browser.waitFor("document.getElementById('status').innerText.startsWith('4 checkpoints')");
    browser.show(1280, 900, "light");
    browser.evaluate("document.querySelector('svg.plot').focus()");
    browser.press("ArrowLeft");
    browser.screenshot(Path.of("target", "stability-focus.png"));
    assertThat(browser.evaluate(RING_OVER_TEXT).textValue()).isEmpty();
  }

  /** Texts of the figure, in the plot and around it, that the ring of the plot in focus crosses. */
  private static final String RING_OVER_TEXT =
      """
      (() => {
        const plot = document.activeElement;
        const style = getComputedStyle(plot);
        if (style.outlineStyle === 'none') return 'no ring';
        const box = plot.getBoundingClientRect();
        const offset = parseFloat(style.outlineOffset), width = parseFloat(style.outlineWidth);
        const out = offset + width;
        const crossed = [];
        for (const e of plot.closest('figure').querySelectorAll('text, h2, li, button')) {
          const t = e.getBoundingClientRect();
          const touches = t.right > box.left - out && t.left < box.right + out
              && t.bottom > box.top - out && t.top < box.bottom + out;
          const inside = t.left >= box.left - offset && t.right <= box.right + offset
              && t.top >= box.top - offset && t.bottom <= box.bottom + offset;
          if (touches && !inside && e.textContent) crossed.push(e.textContent);
        }
        return crossed.join('|');
      })()\
      """;

  private static ListenerStatus status(State state, String reason) {
    return new ListenerStatus("run", state, reason, 1, 0, 0, 0, 0);
  }

  @Test
  void namesStayText() {
    String evil =
        "</script><script>document.title='evil'</script><img src=x"
            + " onerror=\"document.title='evil'\">";
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
    return browser.evaluate(isShown(selector)).booleanValue();
  }

  private static String isShown(String selector) {
    return "document.querySelector('" + selector + "').offsetParent !== null";
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
