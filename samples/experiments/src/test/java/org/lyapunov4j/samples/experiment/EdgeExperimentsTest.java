// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.train.DenseNetwork;

/** The experiments on the edge of stability, at a size for tests. */
class EdgeExperimentsTest {
  /** η; λ = ½Σ log|1 − ηh|; ½ log E(1 − ηh)²; log|1 − 2η|. Numbers of the reference case. */
  private static final double[][] TOY = {
    {0.30, -1.013994, -0.397479, -0.916291},
    {0.55, -0.015178, -0.004975, -2.302585},
    {0.556, -0.005502, 0.007023, -2.189256},
    {0.60, 0.059513, 0.093820, -1.609438},
    {0.70, 0.177997, 0.279122, -0.916291}
  };

  @TempDir private Path folder;

  private List<RunResult> execute(Experiment experiment, Settings settings, String pattern)
      throws IOException {
    return Executed.results(experiment, settings, pattern, folder);
  }

  private String page(Experiment experiment, List<RunResult> results) throws IOException {
    Path page =
        new ResultFolder(folder.resolve("results")).write(experiment, experiment.findings(results));
    return Files.readString(page);
  }

  private static Settings settings(String data, double length) {
    return new Settings(Optional.ofNullable(data).map(DataSource::parse), 1, length);
  }

  @Test
  void theToyAgreesWithItsExactTable() throws IOException {
    Toy toy = new Toy();
    List<RunResult> results = execute(toy, settings(null, 0.05), ".*");
    for (double[] row : TOY) {
      RunResult result =
          results.stream().filter(r -> r.id().equals("eta" + row[0] + "-seed1")).findFirst().get();
      double spread =
          Math.abs(Math.log(Math.abs(1 - 0.2 * row[0])) - Math.log(Math.abs(1 - 3.8 * row[0]))) / 2;
      assertThat(result.value("lambda")).isCloseTo(row[1], within(5 * spread / Math.sqrt(1 << 18)));
      assertThat(result.value("meanSquare")).isCloseTo(row[2], within(1e-6));
      assertThat(result.value("gradientDescent")).isCloseTo(row[3], within(1e-6));
      assertThat(result.value("index") < 1).isEqualTo(row[2] < 0);
      assertThat(result.value("descentLeft")).isZero();
      assertThat(Toy.exactExponent(row[0])).isCloseTo(row[1], within(1e-6));
      assertThat(Toy.exactMeanSquare(row[0])).isCloseTo(row[2], within(1e-6));
      assertThat(Toy.exactGradientDescent(row[0])).isCloseTo(row[3], within(1e-6));
    }
    assertThat(Toy.exactCriticalRate()).isCloseTo(0.5594716, within(1e-7));
    assertThat(Toy.exactMeanSquareRate()).isCloseTo(0.552486, within(1e-6));
    RunResult thresholds = results.get(0);
    assertThat(thresholds.value("critical")).isCloseTo(0.5594716, within(2e-3));
    // the search has no noise here: its interval is that of its grid
    double low = thresholds.value("criticalLow");
    double high = thresholds.value("criticalHigh");
    assertThat(0.5594716).isBetween(low, high);
    assertThat(high - low).isLessThan(0.03 * 0.5594716);
    assertThat(thresholds.value("meanSquare")).isCloseTo(0.552486, within(1e-6));
    assertThat(thresholds.value("gradientDescent")).isCloseTo(1, within(1e-12));
    assertThat(page(toy, results)).contains("0.552486", "| 0.7 |", "50 of 50");
  }

  @Test
  void inTheToySgdLeavesAboveTheEdgeAndStaysBelow() throws IOException {
    List<RunResult> results = execute(new Toy(), settings(null, 0.05), "eta(0.3|0.55|0.7)-.*");
    assertThat(results).extracting(r -> r.value("left")).containsExactly(0.0, 0.0, 50.0);
    assertThat(results).extracting(r -> r.value("leftSoon")).containsExactly(0.0, 0.0, 50.0);
    assertThat(results).extracting(r -> r.value("stayed")).containsExactly(50.0, 50.0, 0.0);
  }

