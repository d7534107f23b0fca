// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.step.SgdStep;

class EdgeTrendTest {
  private static final SgdStep STEP = SgdStep.of(0.5, 4);

  /** η/η_c at checkpoints every 100 iterations, for the learning rate of {@link #STEP}. */
  private static EdgeTrend trend(int checkpoints, LongToDoubleFunction ratio) {
    EdgeTrend trend = EdgeTrend.NONE;
    for (int i = 0; i < checkpoints; i++) {
      long iteration = 100L * i;
      trend = trend.with(iteration, STEP, edge(0.5 / ratio.applyAsDouble(iteration)));
    }
    return trend;
  }

  private static CriticalLearningRate edge(double rate) {
    return new CriticalLearningRate(rate, rate, rate, false, List.of());
  }

  @Test
  void aStraightLineArrivesWhereItLeads() {
    EdgeForecast forecast = trend(8, t -> 0.2 + t / 1200.0).forecast(0.5).orElseThrow();
    assertThat(forecast.iteration()).isCloseTo(960, within(1e-6));
    assertThat(forecast.low()).isCloseTo(960, within(1e-3));
    assertThat(forecast.high()).isCloseTo(960, within(1e-3));
    assertThat(forecast.toString()).contains("about iteration 960 (960 to 960)");
  }

  @Test
  void anotherLearningRateArrivesElsewhere() {
    EdgeTrend trend = trend(8, t -> 0.2 + t / 1200.0);
    assertThat(trend.forecast(0.6).orElseThrow().iteration())
        .isCloseTo((1 / 1.2 - 0.2) * 1200, within(1e-6));
    assertThat(trend.forecast(0.1)).as("too far away").isEmpty();
    assertThat(trend.forecast(1)).as("beyond the edge").isEmpty();
  }

  @Test
  void isSilentWithoutATrend() {
    assertThat(EdgeTrend.NONE.forecast(0.5)).isEmpty();
    assertThat(trend(3, t -> 0.2 + t / 500.0).forecast(0.5)).as("three points").isEmpty();
    assertThat(trend(8, t -> 0.8).forecast(0.5)).as("level").isEmpty();
    assertThat(trend(8, t -> 0.8 - t / 5000.0).forecast(0.5)).as("falling").isEmpty();
    assertThat(trend(12, t -> 0.2 + t / 900.0).forecast(0.5)).as("at the edge").isEmpty();
    Random random = new Random(5);
    int spoken = 0;
    for (int trial = 0; trial < 400; trial++) {
      spoken += trend(8, t -> 0.8 + 0.05 * random.nextGaussian()).forecast(0.5).isPresent() ? 1 : 0;
    }
    // g < 0.5 is |slope| above 1.41 · 2.78 standard errors: 0.9 % of levels that only scatter
    assertThat(spoken).isLessThanOrEqualTo(8);
  }

  /** Fieller's interval, where it is given, covers as often as it says. */
  @Test
  void theIntervalCovers() {
    Random random = new Random(7);
    int made = 0;
    int covered = 0;
    for (int trial = 0; trial < 1000; trial++) {
      Optional<EdgeForecast> forecast =
          trend(8, t -> 0.2 + t / 1200.0 + 0.01 * random.nextGaussian()).forecast(0.5);
      if (forecast.isPresent()) {
        made++;
        covered += forecast.get().low() <= 960 && 960 <= forecast.get().high() ? 1 : 0;
      }
    }
    assertThat(made).isGreaterThan(990);
    assertThat(covered / (double) made).isBetween(0.93, 0.97);
  }

  /** What was forecast in recorded runs, and what came. */
  @Test
  void recordedRunsWentThere() throws IOException {
    Map<String, List<double[]>> runs = recorded();
    int made = 0;
    int covered = 0;
    int withinTwice = 0;
    for (List<double[]> run : runs.values()) {
      double crossing =
          run.stream().skip(1).filter(p -> p[1] >= 1).mapToDouble(p -> p[0]).min().orElse(1e9);
      EdgeTrend trend = EdgeTrend.NONE;
      double before = 0;
      for (double[] point : run) {
        if (point[0] >= crossing) {
          break;
        }
        trend = trend.with((long) point[0], STEP, edge(0.5 / point[1]));
        double interval = point[0] - before;
        before = point[0];
        Optional<EdgeForecast> forecast = trend.forecast(0.5);
        if (forecast.isPresent()) {
          made++;
          // that the ratio is above 1 is seen at the first checkpoint after it got there
          boolean covers =
              forecast.get().low() <= crossing && crossing - interval <= forecast.get().high();
          covered += covers ? 1 : 0;
          double ahead = forecast.get().iteration() - point[0];
          double left = crossing - point[0];
          withinTwice += ahead <= 2 * left && ahead >= (left - interval) / 2 ? 1 : 0;
        }
      }
    }
    assertThat(runs).hasSizeGreaterThanOrEqualTo(8);
    assertThat(made).isGreaterThanOrEqualTo(10);
    assertThat(covered / (double) made).isGreaterThanOrEqualTo(0.85);
    assertThat(withinTwice / (double) made).isGreaterThanOrEqualTo(0.4);
  }

  /** Lines of run, iteration, η/η_c. */
  private static Map<String, List<double[]>> recorded() throws IOException {
    Map<String, List<double[]>> runs = new TreeMap<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                EdgeTrendTest.class.getResourceAsStream("edge-runs.csv"),
                StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] cells = line.split(",", -1);
        runs.computeIfAbsent(cells[0], run -> new ArrayList<>())
            .add(new double[] {Double.parseDouble(cells[1]), Double.parseDouble(cells[2])});
      }
    }
    return runs;
  }

  @Test
  void anotherStepBeginsAnew() {
    EdgeTrend trend = trend(8, t -> 0.2 + t / 1200.0);
    assertThat(trend.with(800, STEP.withLearningRate(0.1), edge(1)).points()).hasSize(6);
    assertThat(trend.with(800, STEP.withBatchSize(2), edge(1)).points()).hasSize(1);
    EdgeTrend resumed = trend.with(250, STEP, edge(1));
    assertThat(resumed.points()).extracting(EdgeTrend.Point::iteration).containsExactly(200L, 250L);
    assertThat(trend.with(800, STEP, edge(Double.POSITIVE_INFINITY))).isEqualTo(trend);
  }

  @Test
  void refusesWhatIsNoTrend() {
    EdgeTrend.Point point = new EdgeTrend.Point(3, 1);
    assertThatIllegalArgumentException().isThrownBy(() -> new EdgeTrend(null, List.of(point)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EdgeTrend(STEP, List.of(point, point)));
    assertThatIllegalArgumentException().isThrownBy(() -> new EdgeTrend.Point(1, 0));
  }
}
