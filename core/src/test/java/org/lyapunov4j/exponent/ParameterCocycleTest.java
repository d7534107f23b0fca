// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** The product in the space of the parameters against that of residuals over the Gram matrix. */
class ParameterCocycleTest {
  private static final int STEPS = 400;

  private static List<Momentum> momenta() {
    return List.of(
        Momentum.NONE,
        new Momentum.HeavyBall(0.8),
        new Momentum.Nesterov(0.8),
        new Momentum.MovingAverage(0.8),
        new Momentum.NesterovAverage(0.8));
  }

  private static double rate(GramMatrix gram, SgdStep step, double share) {
    double sharpness = LargestEigenpair.of(gram).value() / gram.examples();
    return share * FullBatchExponent.criticalLearningRate(sharpness, step);
  }

  /** Draws of every kind, all memories, with and without decay; m above and below P. */
  @ParameterizedTest
  @EnumSource
  void residualsAreThoseOfTheGramMatrixOverFourHundredSteps(MiniBatchSampling sampling) {
    for (int dimension : new int[] {17, 60}) {
      DenseTangentOperator operator = DenseTangentOperator.random(11, 3, dimension, 0.5, 0.5, 4);
      GramMatrix gram = operator.gram();
      for (Momentum momentum : momenta()) {
        for (double decay : new double[] {0, 0.03}) {
          SgdStep plain =
              SgdStep.of(1, 4)
                  .withSampling(sampling)
                  .withMomentum(momentum)
                  .withL2(decay)
                  .withWeightDecay(decay / 2);
          compare(operator, gram, plain.withLearningRate(rate(gram, plain, 0.3)));
        }
      }
    }
  }

  private static void compare(DenseTangentOperator operator, GramMatrix gram, SgdStep step) {
    TangentGram products = new TangentGram(operator, 2, () -> false);
    ParameterCocycle cocycle = new ParameterCocycle(operator, products, step);
    ResidualCocycle residuals = new ResidualCocycle(gram, step);
    double[] w = new RandomStream(9).gaussians(gram.size());
    assertThat(cocycle.start(products.gradient(w))).isTrue();
    assertThat(residuals.start(w)).isTrue();
    double energy = Math.log(residuals.energy());
    double expected = 0;
    double grown = 0;
    MiniBatchSampler sampler =
        new MiniBatchSampler(
            gram.examples(), step.batchSize(), step.sampling(), new RandomStream(3));
    TangentOperator.Products selected = operator.products(step.batchSize());
    int[] batch = new int[step.batchSize()];
    for (int s = 0; s < STEPS; s++) {
      int size = sampler.next(batch);
      selected.select(batch, size);
      ParameterCocycle.apply(List.of(cocycle), selected, size, gram.outputs());
      residuals.apply(batch, size);
      if (s % 20 == 19) {
        grown += cocycle.normalise();
        expected += residuals.normalise();
      }
    }
    expected += 0.5 * (Math.log(residuals.energy()) - energy);
    assertThat(grown / STEPS).as("%s", step).isCloseTo(expected / STEPS, within(1e-10));
    double[] r = products.outputs(cocycle.tangent());
    double scale = Math.sqrt(residuals.energy());
    double[] other = residuals.residual();
    double norm = Math.sqrt(Vectors.dot(r, r));
    for (int i = 0; i < r.length; i++) {
      assertThat(r[i]).as("%s", step).isCloseTo(other[i] / scale, within(1e-8 * norm));
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "5"})
  void productsOfTheWholeAreThoseOfTheMatrix(int threads) {
    DenseTangentOperator operator = DenseTangentOperator.random(71, 2, 40, 0.3, 0.2, 5);
    GramMatrix gram = operator.gram();
    TangentGram products = new TangentGram(operator, threads, () -> false);
    double[] x = new RandomStream(2).gaussians(gram.size());
    double[] image = new double[x.length];
    double[] expected = new double[x.length];
    products.apply(x, image);
    gram.multiply(x, expected);
    for (int i = 0; i < x.length; i++) {
      assertThat(image[i]).isCloseTo(expected[i], within(1e-13 * gram.trace()));
    }
    double[] curvatures = products.curvatures(products.gradient(x));
    for (int i = 0; i < curvatures.length; i++) {
      double squares = Math.pow(expected[2 * i], 2) + Math.pow(expected[2 * i + 1], 2);
      assertThat(curvatures[i]).isCloseTo(squares, within(1e-11 * gram.trace() * gram.trace()));
    }
  }

