// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class LyapunovPropertiesTest {
  private static final LyapunovEstimator ESTIMATOR =
      LyapunovEstimator.builder().epochs(512).threads(1).build();

  @Property(tries = 40, seed = "20407")
  void onlyTheProductOfRateAndGramMatters(
      @ForAll @IntRange(min = 2, max = 9) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @DoubleRange(min = 0.05, max = 3) double rate,
      @ForAll long seed) {
    GramMatrix gram = TestGrams.wishart(examples, outputs, 3 * examples * outputs, seed);
    double[][] scaled = gram.toArray();
    for (double[] row : scaled) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= rate;
      }
    }
    int batch = 1 + examples / 3;
    LyapunovExponent a = ESTIMATOR.estimate(gram, SgdStep.of(rate, batch));
    LyapunovExponent b =
        ESTIMATOR.estimate(GramMatrix.adopt(scaled, examples, outputs), SgdStep.of(1, batch));
    assertThat(b.low()).isCloseTo(a.low(), within(1e-6 + 1e-3 * (a.high() - a.low())));
    assertThat(b.high()).isCloseTo(a.high(), within(1e-6 + 1e-3 * (a.high() - a.low())));
  }

  @Property(tries = 25, seed = "20407")
  void theOrderOfExamplesDoesNotMatter(
      @ForAll @IntRange(min = 3, max = 9) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @DoubleRange(min = 0.3, max = 3) double rate,
      @ForAll long seed) {
    GramMatrix gram = TestGrams.wishart(examples, outputs, 2 * examples * outputs, seed);
    int[] order = permutation(examples, seed);
    SgdStep step = SgdStep.of(rate, 2).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    assertAgree(ESTIMATOR.estimate(gram, step), ESTIMATOR.estimate(gram.subset(order), step));
  }

  @Property(tries = 25, seed = "20407")
  void rotatingTheOutputsOfAnExampleDoesNotMatter(
      @ForAll @IntRange(min = 3, max = 7) int examples,
      @ForAll @DoubleRange(min = 0.3, max = 3) double rate,
      @ForAll long seed) {
    double[][] f = TestGrams.gaussian(2 * examples, 5 * examples, seed);
    GramMatrix gram = GramMatrix.adopt(TestGrams.product(f, 0.2 / examples), examples, 2);
    RandomStream random = new RandomStream(seed);
    for (int i = 0; i < examples; i++) {
      rotate(f[2 * i], f[2 * i + 1], 7 * random.nextDouble());
    }
    GramMatrix rotated = GramMatrix.adopt(TestGrams.product(f, 0.2 / examples), examples, 2);
    SgdStep step = SgdStep.of(rate, 1);
    assertAgree(ESTIMATOR.estimate(gram, step), ESTIMATOR.estimate(rotated, step));
  }

  @Property(tries = 40, seed = "20407")
  void theFullBatchIsGradientDescent(
      @ForAll @IntRange(min = 1, max = 8) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @DoubleRange(min = 0.5, max = 1) double edgeRatio,
      @ForAll long seed) {
    GramMatrix gram = TestGrams.wishart(examples, outputs, 4 * examples * outputs, seed);
    GramSpectrum spectrum = GramSpectrum.eigenvaluesOnly(gram);
    double rate = 3 * edgeRatio * examples / spectrum.largest();
    SgdStep step = SgdStep.of(rate, examples);
    LyapunovExponent exponent = LyapunovEstimator.builder().threads(1).build().estimate(gram, step);
    double mu = FullBatchExponent.of(spectrum, step);
    assertThat(exponent.low()).isLessThanOrEqualTo(mu + 1e-9);
    assertThat(exponent.high()).isGreaterThanOrEqualTo(mu - 1e-9);
    exponent.point().ifPresent(value -> assertThat(value).isCloseTo(mu, within(2e-3)));
  }

  private static void assertAgree(LyapunovExponent a, LyapunovExponent b) {
    double widths = a.high() - a.low() + b.high() - b.low();
    assertThat(b.low()).isLessThanOrEqualTo(a.high() + widths + 1e-9);
    assertThat(a.low()).isLessThanOrEqualTo(b.high() + widths + 1e-9);
  }

  private static int[] permutation(int size, long seed) {
    RandomStream random = new RandomStream(seed);
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  private static void rotate(double[] x, double[] y, double angle) {
    for (int j = 0; j < x.length; j++) {
      double a = Math.cos(angle) * x[j] - Math.sin(angle) * y[j];
      y[j] = Math.sin(angle) * x[j] + Math.cos(angle) * y[j];
      x[j] = a;
    }
  }
}
