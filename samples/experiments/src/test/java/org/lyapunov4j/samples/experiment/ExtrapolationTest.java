// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.samples.experiment.Extrapolation.Level;
import org.lyapunov4j.step.RandomStream;

class ExtrapolationTest {
  private static final int ALL = 5000;

  /** 5 + 30/Nᵃ at 50, 100, … with noise. */
  private static List<Level> levels(double exponent, double error, RandomStream random) {
    return IntStream.range(0, 6)
        .mapToObj(
            k -> {
              int size = 50 << k;
              double noise = error == 0 ? 0 : error * random.nextGaussian();
              double value = law(exponent, size) + noise;
              return new Level(size, new Mean(value, error == 0 ? 1e-3 : error, 4));
            })
        .toList();
  }

  private static double law(double exponent, int size) {
    return 5 + 30 * Math.pow(size, -exponent);
  }

  @Test
  void findsTheLawThatItIsGiven() {
    Extrapolation first = Extrapolation.ofOrderOne(levels(1, 0, null), ALL);
    assertThat(first.value()).isCloseTo(law(1, ALL), within(1e-12));
    assertThat(first.misfit()).isLessThan(1e-12);
    Extrapolation any = Extrapolation.ofAnyOrder(levels(0.5, 0, null), ALL);
    assertThat(any.exponent()).isEqualTo(0.5);
    assertThat(any.value()).isCloseTo(law(0.5, ALL), within(1e-12));
    assertThat(any.covers(law(0.5, ALL))).isTrue();
  }

  @Test
  void anotherLawIsNotCovered() {
    Extrapolation found = Extrapolation.ofOrderOne(levels(0.3, 0, null), ALL);
    assertThat(found.misfit()).isGreaterThan(10);
    assertThat(found.covers(law(0.3, ALL))).isFalse();
  }

  /** 19 of 20; a little more for misfits that widen and for exponents that are tried. */
  @Test
  void intervalsHoldTheTruthAsOftenAsTheySay() {
    int first = 0;
    int any = 0;
    int trials = 400;
    for (int trial = 0; trial < trials; trial++) {
      RandomStream random = new RandomStream(trial);
      List<Level> levels = levels(1, 0.02, random);
      first += Extrapolation.ofOrderOne(levels, ALL).covers(law(1, ALL)) ? 1 : 0;
      any += Extrapolation.ofAnyOrder(levels, ALL).covers(law(1, ALL)) ? 1 : 0;
    }
    assertThat(first / (double) trials).isBetween(0.93, 0.995);
    assertThat(any / (double) trials).isBetween(0.90, 1.0);
  }

  @Test
  void fewSizesAreRefused() {
    List<Level> levels = levels(1, 0, null);
    assertThatThrownBy(() -> Extrapolation.ofOrderOne(levels.subList(0, 2), ALL))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("more than 2 sizes, got 2");
    assertThatThrownBy(() -> Extrapolation.ofAnyOrder(levels.subList(0, 3), ALL))
        .hasMessageContaining("more than 3 sizes, got 3");
  }
}
