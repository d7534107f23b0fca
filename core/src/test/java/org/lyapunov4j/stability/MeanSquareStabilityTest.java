// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class MeanSquareStabilityTest {
  private static MeanSquareStability stability(GramMatrix gram) {
    return MeanSquareStability.of(GramSpectrum.of(gram));
  }

  private static GramMatrix diagonal(double... entries) {
    double[][] rows = new double[entries.length][entries.length];
    for (int i = 0; i < entries.length; i++) {
      rows[i][i] = entries[i];
    }
    return GramMatrix.of(rows, entries.length, 1);
  }

  static Stream<ReferenceCases.Case> closedFormCases() {
    return ReferenceCases.all().stream()
        .filter(c -> MeanSquareStability.obstacle(c.step(), c.json().get("N").asInt()).isEmpty());
  }

  @ParameterizedTest
  @MethodSource("closedFormCases")
  void reproducesTheReferenceCases(ReferenceCases.Case c) {
    MeanSquareStability stability = stability(c.gram());
    String field = c.has("Lambda2_quotient") ? "Lambda2_quotient" : "Lambda2";
    double exponent = stability.exponent(c.step());
    assertThat(exponent).isCloseTo(c.number(field), within(1e-9));
    MeanSquareReport report = stability.analyze(c.step());
    assertThat(report.exponent()).isCloseTo(exponent, within(1e-9));
    if (c.has("index_ms") && Double.isFinite(report.index().value())) {
      assertThat(report.index().value()).isCloseTo(c.number("index_ms"), within(1e-9));
      assertThat(report.index().high()).isCloseTo(report.index().low(), within(1e-4));
    }
    if (Math.abs(exponent) > 1e-9) {
      assertThat(report.isStable()).isEqualTo(exponent < 0);
      assertThat(report.isUnstable()).isEqualTo(exponent > 0);
      assertThat(c.step().learningRate() < report.criticalLearningRate().value())
          .isEqualTo(exponent < 0);
    }
  }

  static Stream<SgdStep> steps() {
    Stream<SgdStep> plain = Stream.of(SgdStep.of(1, 1), SgdStep.of(1, 2), SgdStep.of(1, 3));
    return plain
        .flatMap(s -> Stream.of(s, s.withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT)))
        .flatMap(s -> Stream.of(s, s.withL2(0.03), s.withWeightDecay(0.4)))
        .flatMap(s -> Stream.of(0.05, 0.4, 1.1, 3.0).map(s::withLearningRate));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void agreesWithTheEnumerationOfAllBatches(SgdStep step) {
    for (SecondMomentOracle oracle : oracles()) {
      MeanSquareStability stability = stability(oracle.gram());
      double exponent = oracle.exponent(step);
      assertThat(stability.exponent(step)).isCloseTo(exponent, within(1e-9));
      Enclosure index = stability.index(step);
      if (exponent < -1e-9) {
        assertThat(index.high()).isLessThan(1);
      }
      if (exponent > 1e-9) {
        assertThat(index.low()).isGreaterThan(1);
      }
      if (Double.isFinite(index.value()) && index.value() > 0) {
        assertThat(index.value()).isCloseTo(oracle.index(step), within(1e-9 * index.value()));
      }
    }
  }

  /** (N, K, p): full rank and singular, one output and several, N = B included. */
  private static List<SecondMomentOracle> oracles() {
    return List.of(
        SecondMomentOracle.random(5, 1, 5, 0.8, 1),
        SecondMomentOracle.random(6, 1, 3, 1.2, 2),
        SecondMomentOracle.random(3, 2, 6, 1, 3),
        SecondMomentOracle.random(4, 2, 3, 0.7, 4),
        SecondMomentOracle.random(3, 3, 5, 1, 5));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void theCriticalLearningRateSeparatesStableFromUnstable(SgdStep step) {
    for (SecondMomentOracle oracle : oracles()) {
      Enclosure critical = stability(oracle.gram()).criticalLearningRate(step);
      double rate = critical.value();
      assertThat(critical.low()).isCloseTo(rate, within(1e-3 * rate));
      assertThat(oracle.exponent(step.withLearningRate(critical.low() * (1 - 1e-8)))).isNegative();
      assertThat(oracle.exponent(step.withLearningRate(critical.high() * (1 + 1e-8)))).isPositive();
      assertThat(oracle.exponent(step.withLearningRate(rate))).isCloseTo(0, within(1e-8));
    }
  }

  @ParameterizedTest
  @CsvSource({"1,0.3", "1,0.8", "1,1.5", "1,2.5", "2,0.2", "2,0.6", "2,1.1", "3,0.35"})
  void theCriticalBatchSizeIsTheFirstStableOne(int outputs, double rate) {
    int examples = 4;
    SecondMomentOracle oracle = SecondMomentOracle.random(examples, outputs, 4, 1.3, 9);
    for (MiniBatchSampling sampling :
        List.of(MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.IID_WITH_REPLACEMENT)) {
      SgdStep step = SgdStep.of(rate, 1).withSampling(sampling);
      OptionalInt expected = OptionalInt.empty();
      for (int b = examples; b >= 1 && oracle.exponent(step.withBatchSize(b)) < 0; b--) {
        expected = OptionalInt.of(b);
      }
      assertThat(stability(oracle.gram()).criticalBatchSize(step)).isEqualTo(expected);
      assertThat(stability(oracle.gram()).analyze(step).criticalBatchSize()).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"270,1,40", "90,3,8"})
  void agreesWithPowerIterationOnTheOperatorItself(int examples, int outputs, int batchSize) {
    SecondMomentOracle oracle =
        SecondMomentOracle.random(examples, outputs, 300, Math.pow(0.2, 1.0 / examples), 21);
    GramMatrix gram = oracle.gram();
    MeanSquareStability exact = MeanSquareStability.of(GramSpectrum.of(gram), Integer.MAX_VALUE);
    SgdStep step = SgdStep.of(1, batchSize);
    double rate = 4 * exact.criticalLearningRate(step).value();
    double expected = powerIteration(gram, rate, batchSize);
    SgdStep at = step.withLearningRate(rate);
    assertThat(exact.exponent(at)).isCloseTo(expected, within(1e-7));
    assertThat(stability(gram).exponent(at)).isCloseTo(expected, within(1e-3 * expected));
  }

  /**
   * log of the spectral radius on symmetric X of X − (η/N)(GX + XG) + c₁GXG + c₂bd(GXG), products
   * and all.
   */
  private static double powerIteration(GramMatrix gram, double rate, int batchSize) {
    double n = gram.examples();
    double c1 = rate * rate * (batchSize - 1) / (batchSize * n * (n - 1));
    double c2 = rate * rate * (n - batchSize) / (batchSize * n * (n - 1));
    double[][] g = gram.toArray();
    int m = g.length;
    double[][] x = new double[m][m];
    for (int i = 0; i < m; i++) {
      x[i][i] = 1;
    }
    double radius = 0;
    double before;
    int iterations = 0;
    do {
      double[][] gx = product(g, x);
      double[][] gxg = product(gx, g);
      double norm = 0;
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < m; j++) {
          boolean same = i / gram.outputs() == j / gram.outputs();
          x[i][j] -=
              rate / n * (gx[i][j] + gx[j][i])
                  - (c1 + (same ? c2 : 0)) * 0.5 * (gxg[i][j] + gxg[j][i]);
          norm = Math.max(norm, Math.abs(x[i][j]));
        }
      }
      for (double[] row : x) {
        for (int j = 0; j < m; j++) {
          row[j] /= norm;
        }
      }
      before = radius;
      radius = norm;
    } while (Math.abs(radius - before) > 1e-10 && ++iterations < 500);
    return Math.log(radius);
  }

  private static double[][] product(double[][] a, double[][] b) {
    int m = a.length;
    double[][] c = new double[m][m];
    for (int i = 0; i < m; i++) {
      for (int k = 0; k < m; k++) {
        for (int j = 0; j < m; j++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.01, 0.3, 1, 1.7, 5})
  void ofADiagonalMatrixEverythingIsKnown(double rate) {
    double[] g = {0.5, 1, 0.01, 1.5};
    MeanSquareStability stability = stability(diagonal(g));
    for (int batchSize = 1; batchSize <= 4; batchSize++) {
      double p = batchSize / 4.0;
      double largest = 0;
      for (double gi : g) {
        double factor = 1 - rate / batchSize * gi;
        largest = Math.max(largest, 1 - p + p * factor * factor);
      }
      SgdStep step = SgdStep.of(rate, batchSize);
      assertThat(stability.exponent(step)).isCloseTo(Math.log(largest), within(1e-9));
      assertThat(stability.criticalLearningRate(step).value())
          .isCloseTo(2 * batchSize / 1.5, within(1e-9));
    }
  }

  @Test
  void aFloatMatrixGivesTheSameToItsPrecision() {
    SecondMomentOracle oracle = SecondMomentOracle.random(40, 2, 90, 0.98, 17);
    GramMatrix exact = oracle.gram();
    float[][] rows = new float[exact.size()][exact.size()];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < rows.length; j++) {
        rows[i][j] = (float) exact.get(i, j);
      }
    }
    SgdStep step = SgdStep.of(2, 4);
    MeanSquareReport expected = stability(exact).analyze(step);
    MeanSquareReport found = stability(GramMatrix.adopt(rows, 40, 2)).analyze(step);
    assertThat(found.index().value()).isCloseTo(expected.index().value(), within(1e-6));
    assertThat(found.criticalLearningRate().value())
        .isCloseTo(expected.criticalLearningRate().value(), within(1e-5));
    assertThat(found.criticalBatchSize()).isEqualTo(expected.criticalBatchSize());
  }

  @Test
  void forTheFullBatchOnlyTheMeanDynamicsCounts() {
    GramMatrix gram = SecondMomentOracle.random(6, 2, 12, 1, 8).gram();
    GramSpectrum spectrum = GramSpectrum.of(gram);
    MeanSquareStability stability = MeanSquareStability.of(spectrum);
    for (MiniBatchSampling sampling :
        List.of(MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.SHUFFLED_EPOCHS)) {
      for (double rate : new double[] {0.1, 1, 10}) {
        SgdStep step = SgdStep.of(rate, 6).withSampling(sampling);
        double mu = FullBatchExponent.of(spectrum, step);
        assertThat(stability.exponent(step)).isCloseTo(2 * mu, within(1e-12));
        assertThat(stability.index(step).value()).isEqualTo(mu < 0 ? 0 : Double.POSITIVE_INFINITY);
        assertThat(stability.criticalLearningRate(step).value())
            .isCloseTo(2 * 6 / spectrum.largest(), within(1e-12));
      }
    }
  }

  @Test
  void theGuardMakesTheIndexInfinite() {
    GramMatrix gram = SecondMomentOracle.random(6, 1, 6, 1, 30).gram();
    GramSpectrum spectrum = GramSpectrum.of(gram);
    MeanSquareStability stability = MeanSquareStability.of(spectrum);
    int batchSize = 5;
    double guard = 2.0 * batchSize * (6 - 1) / ((batchSize - 1) * spectrum.largest());
    assertThat(stability.index(SgdStep.of(0.999 * guard, batchSize)).value()).isFinite();
    assertThat(stability.index(SgdStep.of(1.001 * guard, batchSize)).value()).isInfinite();
    assertThat(stability.exponent(SgdStep.of(1.001 * guard, batchSize))).isPositive();
  }

  @Test
  void ofTheZeroMatrixEveryStepIsStable() {
    MeanSquareStability stability = stability(GramMatrix.of(new double[6][6], 3, 2));
    MeanSquareReport report = stability.analyze(SgdStep.of(1, 2));
    assertThat(report.isStable()).isTrue();
    assertThat(report.exponent()).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(report.criticalLearningRate().value()).isInfinite();
    assertThat(report.criticalBatchSize()).hasValue(1);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-120, 1e-6, 1e6, 1e120})
  void onlyTheProductOfRateAndMatrixCounts(double scale) {
    SecondMomentOracle oracle = SecondMomentOracle.random(5, 2, 7, 0.9, 12);
    double[][] rows = oracle.gram().toArray();
    for (double[] row : rows) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= scale;
      }
    }
    SgdStep step = SgdStep.of(0.7, 2);
    MeanSquareReport plain = stability(oracle.gram()).analyze(step);
    MeanSquareReport scaled =
        stability(GramMatrix.of(rows, 5, 2)).analyze(step.withLearningRate(0.7 / scale));
    assertThat(scaled.index().value()).isCloseTo(plain.index().value(), within(1e-9));
    assertThat(scaled.exponent()).isCloseTo(plain.exponent(), within(1e-9));
    assertThat(scaled.criticalLearningRate().value() * scale)
        .isCloseTo(plain.criticalLearningRate().value(), within(1e-9));
  }

  @Test
  void aSingularBlockOfASoftmaxLossIsNoObstacle() {
    int outputs = 3;
    RandomStream random = new RandomStream(4);
    double[][] factor = new double[5 * outputs][6];
    for (int i = 0; i < 5; i++) {
      for (int k = 0; k < 6; k++) {
        double mean = 0;
        for (int a = 0; a < outputs; a++) {
          factor[i * outputs + a][k] = random.nextGaussian();
          mean += factor[i * outputs + a][k] / outputs;
        }
        for (int a = 0; a < outputs; a++) {
          factor[i * outputs + a][k] -= mean;
        }
      }
    }
    SecondMomentOracle oracle = new SecondMomentOracle(factor, 5, outputs);
    for (double rate : new double[] {0.05, 0.2, 0.5}) {
      SgdStep step = SgdStep.of(rate, 2);
      Enclosure index = stability(oracle.gram()).index(step);
      assertThat(index.value()).isCloseTo(oracle.index(step), within(1e-9));
      assertThat(index.high() / index.low()).isLessThan(1 + 1e-4);
      assertThat(stability(oracle.gram()).exponent(step))
          .isCloseTo(oracle.exponent(step), within(1e-9));
    }
  }

  @Test
  void saysWhyASecondMomentIsNotAvailable() {
    SgdStep step = SgdStep.of(0.1, 2);
    assertThat(MeanSquareStability.obstacle(step, 4)).isEmpty();
    assertThat(
            MeanSquareStability.obstacle(step.withMomentum(new Momentum.HeavyBall(0.9)), 4).get())
        .contains("heavy-ball");
    SgdStep shuffled = step.withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    assertThat(MeanSquareStability.obstacle(shuffled, 4).get()).contains("reshuffled");
    assertThat(MeanSquareStability.obstacle(shuffled.withBatchSize(4), 4)).isEmpty();
    MeanSquareStability stability = stability(diagonal(1, 2));
    assertThatThrownBy(() -> stability.index(SgdStep.of(1, 3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("batch size must be at most the number of examples 2, got 3");
  }

  @Test
  void refusesASpectrumItCannotUse() {
    GramMatrix gram = diagonal(1, 2);
    assertThatThrownBy(() -> MeanSquareStability.of(GramSpectrum.eigenvaluesOnly(gram)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("GramSpectrum.of");
    GramMatrix indefinite = GramMatrix.of(new double[][] {{1, 2}, {2, 1}}, 2, 1);
    assertThatThrownBy(() -> stability(indefinite))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("positive semidefinite");
  }
}
