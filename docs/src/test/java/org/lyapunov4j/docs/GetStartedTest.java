// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.ProbeSet;
import org.lyapunov4j.dl4j.metrics.MetricsServer;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.gram.NativeLibrary;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The code of docs/get-started.md, run. */
class GetStartedTest {
  @Test
  void theFirstRunPrintsItsCheckpoints() {
    PrintStream terminal = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      FirstRun.main(new String[0]);
    } finally {
      System.setOut(terminal);
    }

    assertThat(printed.toString(StandardCharsets.UTF_8).lines())
        .hasSize(10)
        .allMatch(
            line ->
                line.matches(
                    "iteration \\d+: η/η_c = .*, (STABLE|INCONCLUSIVE), loss .*, λ (= |between ).*"));
  }

  @Test
  void aRunIsWatchedFromOutsideAndRecorded(@TempDir Path folder)
      throws IOException, InterruptedException {
    DataSetIterator iterator = new ListDataSetIterator<>(data().asList(), 10);
    MultiLayerNetwork network = network();
    int seed = 1;
    int port = 0;
    Path file = folder.resolve("first-run.jsonl");

    // snippet: probe
    ProbeSet probe = ProbeSet.from(iterator, ProbeSet.Choice.STRATIFIED, 100, seed);
    // end

    // snippet: watched
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    MetricsServer server = MetricsServer.loopback(registry, port); // close it after training
    LyapunovListener listener =
        LyapunovListener.builder(probe) // a DataSet will do
            .frequency(200)
            .registry(registry)
            .record(file)
            .build();
    network.addListeners(listener); // close it after training, too
    // end

    network.fit(iterator, 20);
    String metrics =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .build()
            .send(
                HttpRequest.newBuilder(server.uri()).timeout(Duration.ofSeconds(60)).build(),
                BodyHandlers.ofString())
            .body();
    listener.close();
    server.close();

    assertThat(metrics).containsPattern("lyapunov_edge_ratio\\{run=\"[^\"]+\"} 0\\.\\d+");
    assertThat(RunRecord.read(file).checkpoints()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({
    "lyapunov4j-bom, lyapunov4j-parent</artifactId>\\s*<version>",
    "nd4j-native, <dl4j.version>",
    "slf4j-simple, <slf4j.version>",
    "micrometer-registry-prometheus, <micrometer.version>"
  })
  void theVersionsShownAreThoseOfThisBuild(String artifact, String before) throws IOException {
    String shown = first(artifact + "</artifactId>\\s*<version>", Path.of("get-started.md"));

    assertThat(shown).isEqualTo(first(before, Path.of("../pom.xml")));
  }

  @ParameterizedTest
  @CsvSource({"openblas, 'org.bytedeco:openblas:'", "javacpp, 'org.bytedeco:javacpp:'"})
  void theLibraryShownIsThatOfTheBom(String artifact, String before) throws IOException {
    String bom = Files.readString(Path.of("../dl4j-listener/bom/pom.xml"));
    Matcher managed = Pattern.compile("<" + artifact + ".version>([^<]+)<").matcher(bom);
    assertThat(managed.find()).isTrue();
    String version = managed.group(1);

    assertThat(Files.readString(Path.of("get-started.md"))).contains(before + version + "`");
    assertThat(NativeLibrary.REMEDY).contains(artifact + " " + version);
    assertThat(bom.split("<version>", 2)[1])
        .startsWith(first("lyapunov4j-parent</artifactId>\\s*<version>", Path.of("../pom.xml")));
  }

  private static String first(String before, Path file) throws IOException {
    Matcher matcher = Pattern.compile(before + "([^<]+)<").matcher(Files.readString(file));
    assertThat(matcher.find()).isTrue();
    return matcher.group(1);
  }

  private static DataSet data() {
    int examples = 120;
    return new DataSet(
        Nd4j.linspace(DataType.DOUBLE, -1, 2.0 / (3 * examples), 3L * examples)
            .reshape(examples, 3),
        Nd4j.eye(2).castTo(DataType.DOUBLE).repeat(0, examples / 2));
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1))
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }
}
