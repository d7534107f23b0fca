// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.gram.ExampleBlocks;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class MeanSquarePropertiesTest {
  private static MeanSquareReport analyze(GramMatrix gram, SgdStep step) {
    return MeanSquareStability.of(GramSpectrum.of(gram)).analyze(step);
  }

  private static SgdStep step(double rate, int batchSize, boolean replacement) {
    return SgdStep.of(rate, batchSize)
        .withSampling(
            replacement ? MiniBatchSampling.IID_WITH_REPLACEMENT : MiniBatchSampling.IID_SUBSETS);
  }

  private static void assertSame(MeanSquareReport a, MeanSquareReport b) {
    if (a.index().value() < Double.POSITIVE_INFINITY) {
      assertThat(b.index().value()).isCloseTo(a.index().value(), within(1e-8 * a.index().value()));
    } else {
      assertThat(b.index().value()).isInfinite();
    }
    assertThat(b.exponent()).isCloseTo(a.exponent(), within(1e-8));
    double rate = a.criticalLearningRate().value();
    assertThat(b.criticalLearningRate().value()).isCloseTo(rate, within(1e-7 * rate));
    assertThat(b.criticalBatchSize()).isEqualTo(a.criticalBatchSize());
  }

  @Property(tries = 30, seed = "3")
  void theOrderOfExamplesDoesNotMatter(
      @ForAll @IntRange(min = 2, max = 12) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @IntRange(min = 1, max = 60) int features,
      @ForAll @DoubleRange(min = 0.05, max = 3) double rate,
      @ForAll boolean replacement,
      @ForAll long seed) {
    GramMatrix gram = TestGrams.wishart(examples, outputs, features, seed);
    int[] order = new int[examples];
    for (int i = 0; i < examples; i++) {
      order[i] = (i + 1) % examples;
    }
    SgdStep step = step(rate, 1 + examples / 3, replacement);
    assertSame(analyze(gram, step), analyze(gram.subset(order), step));
  }

  @Property(tries = 30, seed = "3")
  void rotatingTheOutputsOfAnExampleDoesNotMatter(
      @ForAll @IntRange(min = 2, max = 10) int examples,
      @ForAll @IntRange(min = 2, max = 60) int features,
      @ForAll @DoubleRange(min = 0.05, max = 3) double rate,
      @ForAll long seed) {
    double[][] f = TestGrams.gaussian(2 * examples, features, seed);
    GramMatrix gram = GramMatrix.adopt(TestGrams.product(f, 1.0 / features), examples, 2);
    RandomStream random = new RandomStream(seed);
    for (int i = 0; i < examples; i++) {
      double angle = 7 * random.nextDouble();
      for (int k = 0; k < features; k++) {
        double a = f[2 * i][k];
        double b = f[2 * i + 1][k];
        f[2 * i][k] = Math.cos(angle) * a - Math.sin(angle) * b;
        f[2 * i + 1][k] = Math.sin(angle) * a + Math.cos(angle) * b;
      }
    }
    GramMatrix rotated = GramMatrix.adopt(TestGrams.product(f, 1.0 / features), examples, 2);
    SgdStep step = SgdStep.of(rate, 1 + examples / 4);
    assertSame(analyze(gram, step), analyze(rotated, step));
  }

  @Property(tries = 30, seed = "3")
  void boundsHoldAndDescribeOneEdge(
      @ForAll @IntRange(min = 2, max = 12) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @IntRange(min = 1, max = 60) int features,
      @ForAll @DoubleRange(min = 0.02, max = 4) double rate,
      @ForAll @IntRange(min = 1, max = 12) int batch,
      @ForAll boolean replacement,
      @ForAll long seed) {
    GramMatrix gram = TestGrams.wishart(examples, outputs, features, seed);
    GramSpectrum spectrum = GramSpectrum.of(gram);
    SgdStep step = step(rate, Math.min(batch, examples), replacement);
    MeanSquareReport report = MeanSquareStability.of(spectrum).analyze(step);
    assertThat(report.index().low()).isLessThanOrEqualTo(report.index().high());
    if (report.isStable()) {
      assertThat(report.exponent()).isLessThan(1e-12);
      assertThat(rate).isLessThan(report.criticalLearningRate().high());
      assertThat(report.criticalBatchSize().getAsInt()).isLessThanOrEqualTo(step.batchSize());
    }
    if (report.isUnstable()) {
      assertThat(report.exponent()).isGreaterThan(-1e-12);
      assertThat(rate).isGreaterThan(report.criticalLearningRate().low());
      assertThat(report.criticalBatchSize().orElse(Integer.MAX_VALUE))
          .isGreaterThan(step.batchSize());
    }
    double mu = FullBatchExponent.of(spectrum, step);
    assertThat(report.exponent() / 2).isGreaterThan(mu - 1e-10);
    if (step.isFullBatch(examples)) {
      assertThat(report.exponent()).isCloseTo(2 * mu, within(1e-10));
    }
  }

  @Property(tries = 25, seed = "3")
  void forSingleExamplesTheIndexLiesBetweenTheCurvatures(
      @ForAll @IntRange(min = 1, max = 20) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @DoubleRange(min = 0.01, max = 1) double rate,
      @ForAll long seed) {
    GramMatrix gram = TestGrams.wishart(Math.max(2, examples), outputs, 60, seed);
    ExampleBlocks curvatures = ExampleBlocks.of(gram);
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < gram.examples(); i++) {
      least = Math.min(least, curvatures.eigenvalues(i)[0]);
    }
    Enclosure index = MeanSquareStability.of(GramSpectrum.of(gram)).index(SgdStep.of(rate, 1));
    assertThat(index.value()).isGreaterThanOrEqualTo(rate / 2 * least - 1e-10);
    assertThat(index.value())
        .isLessThanOrEqualTo(rate / 2 * curvatures.largestEigenvalue() + 1e-10);
    assertThat(index.high())
        .isLessThanOrEqualTo(rate / 2 * curvatures.largestEigenvalue() * (1 + 1e-6));
  }

  @Property(tries = 25, seed = "3")
  void theIndexGrowsWithTheRateAndFallsWithTheBatch(
      @ForAll @IntRange(min = 3, max = 12) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @IntRange(min = 1, max = 60) int features,
      @ForAll @DoubleRange(min = 0.02, max = 0.98) double edgeRatio,
      @ForAll boolean replacement,
      @ForAll long seed) {
    GramSpectrum spectrum = GramSpectrum.of(TestGrams.wishart(examples, outputs, features, seed));
    MeanSquareStability stability = MeanSquareStability.of(spectrum);
    double rate = edgeRatio * 2 * examples / spectrum.largest();
    double smaller = Double.POSITIVE_INFINITY;
    for (int b = 1; b <= examples; b++) {
      double index = stability.index(step(rate, b, replacement)).value();
      assertThat(index).isLessThan(smaller);
      assertThat(stability.index(step(1.01 * rate, b, replacement)).value())
          .isGreaterThanOrEqualTo(index);
      smaller = index;
    }
  }

  @Property(tries = 25, seed = "3")
  void onlyTheProductOfRateAndMatrixCounts(
      @ForAll @IntRange(min = 2, max = 12) int examples,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @DoubleRange(min = 0.02, max = 3) double rate,
      @ForAll long seed) {
    GramMatrix gram = TestGrams.wishart(examples, outputs, 2 * examples, seed);
    double[][] scaled = gram.toArray();
    for (double[] row : scaled) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= rate;
      }
    }
    MeanSquareReport a = analyze(gram, SgdStep.of(rate, 2));
    MeanSquareReport b = analyze(GramMatrix.adopt(scaled, examples, outputs), SgdStep.of(1, 2));
    assertThat(b.exponent()).isCloseTo(a.exponent(), within(1e-8));
    assertThat(b.criticalBatchSize()).isEqualTo(a.criticalBatchSize());
    assertThat(b.criticalLearningRate().value() * rate)
        .isCloseTo(
            a.criticalLearningRate().value(), within(1e-7 * a.criticalLearningRate().value()));
  }
}
