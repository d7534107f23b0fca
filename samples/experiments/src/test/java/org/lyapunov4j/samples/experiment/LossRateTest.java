// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LossRateTest {
  private static final int INTERVAL = 10;

  /** A run of 400 steps with a checkpoint at every tenth. */
  private static RunResult run(DoubleUnaryOperator loss, double lambda, double residual) {
    double[] iterations = IntStream.rangeClosed(0, 40).mapToDouble(i -> 10.0 * i).toArray();
    return new RunResult(
        "run",
        Map.of(),
        new Measurements(
            Map.of("diverged", 0.0),
            Map.of(
                "iteration", iterations,
                "probeLoss",
                    IntStream.range(0, 41)
                        .mapToDouble(i -> loss.applyAsDouble(iterations[i]))
                        .toArray(),
                "lambda", constant(lambda),
                "residualRate", constant(residual))),
        0);
  }

  private static double[] constant(double value) {
    return IntStream.range(0, 41).mapToDouble(i -> value).toArray();
  }

  @Test
  void theLossOfOneDirectionFallsAtTwiceItsExponent() {
    LossRate rate =
        LossRate.of(run(t -> Math.exp(-0.02 * t), -0.01, -0.05), INTERVAL).orElseThrow();
    assertThat(rate.measured()).isCloseTo(-0.02, within(1e-12));
    assertThat(rate.exponent()).isCloseTo(-0.02, within(1e-12));
    assertThat(rate.followsExponent()).isTrue();
    assertThat(rate.followsResidual()).isFalse();
    assertThat(rate.overExponent()).isCloseTo(1, within(1e-9));
    assertThat(rate.from()).isEqualTo(200);
    assertThat(rate.to()).isEqualTo(400);
  }

  @Test
  void whatIsRoundingDoesNotCount() {
    LossRate rate =
        LossRate.of(run(t -> Math.max(Math.exp(-0.4 * t), 1e-30), -0.2, -0.2), INTERVAL)
            .orElseThrow();
    // e^(−0.4 · 126) = 1e-22
    assertThat(rate.to()).isEqualTo(120);
    assertThat(rate.measured()).isCloseTo(-0.4, within(1e-12));
  }

  @Test
  void aBoundIsNoForecast() {
    LossRate rate =
        LossRate.of(run(t -> Math.exp(-0.02 * t), Double.NaN, -0.01), INTERVAL).orElseThrow();
    assertThat(rate.followsExponent()).isFalse();
    assertThat(rate.followsResidual()).isTrue();
    assertThat(rate.overExponent()).isNaN();
  }

  @Test
  void checkpointsAtOtherDistancesAreNoForecastsOfEachOther() {
    assertThat(LossRate.of(run(t -> Math.exp(-0.02 * t), -0.01, -0.01), 20)).isEmpty();
    assertThat(LossRate.of(run(t -> Double.NaN, -0.01, -0.01), INTERVAL)).isEmpty();
  }
}
