// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class DisplacementCocycleTest {
  private static final int STEPS = 60;

  /** Every sampling scheme with every momentum, with and without penalties; 3 does not divide 7. */
  static Stream<SgdStep> steps() {
    return Arrays.stream(MiniBatchSampling.values())
        .flatMap(
            sampling ->
                Stream.of(
                        Momentum.NONE,
                        new Momentum.HeavyBall(0.6),
                        new Momentum.Nesterov(0.7),
                        new Momentum.MovingAverage(0.5))
                    .map(
                        momentum ->
                            SgdStep.of(0.7, 3).withSampling(sampling).withMomentum(momentum)))
        .flatMap(step -> Stream.of(step, step.withL2(0.05).withWeightDecay(0.03)));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void movesResidualsAsTheDenseDefinitionDoes(SgdStep step) {
    GramMatrix gram = TestGrams.wishart(7, 2, 20, 4);
    assertThat(growth(gram, step))
        .isCloseTo(DenseProduct.growth(gram, step, 3, STEPS), within(1e-9));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void movesResidualsOfASingularGramToo(SgdStep step) {
    GramMatrix gram = TestGrams.wishart(7, 2, 5, 8);
    assertThat(growth(gram, step))
        .isCloseTo(DenseProduct.growth(gram, step, 3, STEPS), within(1e-8));
  }

  /** log ‖(F z, F v)‖ after some steps, from z = Fᵀ(1, …, 1). */
  private static double growth(GramMatrix gram, SgdStep step) {
    DisplacementCocycle cocycle = DisplacementCocycle.of(GramSpectrum.of(gram), step);
    double[] x = start(gram, cocycle);
    double before = cocycle.observedNorm(x);
    LinearCocycle.Realisation realisation = cocycle.realise(new RandomStream(3));
    for (int s = 0; s < STEPS; s++) {
      realisation.next().apply(x);
    }
    double velocity = 0;
    if (x.length > cocycle.rank()) {
      double[] v = new double[x.length];
      System.arraycopy(x, cocycle.rank(), v, 0, cocycle.rank());
      velocity = cocycle.observedNorm(v);
    }
    return Math.log(Math.hypot(cocycle.observedNorm(x), velocity) / before);
  }

  /** z = Fᵀw has z_k = √κ_k q_kᵀw. */
  private static double[] start(GramMatrix gram, DisplacementCocycle cocycle) {
    GramSpectrum spectrum = GramSpectrum.of(gram);
    double[] x = new double[cocycle.dimension()];
    for (int k = 0; k < cocycle.rank(); k++) {
      int index = gram.size() - 1 - k;
      double sum = Arrays.stream(spectrum.eigenvector(index)).sum();
      x[k] = Math.sqrt(spectrum.eigenvalue(index)) * sum;
    }
    return x;
  }

  @Test
  void factorsMayBeAppliedAgainAndToOtherVectors() {
    GramMatrix gram = TestGrams.wishart(5, 1, 9, 2);
    SgdStep step = SgdStep.of(0.5, 2).withMomentum(new Momentum.Nesterov(0.9));
    DisplacementCocycle cocycle = DisplacementCocycle.of(GramSpectrum.of(gram), step);
    LinearCocycle.Factor factor = cocycle.realise(new RandomStream(1)).next();
    double[] x = cocycle.randomDirection(new RandomStream(2));
    double[] again = x.clone();
    factor.apply(x);
    factor.apply(cocycle.randomDirection(new RandomStream(3)));
    factor.apply(again);
    assertThat(again).containsExactly(x);
  }

  @Test
  void refusesWhatCannotBeRun() {
    GramSpectrum spectrum = GramSpectrum.of(TestGrams.wishart(5, 1, 9, 2));
    assertThatThrownBy(() -> DisplacementCocycle.of(spectrum, SgdStep.of(0.1, 6)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(
            "batch size must be at least 1 and, unless drawn with replacement, at most the number of examples 5, got 6");
    assertThatThrownBy(() -> DisplacementCocycle.of(spectrum, SgdStep.of(1e120, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("lower the learning rate");
  }
}