  @Test
  void theToyTakesNoData() {
    assertThatThrownBy(() -> new Toy().runs(settings("digits", 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("takes no --data");
  }

  @Test
  void chebyshevIsInTheNormalisationOfThePublication() throws IOException {
    Chebyshev chebyshev = new Chebyshev();
    List<RunResult> results = execute(chebyshev, settings(null, 0.002), ".*-eta0.2-.*");
    assertThat(results).hasSize(2);
    for (RunResult result : results) {
      Descent descent = new Descent(result);
      assertThat(descent.edge()).isEqualTo(10);
      double[] ratios = result.curve("classicEdgeRatio");
      double[] hessian = descent.curvature("hessian");
      for (int i = 0; i < ratios.length; i++) {
        double gram = descent.curvature("sharpness")[i];
        assertThat(gram / descent.edge()).isCloseTo(ratios[i], within(1e-9 * ratios[i]));
        assertThat(hessian[i]).isPositive();
      }
      assertThat(descent.diverged()).isFalse();
    }
    assertThat(page(chebyshev, results))
        .contains("1-100-1 on chebyshev:4", "1-30-20-1 on chebyshev:6", "2/η = 10");
    assertThatThrownBy(() -> chebyshev.runs(settings("digits", 1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theNetworkOfChebyshevHasTheWeightsOfThePublication() throws IOException {
    NetworkRun run = (NetworkRun) new Chebyshev().runs(settings(null, 1)).get(0);
    MultiLayerNetwork network = DenseNetwork.initialised(run.configuration());
    assertThat(network.numParams()).isEqualTo(300);
    double first = network.getLayer(0).getParam("W").stdNumber().doubleValue();
    double second = network.getLayer(1).getParam("W").stdNumber().doubleValue();
    assertThat(first).isCloseTo(1.9 * Math.sqrt(2.0 / 101), within(0.07));
    assertThat(second).isCloseTo(Math.sqrt(2.0 / 101), within(0.035));
    assertThat(network.getLayer(0).getParam("b").amaxNumber().doubleValue()).isZero();
  }

  @Test
  void cifarIsInTheNormalisationOfThePublication() throws IOException {
    ByteArrayOutputStream images = new ByteArrayOutputStream();
    for (int i = 0; i < 20; i++) {
      images.write(i % 10);
      for (int j = 0; j < 3072; j++) {
        images.write((37 * i + 11 * j + i * j) % 256);
      }
    }
    Path file = folder.resolve("batch.bin");
    Files.write(file, images.toByteArray());
    Cifar cifar = new Cifar(20, List.of(8));
    List<RunResult> results = execute(cifar, settings("cifar10:" + file, 0.005), ".*-eta0.0667-.*");
    assertThat(results).hasSize(2);
    Map<String, List<Descent>> tasks = Descent.byTask(Descent.of(results));
    assertThat(tasks).containsOnlyKeys("mse", "cross-entropy");
    for (List<Descent> runs : tasks.values()) {
      Descent descent = runs.get(0);
      assertThat(descent.edge()).isCloseTo(30, within(1e-9));
      double gram = descent.curvature("sharpness")[0];
      double ratio = descent.run().curve("classicEdgeRatio")[0];
      assertThat(gram / 30).isCloseTo(ratio, within(1e-5 * ratio));
    }
    assertThat(page(cifar, results)).contains("cross-entropy, η = 0.06667");
    assertThatThrownBy(() -> cifar.runs(settings(null, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cifar needs --data");
  }

  private void writeImages() throws IOException {
    try (DataOutputStream images = open("train-images-idx3-ubyte");
        DataOutputStream labels = open("train-labels-idx1-ubyte")) {
      images.writeInt(0x803);
      images.writeInt(20);
      images.writeInt(4);
      images.writeInt(4);
      labels.writeInt(0x801);
      labels.writeInt(20);
      for (int i = 0; i < 20; i++) {
        labels.write(i % 10);
        for (int j = 0; j < 16; j++) {
          images.write(i % 10 == j ? 255 : 0);
        }
      }
    }
  }

  @Test
  void fashionStopsAtASmallLoss() throws IOException {
    writeImages();
    Fashion fashion = new Fashion(20, List.of(32));
    List<RunResult> results = execute(fashion, settings("mnist:" + folder, 0.5), "eta0.5-.*");
    assertThat(results).hasSize(1);
    Descent descent = new Descent(results.get(0));
    assertThat(descent.loss()).isLessThan(1e-3).isEqualTo(results.get(0).value("loss"));
    assertThat(descent.run().value("iterations")).isLessThan(3000);
    assertThat(page(fashion, results)).contains("3.9 ± 0.0", "1 of 1 runs got to a loss of 0.001");
  }

  @Test
  void fashionFollowsTheGradientFlowAtSmallRates() throws IOException {
    writeImages();
    Fashion fashion = new Fashion(20, List.of(32));
    List<RunResult> results =
        execute(fashion, settings("mnist:" + folder, 0.005), "eta0.0[12]-seed1");
    assertThat(results).hasSize(2);
    Findings findings = fashion.findings(results);
    assertThat(findings.pictures()).extracting(Picture::name).contains("fashion-flow");
    Picture flow = findings.pictures().get(1);
    // two kinds of weights, each a line and its points, and both rates come to η·steps = 5
    assertThat(flow.panels().get(0).curves()).hasSize(4);
    for (Picture.Curve curve : flow.panels().get(0).curves()) {
      assertThat(curve.x()[curve.x().length - 1]).isCloseTo(5, within(1e-9));
    }
  }

  private DataOutputStream open(String name) throws IOException {
    return new DataOutputStream(Files.newOutputStream(folder.resolve(name)));
  }

  @Test
  void batchSharpnessStandsBesideTheEdgeRatio() throws IOException {
    StochasticEdge experiment = new StochasticEdge(12, List.of(4, 6));
    List<RunResult> results =
        execute(experiment, settings(null, 0.002), "K1-B4-eta0.1-.*|K10-B3-eta0.5-.*");
    assertThat(results).hasSize(2);
    for (RunResult result : results) {
      double[] hessian = result.curve("hessian");
      assertThat(result.curve("batchSharpness")).hasSameSizeAs(hessian).doesNotContain(Double.NaN);
    }
    assertThat(results.get(0).curve("edgeRatio")).doesNotContain(Double.NaN);
    assertThat(page(experiment, results))
        .contains("K = 1, B = 4", "K = 10, B = 3", "batch sharpness·η/2, mean of ratios");
  }
}
