// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.step.RandomStream;

class LossSpikesTest {
  private final LossSpikes spikes = new LossSpikes();
  private final RandomStream random = new RandomStream(4);

  @Test
  void noiseAndDescentAreNoSpikes() {
    for (int t = 0; t < 20_000; t++) {
      double loss = Math.exp(-t / 2000.0) * (1 + 0.1 * random.nextGaussian());
      assertThat(spikes.observe(loss)).as("at " + t).isFalse();
    }
  }

  @Test
  void aJumpIsOneSpike() {
    int alarms = 0;
    for (int t = 0; t < 1000; t++) {
      double loss = 1 + 0.01 * random.nextGaussian() + (t >= 500 && t < 520 ? 1 : 0);
      if (spikes.observe(loss)) {
        assertThat(t).isEqualTo(500);
        alarms++;
      }
    }
    assertThat(alarms).isEqualTo(1);
  }

  @Test
  void aSmallRiseOfASteadyLossIsNone() {
    for (int t = 0; t < 200; t++) {
      assertThat(spikes.observe(t < 100 ? 1 : 1.09)).isFalse();
    }
    assertThat(spikes.observe(1.3)).isTrue();
  }

  @Test
  void lossesThatAreNotFiniteAreNoSpikes() {
    for (int t = 0; t < 100; t++) {
      spikes.observe(1);
    }
    assertThat(spikes.observe(Double.NaN)).isFalse();
    assertThat(spikes.observe(Double.POSITIVE_INFINITY)).isFalse();
    assertThat(spikes.observe(2)).isTrue();
  }

  /** The truth is the rule, recomputed from scratch. */
  @Test
  void agreesWithTheRule() {
    double[] losses = new double[5000];
    long quiet = 0;
    for (int t = 0; t < losses.length; t++) {
      losses[t] = Math.exp(1.5 * random.nextGaussian());
      boolean expected = false;
      if (t >= LossSpikes.WINDOW && t >= quiet) {
        double[] window = Arrays.copyOfRange(losses, t - LossSpikes.WINDOW, t);
        Arrays.sort(window);
        double median = (window[31] + window[32]) / 2;
        double deviation = (window[48] - window[15]) / 1.349;
        expected = losses[t] > median + Math.max(6 * deviation, 0.1 * median);
        quiet = expected ? t + LossSpikes.WINDOW : quiet;
      }
      assertThat(spikes.observe(losses[t])).as("at " + t).isEqualTo(expected);
    }
  }
}
