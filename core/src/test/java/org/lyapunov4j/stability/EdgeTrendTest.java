// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import java.util.Random;
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
    EdgeForecast forecast = trend(8, t -> 0.2 + t / 2000.0).forecast(0.5).orElseThrow();
    assertThat(forecast.iteration()).isCloseTo(1600, within(1e-6));
    assertThat(forecast.low()).isCloseTo(1600, within(1e-3));
    assertThat(forecast.high()).isCloseTo(1600, within(1e-3));
    assertThat(forecast.toString()).contains("about iteration 1600 (1600 to 1600)");
  }

  @Test
  void anotherLearningRateArrivesElsewhere() {
    EdgeTrend trend = trend(8, t -> 0.2 + t / 2000.0);
    assertThat(trend.forecast(0.75).orElseThrow().iteration())
        .isCloseTo((1 / 1.5 - 0.2) * 2000, within(1e-6));
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
    // g < 0.5 is |slope| above 1.41 · 2.45 standard errors: 0.7 % of levels that only scatter
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
          trend(8, t -> 0.2 + t / 2000.0 + 0.01 * random.nextGaussian()).forecast(0.5);
      if (forecast.isPresent()) {
        made++;
        covered += forecast.get().low() <= 1600 && 1600 <= forecast.get().high() ? 1 : 0;
      }
    }
    assertThat(made).isGreaterThan(990);
    assertThat(covered / (double) made).isBetween(0.93, 0.97);
  }

  @Test
  void anotherStepBeginsAnew() {
    EdgeTrend trend = trend(8, t -> 0.2 + t / 2000.0);
    assertThat(trend.with(800, STEP.withLearningRate(0.1), edge(1)).points()).hasSize(8);
    assertThat(trend.with(800, STEP.withBatchSize(2), edge(1)).points()).hasSize(1);
    EdgeTrend resumed = trend.with(250, STEP, edge(1));
    assertThat(resumed.points())
        .extracting(EdgeTrend.Point::iteration)
        .containsExactly(0L, 100L, 200L, 250L);
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
