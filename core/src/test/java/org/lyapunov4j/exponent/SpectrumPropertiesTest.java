// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.QRDecomposition;
import org.hipparchus.linear.RealMatrix;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/** What holds for every Gram matrix and step. The seeds are fixed: estimates are random. */
class SpectrumPropertiesTest {
  private static final int TRIES = 15;

  /** A problem: Gram matrices singular and not, K = 1 … 3, learning rates around the edge. */
  record Problem(GramMatrix gram, SgdStep step) {}

  @Provide
  Arbitrary<Problem> problems() {
    return Combinators.combine(
            Arbitraries.integers().between(2, 6),
            Arbitraries.integers().between(1, 3),
            Arbitraries.integers().between(2, 20),
            Arbitraries.longs(),
            Arbitraries.doubles().between(0.2, 3),
            Arbitraries.of(MiniBatchSampling.values()))
        .as(
            (examples, outputs, features, seed, rate, sampling) ->
                new Problem(
                    TestGrams.wishart(examples, outputs, features, seed),
                    SgdStep.of(rate, 1 + examples / 3).withSampling(sampling)));
  }

  private static List<Estimate> spectrum(GramMatrix gram, SgdStep step) {
    return SpectrumEstimator.builder()
        .burnInEpochs(200)
        .epochs(1600)
        .build()
        .estimate(gram, step)
        .exponents();
  }

  private static double sum(GramMatrix gram, SgdStep step) {
    return SpectrumEstimator.builder().build().sumOfExponents(gram, step).value();
  }

  private static void assertSame(List<Estimate> actual, List<Estimate> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int j = 0; j < actual.size(); j++) {
      double error = Math.hypot(actual.get(j).standardError(), expected.get(j).standardError());
      assertThat(actual.get(j).value())
          .isCloseTo(expected.get(j).value(), within(5 * error + 1e-3));
    }
  }

  @Property(tries = TRIES, seed = "1")
  void exponentsAddUpToTheMeanLogDeterminant(@ForAll("problems") Problem problem) {
    List<Estimate> spectrum = spectrum(problem.gram(), problem.step());
    double sum = spectrum.stream().mapToDouble(Estimate::value).sum();
    double error = spectrum.stream().mapToDouble(Estimate::standardError).sum();
    assertThat(sum).isCloseTo(sum(problem.gram(), problem.step()), within(4 * error + 1e-9));
  }

  @Property(tries = TRIES, seed = "2")
  void theNamesOfExamplesDoNotMatter(@ForAll("problems") Problem problem) {
    int n = problem.gram().examples();
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = (i + 1) % n;
    }
    SgdStep step = problem.step().withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    GramMatrix permuted = problem.gram().subset(order);
    assertThat(sum(permuted, step)).isCloseTo(sum(problem.gram(), step), within(1e-9));
    assertSame(spectrum(permuted, step), spectrum(problem.gram(), step));
  }

  @Property(tries = TRIES, seed = "3")
  void rotatingTheOutputsOfEachExampleDoesNotMatter(
      @ForAll("problems") Problem problem, @ForAll long seed) {
    int k = problem.gram().outputs();
    int m = problem.gram().size();
    RealMatrix rotation = MatrixUtils.createRealMatrix(m, m);
    for (int from = 0; from < m; from += k) {
      RealMatrix block = MatrixUtils.createRealMatrix(TestGrams.gaussian(k, k, seed + from));
      rotation.setSubMatrix(new QRDecomposition(block).getQ().getData(), from, from);
    }
    RealMatrix g = MatrixUtils.createRealMatrix(problem.gram().toArray());
    GramMatrix rotated =
        GramMatrix.of(
            rotation.multiply(g).multiplyTransposed(rotation).getData(),
            problem.gram().examples(),
            k);
    SgdStep step = problem.step();
    assertThat(sum(rotated, step)).isCloseTo(sum(problem.gram(), step), within(1e-9));
    assertSame(spectrum(rotated, step), spectrum(problem.gram(), step));
  }

  @Property(tries = TRIES, seed = "4")
  void fullBatchExponentsAreThoseOfTheEigenvalues(@ForAll("problems") Problem problem) {
    GramSpectrum eigen = GramSpectrum.of(problem.gram());
    SgdStep step = SgdStep.of(problem.step().learningRate(), problem.gram().examples());
    List<Estimate> spectrum = spectrum(problem.gram(), step);
    assertThat(spectrum).hasSize(eigen.rank());
    assertThat(spectrum.get(0).value()).isCloseTo(FullBatchExponent.of(eigen, step), within(1e-9));
    double product = 1;
    for (int i = eigen.size() - eigen.rank(); i < eigen.size(); i++) {
      product *= 1 - step.learningRate() * eigen.eigenvalue(i) / eigen.examples();
    }
    assertThat(spectrum.stream().mapToDouble(Estimate::value).sum())
        .isCloseTo(Math.log(Math.abs(product)), within(1e-9));
  }

  @Property(tries = TRIES, seed = "5")
  void momentsAreConvexAndAboveTheExponent(@ForAll("problems") Problem problem) {
    double[] orders = {0.5, 1, 2, 4};
    MomentExponents moments =
        MomentEstimator.builder()
            .populationSize(32)
            .burnInEpochs(20)
            .epochs(160)
            .build()
            .estimate(problem.gram(), problem.step(), orders);
    Estimate before = spectrum(problem.gram(), problem.step()).get(0);
    for (double order : orders) {
      Estimate slope = moments.of(order).times(1 / order);
      double error = Math.hypot(before.standardError(), slope.standardError());
      assertThat(slope.value()).isGreaterThan(before.value() - 4 * error - 1e-3);
      before = slope;
    }
  }
}
