// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.hipparchus.distribution.continuous.NormalDistribution;
import org.hipparchus.stat.correlation.PearsonsCorrelation;
import org.hipparchus.stat.inference.ChiSquareTest;
import org.hipparchus.stat.inference.KolmogorovSmirnovTest;
import org.junit.jupiter.api.Test;

class RandomStreamTest {
  @Test
  void theStreamOfASeedIsFixedForEver() {
    assertThat(new RandomStream(1).nextLong()).isEqualTo(6791897765849424158L);
    assertThat(new RandomStream(1).split(7).nextLong()).isEqualTo(8893173795419531398L);
  }

  @Test
  void theStreamIsSplitMix64SeededByItsOwnFirstOutput() {
    RandomStream random = new RandomStream(42);
    SplittableRandom reference = new SplittableRandom(new SplittableRandom(42).nextLong());
    for (int i = 0; i < 1000; i++) {
      assertThat(random.nextLong()).isEqualTo(reference.nextLong());
    }
  }

  @Test
  void childrenDoNotDependOnWhatWasDrawn() {
    RandomStream used = new RandomStream(5);
    used.nextGaussian();
    used.nextLong();
    assertThat(used.split(3).nextLong()).isEqualTo(new RandomStream(5).split(3).nextLong());
  }

  @Test
  void parentAndChildrenAreUncorrelated() {
    RandomStream parent = new RandomStream(9);
    int n = 20_000;
    double[][] draws = new double[n][4];
    RandomStream[] streams = {parent, parent.split(0), parent.split(1), parent.split(1).split(0)};
    for (double[] row : draws) {
      for (int s = 0; s < streams.length; s++) {
        row[s] = streams[s].nextDouble();
      }
    }
    double[][] correlation = new PearsonsCorrelation(draws).getCorrelationMatrix().getData();
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(correlation[i][j]).isCloseTo(0, within(4 / Math.sqrt(n)));
      }
    }
  }

  @Test
  void integersAreUniformForBoundsThatDoNotDivideThePowerOfTwo() {
    RandomStream random = new RandomStream(17);
    long[] counts = new long[7];
    double[] uniform = new double[7];
    java.util.Arrays.fill(uniform, 1);
    for (int i = 0; i < 70_000; i++) {
      counts[random.nextInt(7)]++;
    }
    assertThat(new ChiSquareTest().chiSquareTest(uniform, counts)).isGreaterThan(1e-3);
    assertThat(random.nextInt(1)).isZero();
    assertThat(random.nextInt(Integer.MAX_VALUE)).isBetween(0, Integer.MAX_VALUE - 1);
    assertThatThrownBy(() -> random.nextInt(0)).hasMessage("bound must be at least 1, got 0");
  }

  @Test
  void gaussiansAreNormal() {
    RandomStream random = new RandomStream(23);
    double[] sample = new double[5000];
    java.util.Arrays.setAll(sample, i -> random.nextGaussian());
    double p = new KolmogorovSmirnovTest().kolmogorovSmirnovTest(new NormalDistribution(), sample);
    assertThat(p).isGreaterThan(1e-3);
  }
}
