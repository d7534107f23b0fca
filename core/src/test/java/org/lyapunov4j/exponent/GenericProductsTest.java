// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.hipparchus.special.Gamma;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.ReferenceCases;
import org.lyapunov4j.step.RandomStream;

/** Random products that have nothing to do with SGD, with exponents known from the literature. */
class GenericProductsTest {
  private static final int STEPS = 40_000;

  private static LinearCocycle ginibre(int m) {
    return new MatrixCocycle(
        m,
        random -> {
          double[][] matrix = new double[m][m];
          for (double[] row : matrix) {
            for (int j = 0; j < m; j++) {
              row[j] = random.nextGaussian();
            }
          }
          return matrix;
        });
  }

  /** I − η x xᵀ with x standard normal. */
  private static LinearCocycle streamingSgd(int d, double eta) {
    return new MatrixCocycle(
        d,
        random -> {
          double[] x = new double[d];
          for (int i = 0; i < d; i++) {
            x[i] = random.nextGaussian();
          }
          double[][] matrix = new double[d][d];
          for (int i = 0; i < d; i++) {
            for (int j = 0; j < d; j++) {
              matrix[i][j] = (i == j ? 1 : 0) - eta * x[i] * x[j];
            }
          }
          return matrix;
        });
  }

  private static LinearCocycle lloyd(double energy, double width) {
    return new MatrixCocycle(
        2,
        random -> {
          double potential = width * Math.tan(Math.PI * (random.nextDouble() - 0.5));
          return new double[][] {{energy - potential, -1}, {1, 0}};
        });
  }

  private static List<Estimate> spectrum(LinearCocycle cocycle, int count) {
    return SpectrumEstimator.builder()
        .seed(11)
        .epochs(STEPS)
        .burnInEpochs(200)
        .build()
        .sample(cocycle, count);
  }

  private static void assertNear(Estimate actual, double expected, double extra) {
    assertThat(actual.value())
        .isBetween(
            expected - 4 * actual.standardError() - extra,
            expected + 4 * actual.standardError() + extra);
    assertThat(actual.standardError()).isPositive();
  }

  @Test
  void ginibreHasCohenNewmanSpectrum() {
    int m = 5;
    List<Estimate> spectrum = spectrum(ginibre(m), m);
    for (int i = 0; i < m; i++) {
      double exact = (Math.log(2) + Gamma.digamma((m - i) / 2.0)) / 2;
      assertNear(spectrum.get(i), exact, 0);
      assertThat(spectrum.get(i).standardError()).isLessThan(0.01);
    }
  }

  @Test
  void theLargestExponentsDoNotDependOnHowManyAreEstimated() {
    List<Estimate> two = spectrum(ginibre(5), 2);
    assertThat(two).hasSize(2);
    for (int i = 0; i < 2; i++) {
      assertNear(two.get(i), (Math.log(2) + Gamma.digamma((5 - i) / 2.0)) / 2, 0);
    }
  }

  @Test
  void randomFibonacciGrowsAtViswanathsRate() {
    LinearCocycle fibonacci =
        new MatrixCocycle(
            2, random -> new double[][] {{1, random.nextInt(2) == 0 ? 1 : -1}, {1, 0}});
    List<Estimate> spectrum = spectrum(fibonacci, 2);
    assertNear(spectrum.get(0), Math.log(1.1319882487943), 0);
    assertThat(spectrum.get(0).value() + spectrum.get(1).value()).isBetween(-1e-10, 1e-10);
  }

  @Test
  void lloydModelHasItsLocalisationLength() {
    for (JsonNode node : ReferenceCases.genericProduct("lloyd").get("values")) {
      LinearCocycle cocycle = lloyd(node.get("E").asDouble(), node.get("d").asDouble());
      assertNear(spectrum(cocycle, 2).get(0), node.get("value").asDouble(), 0);
    }
  }

  @Test
  void streamingGaussianSgdHasItsExponent() {
    for (JsonNode node : ReferenceCases.genericProduct("streaming-gaussian-sgd").get("values")) {
      LinearCocycle cocycle = streamingSgd(node.get("d").asInt(), node.get("eta").asDouble());
      assertNear(spectrum(cocycle, 1).get(0), node.get("value").asDouble(), 2e-6);
    }
  }

