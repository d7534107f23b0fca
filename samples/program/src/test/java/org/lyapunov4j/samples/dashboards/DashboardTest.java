// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.dashboards;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.metrics.MetricsServer;
import org.lyapunov4j.dl4j.metrics.OpenMetricsFile;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The dashboard and the alert rules against a real Prometheus and real training runs. */
@Tag("programs")
class DashboardTest {
  private static final Path DASHBOARDS = Path.of("../dashboards");
  private static final Path ALERTS = DASHBOARDS.resolve("alerts.yml").toAbsolutePath();
  private static final Pattern METRIC = Pattern.compile("lyapunov_[a-z_]+");

  @TempDir private Path folder;

  private final MultiLayerNetwork network = linearNetwork();
  private final DataSet data = data();

  @Test
  void promtoolAcceptsRulesTheirTestsAndTheConfiguration() throws Exception {
    assertThat(Prometheus.promtool("check", "rules", ALERTS.toString())).contains("SUCCESS");
    assertThat(
            Prometheus.promtool("test", "rules", DASHBOARDS.resolve("alerts_test.yml").toString()))
        .contains("SUCCESS");
    assertThat(
            Prometheus.promtool("check", "config", DASHBOARDS.resolve("prometheus.yml").toString()))
        .contains("SUCCESS");
  }

  /**
   * First a stable phase, then the learning rate is set far beyond the edge; up to twice the
   * critical one a deep network would find a flatter minimum and be stable again.
   */
  @Test
  void everyPanelHasDataAndTheAlertsFireWhenTrainingGoesUnstable() throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    AtomicBoolean stop = new AtomicBoolean();
    try (MetricsServer server = MetricsServer.loopback(registry, 0);
        LyapunovListener listener =
            LyapunovListener.builder(data).run("live").frequency(1).registry(registry).build();
        Prometheus prometheus = Prometheus.start(folder, scraping(server))) {
      network.setListeners(listener);
      Thread training = new Thread(() -> train(stop), "training");
      training.start();
      try {
        for (String expression : dashboardExpressions()) {
          assertThat(prometheus.query(expression)).as(expression).isNotEmpty();
        }
        for (String metric : metrics(Files.readString(ALERTS))) {
          assertThat(prometheus.query(metric)).as(metric).isNotEmpty();
        }
        assertThat(prometheus.query("lyapunov_verdict").findValuesAsText("run"))
            .containsExactly("live");
        network.setLearningRate(4 * criticalLearningRate(listener));
        prometheus.alert("TrainingUnstable");
        prometheus.alert("TrainingBeyondTheEdge");
        prometheus.alert("StabilityCheckpointsFail");
      } finally {
        stop.set(true);
        training.join();
      }
    }
  }

  @Test
  void aShortRunIsBackfilledWithTheTimesOfItsCheckpoints() throws Exception {
    List<Checkpoint> checkpoints;
    try (LyapunovListener listener =
        LyapunovListener.builder(data).run("short").frequency(1).build()) {
      network.setListeners(listener);
      for (int i = 0; i < 12; i++) {
        network.fit(data);
        // promtool keeps milliseconds
        Thread.sleep(5);
      }
      checkpoints = listener.history();
    }
    Path file = folder.resolve("run.om");
    OpenMetricsFile.write(file, checkpoints);
    Prometheus.promtool(
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        file.toString(),
        folder.resolve("data").toString());

    try (Prometheus prometheus = Prometheus.start(folder, "global: {}\n")) {
      JsonNode count = prometheus.query("count_over_time(lyapunov_exponent_nats[1d])");
      assertThat(count.get(0).at("/value/1").asText()).isEqualTo("12");
      JsonNode iteration =
          prometheus.query("last_over_time(lyapunov_checkpoint_iteration_iterations[1d])");
      assertThat(iteration.get(0).at("/value/1").asInt())
          .isEqualTo(checkpoints.get(11).iteration());
    }
  }

  private static double criticalLearningRate(LyapunovListener listener) {
    List<Checkpoint> history = listener.history();
    return history.get(history.size() - 1).stability().criticalLearningRate().orElseThrow().value();
  }

  private void train(AtomicBoolean stop) {
    try {
      while (!stop.get()) {
        network.fit(data);
        Thread.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String scraping(MetricsServer server) {
    return """
        global: {scrape_interval: 1s, evaluation_interval: 1s}
        rule_files: ['%s']
        scrape_configs:
          - job_name: lyapunov4j
            static_configs: [{targets: ['127.0.0.1:%d']}]
        """
        .formatted(ALERTS, server.uri().getPort());
  }

  private static List<String> dashboardExpressions() throws IOException {
    JsonNode dashboard =
        new ObjectMapper()
            .readTree(DASHBOARDS.resolve("grafana/dashboards/lyapunov4j.json").toFile());
    List<String> expressions =
        Stream.concat(
                stream(dashboard.get("panels")).flatMap(panel -> stream(panel.get("targets"))),
                stream(dashboard.at("/annotations/list")).map(a -> a.get("target")))
            .map(target -> target.get("expr").asText())
            .map(DashboardTest::withoutVariables)
            .distinct()
            .collect(Collectors.toList());
    assertThat(expressions).hasSizeGreaterThan(20);
    return expressions;
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  /**
   * What Grafana fills in; a change of the verdict, which may not come, counts as data if asked.
   */
  private static String withoutVariables(String expression) {
    return expression
        .replace("$__rate_interval", "10s")
        .replace("$__interval", "10s")
        .replace("$run", ".*")
        .replaceAll("^(changes\\(.*\\)) > 0$", "$1");
  }

  private static Set<String> metrics(String rules) {
    return METRIC
        .matcher(rules.replaceAll("(?m)^ *description:.*$", ""))
        .results()
        .map(match -> match.group())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Without an activation nothing bounds the growth beyond the edge. */
  private static MultiLayerNetwork linearNetwork() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.01))
                .list()
                .layer(
                    new DenseLayer.Builder().nIn(4).nOut(8).activation(Activation.IDENTITY).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(8)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }

  private static DataSet data() {
    RandomStream random = new RandomStream(7);
    INDArray features = Nd4j.create(DataType.DOUBLE, 16, 4);
    INDArray labels = Nd4j.create(DataType.DOUBLE, 16, 2);
    for (int i = 0; i < 16; i++) {
      for (int j = 0; j < 4; j++) {
        features.putScalar(i, j, 2 * random.nextDouble() - 1);
      }
      labels.putScalar(i, i % 2, 1);
    }
    return new DataSet(features, labels);
  }
}