  /** Far more nats than double precision has: without projections ker J would end the decay. */
  @Test
  void roundingInTheKernelIsProjectedOut() {
    DenseTangentOperator operator = DenseTangentOperator.random(6, 1, 50, 0, 0, 6);
    GramMatrix gram = operator.gram();
    SgdStep step = SgdStep.of(rate(gram, SgdStep.of(1, 2), 0.15), 2);
    TangentGram products = new TangentGram(operator, 1, () -> false);
    ParameterWalk walk =
        new ParameterWalk(
            operator,
            products,
            step,
            products.gradient(new RandomStream(1).gaussians(6)),
            new double[0]);
    MiniBatchSampler sampler = ParameterSweep.sampler(operator, step, new RandomStream(2));
    ParameterSweep.walk(operator, step, List.of(walk), 200, sampler, () -> false);
    ResidualCocycle residuals = new ResidualCocycle(gram, step);
    residuals.start(new RandomStream(1).gaussians(6));
    MiniBatchSampler same = ParameterSweep.sampler(operator, step, new RandomStream(2));
    int[] batch = new int[2];
    double before = Math.log(residuals.energy());
    double expected = -0.5 * before;
    for (int s = 0; s < 200 * ParameterWalk.BLOCK; s++) {
      residuals.apply(batch, same.next(batch));
      if (s % ParameterWalk.BLOCK == 0) {
        expected += residuals.normalise();
      }
    }
    expected += residuals.normalise() + 0.5 * Math.log(residuals.energy());
    double grown = Arrays.stream(walk.plain()).sum();
    assertThat(expected).isLessThan(-100);
    assertThat(grown).isCloseTo(expected, within(1e-6 * Math.abs(expected)));
  }

  @Test
  void whatIsSlowIsNotTakenForRounding() {
    double[][] rows = new double[40][40];
    for (int i = 0; i < 40; i++) {
      rows[i][i] = Math.pow(10, -i / 4.0);
    }
    TangentGram products = new TangentGram(new DenseTangentOperator(rows, 1), 1, () -> false);
    double[] z = new double[40];
    Arrays.fill(z, 1);
    double[] before = z.clone();
    if (products.project(z)) {
      for (int i = 0; i < 40; i++) {
        assertThat(z[i]).isCloseTo(1, within(1e-5));
      }
    } else {
      assertThat(z).containsExactly(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  void sweepsAreTheSameForAnyNumberOfThreads(MiniBatchSampling sampling) {
    DenseTangentOperator operator = DenseTangentOperator.random(40, 2, 30, 0.4, 0.6, 8);
    GramMatrix gram = operator.gram();
    double edge = rate(gram, SgdStep.of(1, 4), 1);
    SgdStep step = SgdStep.of(edge, 4).withSampling(sampling);
    double[] rates = {0.4 * edge, 0.7 * edge, edge, 1.3 * edge, 1.6 * edge};
    List<List<RateSweep.Point>> all = new ArrayList<>();
    List<LyapunovExponent> exponents = new ArrayList<>();
    for (int threads = 1; threads <= 3; threads++) {
      all.add(
          new ParameterSweep(operator, step, threads, () -> false)
              .run(rates, Optional.empty(), new RateSweep.Length(4, 2, 32), new RandomStream(1)));
      exponents.add(
          new ParameterEstimator(1, threads, 0.05, () -> false)
              .estimate(operator, step.withLearningRate(1.5 * edge), 0, Sign.UNDECIDED, true));
    }
    assertThat(all.get(1)).isEqualTo(all.get(0));
    assertThat(all.get(2)).isEqualTo(all.get(0));
    assertThat(exponents.get(1)).isEqualTo(exponents.get(0));
    assertThat(exponents.get(2)).isEqualTo(exponents.get(0));
  }

  /** The growth of the unstable branch is the λ that the Gram matrix gives. */
  @ParameterizedTest
  @EnumSource
  void exponentsBeyondTheEdgeAreThoseOfTheGramMatrix(MiniBatchSampling sampling) {
    DenseTangentOperator operator = DenseTangentOperator.random(40, 2, 30, 0.4, 0.6, 8);
    GramMatrix gram = operator.gram();
    for (Momentum momentum : List.of(Momentum.NONE, new Momentum.HeavyBall(0.5))) {
      SgdStep plain = SgdStep.of(1, 4).withSampling(sampling).withMomentum(momentum);
      SgdStep step = plain.withLearningRate(rate(gram, plain, 1.3));
      LyapunovEstimate found =
          (LyapunovEstimate)
              new ParameterEstimator(1, 2, 0.01, () -> false)
                  .estimate(operator, step, 0, Sign.UNDECIDED, true);
      LyapunovExponent expected =
          LyapunovEstimator.builder().precision(0.005).build().estimate(gram, step);
      double error = found.high() - found.value() + expected.high() - expected.low();
      assertThat(found.value()).isCloseTo(expected.point().orElseThrow(), within(1.5 * error));
      assertThat(error).isLessThan(0.2 * found.value());
    }
  }
}