  @Test
  void momentsOfGinibreFollowTheChiDistribution() {
    int m = 5;
    MomentExponents moments =
        MomentEstimator.builder()
            .seed(5)
            .populationSize(64)
            .epochs(1000)
            .burnInEpochs(20)
            .build()
            .sample(ginibre(m), 0.5, 1, 2, 3);
    for (MomentExponent moment : moments.moments()) {
      double p = moment.order();
      double exact = p / 2 * Math.log(2) + Gamma.logGamma((m + p) / 2) - Gamma.logGamma(m / 2.0);
      assertNear(moment.exponent(), exact, 0);
      assertThat(moment.exponent().standardError()).isLessThan(0.02 * p * p);
    }
  }

  @Test
  void secondMomentOfStreamingSgdIsExact() {
    int d = 3;
    double eta = 0.4;
    Estimate second =
        MomentEstimator.builder()
            .seed(7)
            .populationSize(256)
            .epochs(1000)
            .burnInEpochs(50)
            .build()
            .sample(streamingSgd(d, eta), 2)
            .of(2);
    assertNear(second, Math.log(1 - 2 * eta + eta * eta * (d + 2)), 0);
  }

  @Test
  void finiteTimeVarianceOfGinibreIsTrigamma() {
    int m = 5;
    FiniteTimeExponents ensemble =
        FiniteTimeEstimator.builder()
            .seed(3)
            .trajectories(2000)
            .burnInEpochs(0)
            .build()
            .sample(ginibre(m), 50);
    assertNear(ensemble.mean(), (Math.log(2) + Gamma.digamma(m / 2.0)) / 2, 0);
    assertNear(ensemble.varianceRate(), Gamma.trigamma(m / 2.0) / 4, 0);
  }

  @Test
  void aSingularFactorAnnihilatesExactlyItsDirections() {
    // A product of projections onto a fixed plane and scalings in it: two exponents, two lost.
    double[][] first = {{2, 0, 0, 0}, {0, 0.5, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}};
    LinearCocycle cocycle = new MatrixCocycle(4, random -> first);
    List<Estimate> spectrum = spectrum(cocycle, 4);
    assertThat(spectrum.get(0).value()).isBetween(Math.log(2) - 1e-9, Math.log(2) + 1e-9);
    assertThat(spectrum.get(1).value()).isBetween(-Math.log(2) - 1e-9, -Math.log(2) + 1e-9);
    assertThat(spectrum.get(2)).isEqualTo(Estimate.exact(Double.NEGATIVE_INFINITY));
    assertThat(spectrum.get(3)).isEqualTo(Estimate.exact(Double.NEGATIVE_INFINITY));
  }

  @Test
  void widelySpreadExponentsAreResolved() {
    // 23 nats apart after one step, and no step is singular.
    LinearCocycle cocycle =
        new MatrixCocycle(
            3,
            random -> {
              double shear = random.nextGaussian();
              return new double[][] {{1e5, shear, 1}, {0, 1e-2, 1e-3 * shear}, {0, 0, 1e-5}};
            });
    List<Estimate> spectrum = spectrum(cocycle, 3);
    double[] exact = {5, -2, -5};
    for (int i = 0; i < 3; i++) {
      double expected = exact[i] * Math.log(10);
      assertThat(spectrum.get(i).value()).isBetween(expected - 1e-6, expected + 1e-6);
    }
  }

  @Test
  void rareExtremeContractionsAreNotMistakenForAnnihilation() {
    LinearCocycle cocycle =
        new MatrixCocycle(
            2,
            random -> {
              double small = random.nextInt(50) == 0 ? 1e-11 : 1;
              double angle = 2 * Math.PI * random.nextDouble();
              double c = Math.cos(angle);
              double s = Math.sin(angle);
              return new double[][] {{c, -s * small}, {s, c * small}};
            });
    List<Estimate> spectrum = spectrum(cocycle, 2);
    double sum = Math.log(1e-11) / 50;
    Estimate second = spectrum.get(1);
    assertThat(second.value()).isFinite();
    assertThat(spectrum.get(0).value() + second.value())
        .isBetween(sum - 4 * second.standardError(), sum + 4 * second.standardError());
  }

  @Test
  void matricesComeFromTheStreamAlone() {
    LinearCocycle cocycle = ginibre(3);
    double[] x = cocycle.randomDirection(new RandomStream(1));
    double[] y = x.clone();
    cocycle.realise(new RandomStream(2)).next().apply(x);
    cocycle.realise(new RandomStream(2)).next().apply(y);
    assertThat(x).containsExactly(y);
  }
}
