// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.StabilityReport;

class ProbeSizeTest {
  private static final int EXAMPLES = 64;

  static final ProbeSize SMALL = small(List.of(1, 4), 1000);

  @TempDir private Path folder;

  private static ProbeSize small(List<Integer> batchSizes, int mostRows) {
    return new ProbeSize(
        EXAMPLES, List.of(8), new Probes.Plan(List.of(), batchSizes, 4, 4, 400, mostRows));
  }

  private static Settings settings(double length) {
    return new Settings(Optional.empty(), 1, length);
  }

  private static double[] of(RunResult run, String curve, double moment, int size, int batch) {
    List<Double> found = new ArrayList<>();
    for (int i = 0; i < run.curve("size").length; i++) {
      if (run.curve("moment")[i] == moment
          && run.curve("size")[i] == size
          && run.curve("batchSize")[i] == batch) {
        found.add(run.curve(curve)[i]);
      }
    }
    return found.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** With the matrix, and with so many rows that there is none. */
  @ParameterizedTest
  @ValueSource(ints = {1000, 200})
  void allExamplesGiveWhatAnAnalysisOfThemGives(int mostRows) throws IOException {
    ProbeSize experiment = small(List.of(4), mostRows);
    Probes run = (Probes) experiment.runs(settings(2e-4)).get(1);
    assertThat(run.id()).isEqualTo("K10-seed1");
    RunResult result = Executed.results(experiment, settings(2e-4), run.id(), folder).get(0);
    StabilityReport truth =
        StabilityAnalysis.of(
                DenseNetwork.initialised(run.configuration()),
                run.examples(),
                AnalysisSettings.standard().withBatchSize(4))
            .run()
            .stability();
    assertThat(of(result, "sharpness", 0, EXAMPLES, 4)[0] / truth.sharpness())
        .isCloseTo(1, within(1e-4));
    CriticalLearningRate edge = truth.criticalLearningRate().orElseThrow();
    assertThat(of(result, "criticalRate", 0, EXAMPLES, 4)[0] / edge.value())
        .isCloseTo(1, within(0.06));
    assertThat(Double.isNaN(of(result, "meanSquareRate", 0, EXAMPLES, 4)[0]))
        .isEqualTo(mostRows == 200);
    assertThat(of(result, "lambdaSign", 0, EXAMPLES, 4)[0]).isEqualTo(-1);
  }

  @Test
  void probesOfASizeDiffer() throws IOException {
    RunResult run = Executed.results(SMALL, settings(0.01), "K1-.*", folder).get(0);
    assertThat(DoubleStream.of(run.curve("iteration")).distinct().toArray())
        .containsExactly(0, 5, 50);
    for (int size : new int[] {4, 8, 16}) {
      assertThat(of(run, "sharpness", 2, size, 1)).hasSize(4).doesNotHaveDuplicates();
      assertThat(of(run, "sharpness", 2, size, 1)).isEqualTo(of(run, "sharpness", 2, size, 4));
    }
    assertThat(of(run, "sharpness", 2, 32, 1)).hasSize(2);
    // the mean of convex functions of halves is no less than that of the whole
    for (int size : new int[] {8, 16}) {
      double[] halves = of(run, "sharpness", 2, size / 2, 1);
      double[] probes = of(run, "sharpness", 2, size, 1);
      for (int d = 0; d < 2; d++) {
        assertThat((halves[2 * d] + halves[2 * d + 1]) / 2).isGreaterThanOrEqualTo(probes[d]);
      }
    }
    assertThat(of(run, "loss", 2, 64, 1)[0]).isLessThan(of(run, "loss", 0, 64, 1)[0]);
  }

  @Test
  void saysWhatItFound() throws IOException {
    List<RunResult> results = Executed.results(SMALL, settings(2e-4), "K1-.*", folder);
    String page =
        Files.readString(
            new ResultFolder(folder.resolve("results")).write(SMALL, SMALL.findings(results)));
    assertThat(page)
        .contains(
            "| K1 | sharpness |", "N = 32", "η_ms, B = 1", "λ at the end, or its bounds, by N: 4:")
        .contains("probe-size.png");
  }

  /** y = 3 + 40/N: of a probe and its halves 3 is left, and 1/N is the law. */
  @Test
  void halvesAndExtrapolationKnowTheLaw() {
    Map<String, List<Double>> series = new TreeMap<>();
    for (int size = 50; size <= 400; size *= 2) {
      for (int draw = 0; draw < 800 / size; draw++) {
        add(series, size, draw, 3 + 40.0 / size + 1e-6 * (draw % 2));
      }
    }
    add(series, 1000, 0, 3.04);
    Map<String, double[]> curves = new TreeMap<>();
    series.forEach(
        (name, values) ->
            curves.put(name, values.stream().mapToDouble(Double::doubleValue).toArray()));
    RunResult run =
        new RunResult("law", Map.of("task", "law"), new Measurements(Map.of(), curves), 0);
    SettlingNumber sharpness = SettlingNumber.of(run).get(0);
    assertThat(sharpness.whole()).isEqualTo(3.04);
    assertThat(sharpness.deviations(400)[0]).isCloseTo(3.1 / 3.04 - 1, within(1e-12));
    List<SettlingNumber.Halved> halved = sharpness.halved();
    assertThat(halved).hasSize(8 + 4 + 2);
    assertThat(halved.get(0).change()).isCloseTo(Math.abs(1 - 3.8 / 3.4), within(1e-9));
    assertThat(halved)
        .allSatisfy(
            probe ->
                assertThat(probe.extrapolatedDeviation()).isCloseTo(0.04 / 3.04, within(2e-6)));
    assertThat(sharpness.ofOrderOne().value()).isCloseTo(3.04, within(1e-5));
    assertThat(sharpness.ofAnyOrder().exponent()).isEqualTo(1);
  }

  private static void add(Map<String, List<Double>> series, int size, int draw, double value) {
    Map.of(
            "moment",
            0.0,
            "iteration",
            0.0,
            "size",
            (double) size,
            "draw",
            (double) draw,
            "batchSize",
            1.0,
            "sharpness",
            value,
            "criticalRate",
            1 / value,
            "meanSquareRate",
            1 / value)
        .forEach((name, one) -> series.computeIfAbsent(name, k -> new ArrayList<>()).add(one));
  }
}
