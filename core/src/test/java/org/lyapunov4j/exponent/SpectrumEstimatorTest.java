// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.hipparchus.complex.Complex;
import org.hipparchus.linear.EigenDecompositionNonSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class SpectrumEstimatorTest {
  private static final double MINUS_INFINITY = Double.NEGATIVE_INFINITY;

  private static SpectrumEstimator.Builder estimator(int epochs) {
    return SpectrumEstimator.builder().seed(4).burnInEpochs(epochs / 20).epochs(epochs);
  }

  private static LyapunovSpectrum estimate(GramMatrix gram, SgdStep step, int steps) {
    int stepsPerEpoch = (gram.examples() + step.batchSize() - 1) / step.batchSize();
    return estimator(steps / stepsPerEpoch).build().estimate(gram, step);
  }

  private static void assertNear(Estimate actual, double expected, double error) {
    if (expected == MINUS_INFINITY) {
      assertThat(actual).isEqualTo(Estimate.exact(MINUS_INFINITY));
    } else {
      double tolerance = 4 * Math.hypot(actual.standardError(), error) + 1e-10;
      assertThat(actual.value()).isCloseTo(expected, within(tolerance));
    }
  }

  private static void assertSpectrum(LyapunovSpectrum spectrum, double... expected) {
    double[] descending = expected.clone();
    Arrays.sort(descending);
    assertThat(spectrum.exponents()).hasSize(expected.length);
    for (int j = 0; j < expected.length; j++) {
      assertNear(spectrum.exponents().get(j), descending[expected.length - 1 - j], 0);
    }
  }

  /** The errors of the exponents of one run are correlated, so they add up at worst. */
  private static void assertAddsUp(LyapunovSpectrum spectrum) {
    double sum = spectrum.exponents().stream().mapToDouble(Estimate::value).sum();
    double error = spectrum.exponents().stream().mapToDouble(Estimate::standardError).sum();
    assertThat(spectrum.isComplete()).isTrue();
    if (spectrum.sum().value() == MINUS_INFINITY) {
      assertThat(sum).isEqualTo(MINUS_INFINITY);
    } else {
      assertNear(new Estimate(sum, error), spectrum.sum().value(), spectrum.sum().standardError());
    }
  }

  static Stream<ReferenceCases.Case> referenceCases() {
    return ReferenceCases.all().stream();
  }

  @ParameterizedTest
  @MethodSource("referenceCases")
  void agreesWithTheReference(ReferenceCases.Case reference) {
    LyapunovSpectrum spectrum = estimate(reference.gram(), reference.step(), 100_000);
    ReferenceCases.Value top = reference.quotientExponent();
    assertNear(spectrum.exponents().get(0), top.value(), top.standardError());
    assertNear(spectrum.sum(), reference.number("sum_exponents"), 0);
    assertAddsUp(spectrum);
    if (reference.has("spectrum")) {
      JsonNode values = reference.json().get("spectrum").get("values");
      JsonNode errors = reference.json().get("spectrum").get("se");
      assertThat(spectrum.exponents()).hasSameSizeAs(values);
      for (int j = 0; j < values.size(); j++) {
        assertNear(spectrum.exponents().get(j), values.get(j).asDouble(), errors.get(j).asDouble());
      }
    }
  }

  @Test
  void diagonalGramScalesEachDirectionByItself() {
    double[] g = {0.5, 1, 1.7, 2.6};
    GramMatrix gram = GramMatrix.of(MatrixUtils.createRealDiagonalMatrix(g).getData(), 4, 1);
    for (MiniBatchSampling sampling :
        List.of(MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.SHUFFLED_EPOCHS)) {
      SgdStep step = SgdStep.of(1.5, 2).withSampling(sampling);
      double[] expected =
          IntStream.range(0, 4).mapToDouble(i -> Math.log(Math.abs(1 - 0.75 * g[i])) / 2).toArray();
      assertSpectrum(estimate(gram, step, 40_000), expected);
    }
  }

  @Test
  void aTensorProductWithTheIdentityRepeatsEveryExponent() {
    double[][] g = TestGrams.wishart(4, 6, 3);
    double[][] tensor = new double[12][12];
    for (int i = 0; i < 12; i++) {
      for (int j = 0; j < 12; j++) {
        tensor[i][j] = i % 3 == j % 3 ? g[i / 3][j / 3] : 0;
      }
    }
    SgdStep step = SgdStep.of(1.5, 2);
    List<Estimate> single = estimate(GramMatrix.of(g, 4, 1), step, 20_000).exponents();
    List<Estimate> triple = estimate(GramMatrix.of(tensor, 4, 3), step, 20_000).exponents();
    for (int j = 0; j < 12; j++) {
      Estimate one = single.get(j / 3);
      assertNear(triple.get(j), one.value(), one.standardError());
    }
  }

  @Test
  void decoupledOutputsHaveTheUnionOfTheirSpectra() {
    double[][] first = TestGrams.wishart(4, 6, 3);
    double[][] second = TestGrams.wishart(4, 9, 7);
    double[][] both = new double[8][8];
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        both[2 * i][2 * j] = first[i][j];
        both[2 * i + 1][2 * j + 1] = second[i][j];
      }
    }
    SgdStep step = SgdStep.of(1.5, 1).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    List<Estimate> expected = new ArrayList<>();
    expected.addAll(estimate(GramMatrix.of(first, 4, 1), step, 20_000).exponents());
    expected.addAll(estimate(GramMatrix.of(second, 4, 1), step, 20_000).exponents());
    expected.sort(Comparator.comparingDouble(Estimate::value).reversed());
    List<Estimate> actual = estimate(GramMatrix.of(both, 4, 2), step, 20_000).exponents();
    for (int j = 0; j < 8; j++) {
      assertNear(actual.get(j), expected.get(j).value(), expected.get(j).standardError());
    }
  }

  @Test
  void rankOneIsAScalarProduct() {
    double[] f = {1, 0.4, -1.3, 0.9, 0.2};
    GramMatrix gram = GramMatrix.of(outer(f), 5, 1);
    SgdStep step = SgdStep.of(1.9, 2);
    double expected = 0;
    for (int i = 0; i < 5; i++) {
      for (int j = 0; j < i; j++) {
        expected += Math.log(Math.abs(1 - 0.95 * (f[i] * f[i] + f[j] * f[j]))) / 10;
      }
    }
    LyapunovSpectrum spectrum = estimate(gram, step, 40_000);
    assertSpectrum(spectrum, expected);
    assertThat(spectrum.dimension()).isEqualTo(1);
    assertThat(spectrum.kernelDimension()).isEqualTo(4);
    assertThat(spectrum.sum().value()).isCloseTo(expected, within(1e-12));
  }

  private static double[][] outer(double[] f) {
    return MatrixUtils.createColumnRealMatrix(f)
        .multiply(MatrixUtils.createRowRealMatrix(f))
        .getData();
  }

  @ParameterizedTest
  @MethodSource("samplings")
  void rankTwoAgreesWithTheTransferOperator(MiniBatchSampling sampling) {
    double[][] f = TestGrams.gaussian(6, 2, 12);
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 0.5), 3, 2);
    SgdStep step = SgdStep.of(0.8, 2).withSampling(sampling);
    TransferOperator operator = new TransferOperator();
    BatchLaw.expectation(
        step,
        3,
        100,
        batch -> {
          double probability = sampling == MiniBatchSampling.IID_SUBSETS ? 1.0 / 3 : 0;
          if (sampling == MiniBatchSampling.IID_WITH_REPLACEMENT) {
            probability = batch[0] == batch[1] ? 1.0 / 9 : 2.0 / 9;
          }
          double[][] m = factor(f, batch, 0.4 * 0.5);
          operator.add(probability, m[0][0], m[0][1], m[1][0], m[1][1]);
          return 0;
        });
    double top = operator.exponent();
    LyapunovSpectrum spectrum = estimate(gram, step, 100_000);
    assertSpectrum(spectrum, top, spectrum.sum().value() - top);
    assertThat(spectrum.kernelDimension()).isEqualTo(4);
  }

  static Stream<MiniBatchSampling> samplings() {
    return Stream.of(MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.IID_WITH_REPLACEMENT);
  }

  /** I − rate F_Sᵀ F_S for two outputs an example. */
  private static double[][] factor(double[][] f, int[] batch, double rate) {
    double[][] m = {{1, 0}, {0, 1}};
    for (int example : batch) {
      for (int row = 2 * example; row < 2 * example + 2; row++) {
        for (int i = 0; i < 2; i++) {
          for (int j = 0; j < 2; j++) {
            m[i][j] -= rate * f[row][i] * f[row][j];
          }
        }
      }
    }
    return m;
  }

  @Test
  void shuffledRankTwoAgreesWithTheTransferOperatorOfAnEpoch() {
    double[][] f = TestGrams.gaussian(6, 2, 12);
    GramMatrix gram = GramMatrix.of(TestGrams.product(f, 0.5), 3, 2);
    SgdStep step = SgdStep.of(0.7, 1).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    TransferOperator operator = new TransferOperator();
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        if (i != j) {
          RealMatrix epoch =
              MatrixUtils.createRealMatrix(factor(f, new int[] {3 - i - j}, 0.35))
                  .multiply(MatrixUtils.createRealMatrix(factor(f, new int[] {j}, 0.35)))
                  .multiply(MatrixUtils.createRealMatrix(factor(f, new int[] {i}, 0.35)));
          double[][] m = epoch.getData();
          operator.add(1.0 / 6, m[0][0], m[0][1], m[1][0], m[1][1]);
        }
      }
    }
    double top = operator.exponent() / 3;
    LyapunovSpectrum spectrum = estimate(gram, step, 100_000);
    assertSpectrum(spectrum, top, spectrum.sum().value() - top);
  }

  @Test
  void kaczmarzProjectionsKeepAllButOneDirection() {
    // eta G_ii = 1: every factor is a projection, of which only the last one's kernel is lost.
    GramMatrix gram = correlation(TestGrams.wishart(5, 7, 2));
    LyapunovSpectrum spectrum = estimate(gram, SgdStep.of(1, 1), 20_000);
    assertThat(spectrum.exponents().get(3).value()).isFinite();
    assertThat(spectrum.exponents().get(4)).isEqualTo(Estimate.exact(MINUS_INFINITY));
    assertThat(spectrum.sum()).isEqualTo(Estimate.exact(MINUS_INFINITY));
  }

  @Test
  void orthogonalKaczmarzProjectionsLoseEverything() {
    GramMatrix gram = GramMatrix.of(MatrixUtils.createRealIdentityMatrix(3).getData(), 3, 1);
    LyapunovSpectrum spectrum = estimate(gram, SgdStep.of(1, 1), 20_000);
    assertSpectrum(spectrum, MINUS_INFINITY, MINUS_INFINITY, MINUS_INFINITY);
  }

  @Test
  void oneSingularBatchAmongThousandsIsFoundByEnumeration() {
    int n = 90;
    double[][] g = TestGrams.wishart(n, 120, 2);
    double alpha = 0.5 / 2;
    g[0][0] = 1 / alpha;
    g[1][1] = 1 / alpha;
    g[0][1] = 0;
    g[1][0] = 0;
    GramMatrix gram = GramMatrix.of(g, n, 1);
    SpectrumEstimator brief =
        SpectrumEstimator.builder().trajectories(1).burnInEpochs(0).epochs(16).build();
    LyapunovSpectrum spectrum = brief.estimate(gram, SgdStep.of(0.5, 2));
    assertThat(spectrum.sum().value()).isEqualTo(MINUS_INFINITY);
    assertThat(spectrum.exponents().get(n - 1).value()).isEqualTo(MINUS_INFINITY);
  }

  private static GramMatrix correlation(double[][] g) {
    double[][] unit = new double[g.length][g.length];
    for (int i = 0; i < g.length; i++) {
      for (int j = 0; j < g.length; j++) {
        unit[i][j] = i == j ? 1 : g[i][j] / Math.sqrt(g[i][i] * g[j][j]);
      }
    }
    return GramMatrix.of(unit, g.length, 1);
  }

  @Test
  void reflectionsNeitherGrowNorShrink() {
    GramMatrix gram = correlation(TestGrams.wishart(6, 8, 9));
    LyapunovSpectrum spectrum = estimate(gram, SgdStep.of(2, 1), 20_000);
    for (Estimate exponent : spectrum.exponents()) {
      assertThat(exponent.value()).isCloseTo(0, within(1e-12));
    }
  }

  /** All schemes, momenta and penalties; N = 7 is not a multiple of B = 3. */
  static Stream<SgdStep> steps() {
    return DisplacementCocycleTest.steps();
  }

  @ParameterizedTest
  @MethodSource("steps")
  void exponentsAddUpToTheMeanLogDeterminant(SgdStep step) {
    GramMatrix gram = TestGrams.wishart(7, 2, 10, 4);
    LyapunovSpectrum spectrum = estimate(gram, step, 3_000);
    assertThat(spectrum.dimension()).isEqualTo(step.momentum() == Momentum.NONE ? 10 : 20);
    assertThat(spectrum.kernelDimension()).isEqualTo(4);
    assertAddsUp(spectrum);
  }

  @ParameterizedTest
  @MethodSource("steps")
  void theTopExponentIsTheOneOfResiduals(SgdStep step) {
    GramMatrix gram = TestGrams.wishart(7, 2, 10, 4);
    LyapunovExponent residuals = LyapunovEstimator.builder().seed(8).build().estimate(gram, step);
    SpectrumEstimator top = estimator(2048).exponents(1).build();
    LyapunovSpectrum spectrum = top.estimate(gram, step);
    assertThat(spectrum.exponents()).hasSize(1);
    assertThat(spectrum.isComplete()).isFalse();
    double slack = step.sampling() == MiniBatchSampling.ORDERED_EPOCHS ? 1e-4 : 0;
    assertNear(
        spectrum.exponents().get(0),
        residuals.point().getAsDouble(),
        residuals.error().getAsDouble() + slack);
  }

  @Test
  void decayOnlyRescalesAPlainStep() {
    GramMatrix gram = TestGrams.wishart(6, 1, 9, 4);
    double keep = 1 - 1.5 * (0.1 + 0.04);
    SgdStep decaying = SgdStep.of(1.5, 2).withL2(0.1).withWeightDecay(0.04);
    LyapunovSpectrum actual = estimate(gram, decaying, 4_000);
    LyapunovSpectrum plain = estimate(gram, SgdStep.of(1.5 / keep, 2), 4_000);
    for (int j = 0; j < 6; j++) {
      double expected = plain.exponents().get(j).value() + Math.log(keep);
      assertThat(actual.exponents().get(j).value()).isCloseTo(expected, within(1e-9));
    }
  }

  @Test
  void heavyBallWithoutMemoryIsThePlainStepAndDeadVelocities() {
    GramMatrix gram = TestGrams.wishart(6, 1, 9, 4);
    SgdStep step = SgdStep.of(1.5, 2);
    List<Estimate> plain = estimate(gram, step, 10_000).exponents();
    LyapunovSpectrum spectrum =
        estimate(gram, step.withMomentum(new Momentum.HeavyBall(0)), 10_000);
    for (int j = 0; j < 6; j++) {
      Estimate expected = plain.get(j);
      assertNear(spectrum.exponents().get(j), expected.value(), expected.standardError());
      assertThat(spectrum.exponents().get(6 + j).value()).isEqualTo(MINUS_INFINITY);
    }
  }

  static Stream<SgdStep> fullBatchSteps() {
    SgdStep plain = SgdStep.of(1.1, 5);
    return Stream.of(
        plain,
        plain.withL2(0.1).withWeightDecay(0.2),
        plain.withMomentum(new Momentum.HeavyBall(0.5)),
        plain.withMomentum(new Momentum.HeavyBall(0.9)).withWeightDecay(0.1),
        plain.withMomentum(new Momentum.Nesterov(0.6)),
        plain.withMomentum(new Momentum.NesterovAverage(0.6)).withL2(0.3),
        plain.withMomentum(new Momentum.Nesterov(0.2)).withL2(0.3).withWeightDecay(0.05),
        plain.withMomentum(new Momentum.MovingAverage(0.8)),
        plain.withMomentum(new Momentum.MovingAverage(0.3)).withL2(0.2));
  }

  /** The eigenvalues of the whole 2m × 2m matrix, written down from the definition of the step. */
  @ParameterizedTest
  @MethodSource("fullBatchSteps")
  void fullBatchIsTheSpectrumOfOneMatrix(SgdStep step) {
    GramMatrix gram = TestGrams.wishart(5, 1, 7, 4);
    double[] expected =
        Arrays.stream(new EigenDecompositionNonSymmetric(denseStep(gram, step)).getEigenvalues())
            .mapToDouble(Complex::norm)
            .map(Math::log)
            .toArray();
    for (MiniBatchSampling sampling :
        List.of(MiniBatchSampling.IID_SUBSETS, MiniBatchSampling.ORDERED_EPOCHS)) {
      LyapunovSpectrum spectrum =
          SpectrumEstimator.builder().build().estimate(gram, step.withSampling(sampling));
      assertSpectrum(spectrum, expected);
      assertThat(spectrum.steps()).isZero();
      assertAddsUp(spectrum);
      assertThat(spectrum.exponents().get(0).value())
          .isCloseTo(FullBatchExponent.of(GramSpectrum.of(gram), step), within(1e-12));
    }
  }

  /** The same exponents from the sampling engine, which has to find the eigenvectors by itself. */
  @ParameterizedTest
  @MethodSource("fullBatchSteps")
  void theEngineConvergesToTheFullBatchSpectrum(SgdStep step) {
    GramMatrix gram = TestGrams.wishart(5, 1, 7, 4);
    GramSpectrum spectrum = GramSpectrum.of(gram);
    double[] exact = FullBatchSpectrum.of(spectrum, step);
    List<Estimate> sampled =
        estimator(16 * 2000).build().sample(DisplacementCocycle.of(spectrum, step), exact.length);
    for (int j = 0; j < exact.length; j++) {
      assertThat(sampled.get(j).value()).isCloseTo(exact[j], within(2e-4));
    }
  }

  private static RealMatrix denseStep(GramMatrix gram, SgdStep step) {
    int m = gram.size();
    RealMatrix identity = MatrixUtils.createRealIdentityMatrix(m);
    RealMatrix gradient =
        MatrixUtils.createRealMatrix(gram.toArray())
            .scalarMultiply(1.0 / gram.examples())
            .add(identity.scalarMultiply(step.l2()));
    double eta = step.learningRate();
    double beta = step.momentum().coefficient();
    RealMatrix keep = identity.scalarMultiply(1 - eta * step.weightDecay());
    RealMatrix velocityOfPosition = gradient.scalarMultiply(-eta);
    RealMatrix velocityOfVelocity = identity.scalarMultiply(beta);
    RealMatrix position = keep.add(velocityOfPosition);
    RealMatrix positionOfVelocity = velocityOfVelocity;
    if (step.momentum() instanceof Momentum.None) {
      return position;
    }
    if (step.momentum() instanceof Momentum.Nesterov) {
      position = keep.add(velocityOfPosition.scalarMultiply(1 + beta));
      positionOfVelocity = identity.scalarMultiply(-beta + (1 + beta) * beta);
    }
    if (step.momentum() instanceof Momentum.MovingAverage) {
      velocityOfPosition = gradient.scalarMultiply(1 - beta);
      position = keep.subtract(velocityOfPosition.scalarMultiply(eta));
      positionOfVelocity = identity.scalarMultiply(-eta * beta);
    }
    if (step.momentum() instanceof Momentum.NesterovAverage) {
      velocityOfPosition = gradient.scalarMultiply(1 - beta);
      position = keep.subtract(velocityOfPosition.scalarMultiply(eta * (1 + beta)));
      positionOfVelocity = identity.scalarMultiply(eta * beta - eta * (1 + beta) * beta);
    }
    RealMatrix whole = MatrixUtils.createRealMatrix(2 * m, 2 * m);
    whole.setSubMatrix(position.getData(), 0, 0);
    whole.setSubMatrix(positionOfVelocity.getData(), 0, m);
    whole.setSubMatrix(velocityOfPosition.getData(), m, 0);
    whole.setSubMatrix(velocityOfVelocity.getData(), m, m);
    return whole;
  }

  @Test
  void orderedEpochsHaveTheEigenvaluesOfTheEpoch() {
    GramMatrix gram = TestGrams.wishart(5, 1, 7, 4);
    SgdStep step = SgdStep.of(1.3, 2).withSampling(MiniBatchSampling.ORDERED_EPOCHS);
    RealMatrix epoch = MatrixUtils.createRealIdentityMatrix(5);
    for (int from = 0; from < 5; from += 2) {
      int size = Math.min(2, 5 - from);
      RealMatrix factor = MatrixUtils.createRealIdentityMatrix(5);
      for (int i = from; i < from + size; i++) {
        for (int j = 0; j < 5; j++) {
          factor.addToEntry(i, j, -1.3 / size * gram.get(i, j));
        }
      }
      epoch = factor.multiply(epoch);
    }
    List<Double> expected =
        Arrays.stream(new EigenDecompositionNonSymmetric(epoch).getEigenvalues())
            .map(value -> Math.log(value.norm()) / 3)
            .sorted(Comparator.reverseOrder())
            .toList();
    LyapunovSpectrum spectrum = estimate(gram, step, 60_000);
    for (int j = 0; j < 5; j++) {
      assertThat(spectrum.exponents().get(j).value()).isCloseTo(expected.get(j), within(1e-4));
    }
  }

  @Test
  void singlePrecisionMakesNoDifference() {
    GramMatrix gram = TestGrams.wishart(6, 2, 20, 4);
    SgdStep step = SgdStep.of(1.2, 2);
    LyapunovSpectrum exact = estimate(gram, step, 3_000);
    LyapunovSpectrum rounded = estimate(TestGrams.single(gram), step, 3_000);
    for (int j = 0; j < 12; j++) {
      Estimate expected = exact.exponents().get(j);
      assertNear(rounded.exponents().get(j), expected.value(), expected.standardError() + 1e-6);
    }
  }

  @Test
  void onlyTheProductOfLearningRateAndGramMatters() {
    GramMatrix gram = TestGrams.wishart(6, 1, 9, 4);
    for (double scale : new double[] {0x1p-600, 0x1p-40, 0x1p20, 0x1p300}) {
      double[][] scaled = gram.toArray();
      for (double[] row : scaled) {
        for (int j = 0; j < row.length; j++) {
          row[j] *= scale;
        }
      }
      List<Estimate> expected = estimate(gram, SgdStep.of(1.2, 2), 960).exponents();
      List<Estimate> actual =
          estimate(GramMatrix.of(scaled, 6, 1), SgdStep.of(1.2 / scale, 2), 960).exponents();
      for (int j = 0; j < 6; j++) {
        assertThat(actual.get(j).value()).isCloseTo(expected.get(j).value(), within(1e-8));
      }
    }
  }

  @Test
  void theZeroMatrixHasNoExponents() {
    GramMatrix zero = GramMatrix.of(new double[4][4], 2, 2);
    for (int batch = 1; batch <= 2; batch++) {
      LyapunovSpectrum spectrum =
          SpectrumEstimator.builder().build().estimate(zero, SgdStep.of(1, batch));
      assertThat(spectrum.exponents()).isEmpty();
      assertThat(spectrum.dimension()).isZero();
      assertThat(spectrum.kernelDimension()).isEqualTo(4);
      assertThat(spectrum.sum().value()).isZero();
    }
  }

  @Test
  void fewerExponentsAreTheLargestOfAll() {
    GramMatrix gram = TestGrams.wishart(9, 1, 12, 4);
    SgdStep step = SgdStep.of(1.8, 2);
    List<Estimate> all = estimate(gram, step, 20_000).exponents();
    LyapunovSpectrum three = estimator(4_000).exponents(3).build().estimate(gram, step);
    assertThat(three.exponents()).hasSize(3);
    assertThat(three.isComplete()).isFalse();
    assertThat(three.dimension()).isEqualTo(9);
    assertThat(three.sum()).isEqualTo(estimate(gram, step, 20_000).sum());
    for (int j = 0; j < 3; j++) {
      assertNear(three.exponents().get(j), all.get(j).value(), all.get(j).standardError());
    }
    assertThat(estimator(16).exponents(100).build().estimate(gram, step).exponents()).hasSize(9);
  }

  @Test
  void theSeedFixesEveryBitWhateverTheThreads() {
    GramMatrix gram = TestGrams.wishart(10, 2, 30, 4);
    SgdStep step = SgdStep.of(1.2, 3).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    SpectrumEstimator.Builder builder = SpectrumEstimator.builder().trajectories(5).epochs(16);
    LyapunovSpectrum one = builder.threads(1).build().estimate(gram, step);
    assertThat(builder.threads(2).build().estimate(gram, step)).isEqualTo(one);
    assertThat(builder.threads(8).build().estimate(gram, step)).isEqualTo(one);
    assertThat(builder.seed(2).build().estimate(gram, step)).isNotEqualTo(one);
  }

  @Test
  void reportsProgressAndCanBeCancelled() {
    GramMatrix gram = TestGrams.wishart(20, 1, 30, 4);
    SgdStep step = SgdStep.of(1.2, 1);
    List<Double> fractions = new ArrayList<>();
    SpectrumEstimator.Builder builder = SpectrumEstimator.builder().epochs(32).threads(2);
    builder.progress(fractions::add).build().estimate(gram, step);
    assertThat(fractions).hasSize(2 * (2 * 20 + 32)).isSorted();
    assertThat(fractions.get(fractions.size() - 1)).isEqualTo(1);

    AtomicInteger asked = new AtomicInteger();
    SpectrumEstimator cancelled = builder.cancelled(() -> asked.incrementAndGet() > 10).build();
    assertThatThrownBy(() -> cancelled.estimate(gram, step))
        .isInstanceOf(CancellationException.class);
    assertThat(asked).hasValueBetween(11, 12);
  }

  @Test
  void anInterruptCancels() {
    GramMatrix gram = TestGrams.wishart(20, 1, 30, 4);
    SpectrumEstimator estimator = SpectrumEstimator.builder().threads(2).build();
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> estimator.estimate(gram, SgdStep.of(1.2, 1)))
        .isInstanceOf(CancellationException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void standardErrorsCoverTheTruth() {
    double exact = ReferenceCases.named("two-as-stable-ms-unstable").value("lambda").value();
    GramMatrix gram = ReferenceCases.named("two-as-stable-ms-unstable").gram();
    SgdStep step = ReferenceCases.named("two-as-stable-ms-unstable").step();
    int covered = 0;
    for (long seed = 0; seed < 200; seed++) {
      Estimate top =
          SpectrumEstimator.builder()
              .seed(new RandomStream(seed).nextLong())
              .epochs(1024)
              .exponents(1)
              .build()
              .estimate(gram, step)
              .exponents()
              .get(0);
      if (Math.abs(top.value() - exact) < 2 * top.standardError()) {
        covered++;
      }
    }
    assertThat(covered).isBetween(180, 200);
  }

  @Test
  void refusesNonsenseAtOnce() {
    SpectrumEstimator.Builder builder = SpectrumEstimator.builder();
    assertThatThrownBy(() -> builder.exponents(0)).hasMessageContaining("at least 1, got 0");
    assertThatThrownBy(() -> builder.epochs(15)).hasMessageContaining("at least 16, got 15");
    assertThatThrownBy(() -> builder.burnInEpochs(-1)).hasMessageContaining("at least 0, got -1");
    assertThatThrownBy(() -> builder.trajectories(0)).hasMessageContaining("at least 1, got 0");
    assertThatThrownBy(() -> builder.threads(0)).hasMessageContaining("at least 1, got 0");
    assertThatThrownBy(() -> builder.progress(null)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> builder.cancelled(null)).isInstanceOf(NullPointerException.class);
  }
}
