// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.exponent.DenseTangentOperator;
import org.lyapunov4j.exponent.ParameterSweep;
import org.lyapunov4j.exponent.TangentGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * η_c as users get it of kernels with so many examples or rows that spaces are small beside them,
 * against long runs of products of the Jacobian itself, whose columns are few for that. {@link
 * #main} prints more of them.
 */
class LargeKernelCoverageTest {
  private static final double TOLERANCE = 0.005;

  /** A Jacobian, a batch size, and whether its Gram matrix is given. */
  private record Case(
      int examples,
      int outputs,
      int parameters,
      double decay,
      double shared,
      int batchSize,
      boolean isMatrix) {
    DenseTangentOperator operator(long seed) {
      return DenseTangentOperator.random(examples, outputs, parameters, decay, shared, seed);
    }
  }

  /** Spaces, of matrices too, and beyond 4096 examples few steps and small spaces. */
  private static final List<Case> SOME =
      List.of(
          new Case(600, 1, 300, 0.5, 0.5, 8, false),
          new Case(300, 8, 400, 0.4, 0.3, 4, true),
          new Case(4500, 1, 200, 0.5, 0.5, 32, false));

  private static CriticalLearningRate found(Case one, DenseTangentOperator operator) {
    SgdStep step = SgdStep.of(1e-9, one.batchSize());
    StabilityAnalyzer analyzer = StabilityAnalyzer.builder().tier(Tier.STANDARD).build();
    return one.isMatrix()
        ? EdgeFinder.builder().build().criticalLearningRate(operator.gram(), step)
        : analyzer.analyze(operator, step).criticalLearningRate().orElseThrow();
  }

  /** By sweeps of so many blocks of steps, with other mini-batches. */
  private static CriticalLearningRate truth(
      Case one, DenseTangentOperator operator, double guess, int blocks) {
    SgdStep step = SgdStep.of(1, one.batchSize());
    TangentGram gram = new TangentGram(operator, 2, () -> false);
    double[] start = new RandomStream(5).gaussians(gram.size());
    LargestEigenpair top = LargestEigenpair.of(gram, start, 1e-6, 100);
    double fullBatch = 2.0 * one.examples() / top.value();
    double bound = DirectionalBound.of(gram, top, one.examples(), step, fullBatch);
    ParameterSweep sweep = new ParameterSweep(operator, step, 2, () -> false);
    EdgeSearch search =
        new EdgeSearch(
            sweep::run, ParameterSweep.BLOCK, blocks, 5, TOLERANCE, bound, new RandomStream(77));
    return search.near(guess, 0.85 * guess, 1.1 * guess, Optional.empty()).orElseThrow();
  }

  private static boolean overlap(CriticalLearningRate a, CriticalLearningRate b) {
    return a.low() <= b.high() && b.low() <= a.high();
  }

  @Test
  void intervalsHoldWhatLongRunsFind() {
    for (Case one : SOME) {
      DenseTangentOperator operator = one.operator(1);
      CriticalLearningRate found = found(one, operator);
      CriticalLearningRate truth = truth(one, operator, found.value(), 1000);
      assertThat(found.value() / truth.value()).as(one.toString()).isBetween(0.97, 1.03);
      assertThat(overlap(found, truth)).as(one.toString()).isTrue();
    }
  }

  /** Prints all rows; arguments: seeds of each and blocks of a sweep. */
  public static void main(String[] arguments) {
    int covered = 0;
    int all = 0;
    for (Case one : all()) {
      for (int seed = 1; seed <= Integer.parseInt(arguments[0]); seed++) {
        DenseTangentOperator operator = one.operator(seed);
        CriticalLearningRate found = found(one, operator);
        CriticalLearningRate truth =
            truth(one, operator, found.value(), Integer.parseInt(arguments[1]));
        boolean meets = overlap(found, truth);
        all++;
        covered += meets ? 1 : 0;
        System.out.println(
            String.format(
                Locale.ROOT,
                "%s: %+.1f %% [%+.1f, %+.1f], long runs [%+.1f, %+.1f] %s",
                one,
                100 * (found.value() / truth.value() - 1),
                100 * (found.low() / truth.value() - 1),
                100 * (found.high() / truth.value() - 1),
                100 * (truth.low() / truth.value() - 1),
                100 * (truth.high() / truth.value() - 1),
                meets ? "" : "missed"));
      }
    }
    System.out.println(covered + " of " + all);
  }

  private static List<Case> all() {
    return List.of(
        SOME.get(0),
        new Case(600, 1, 300, 0.3, 0.2, 1, false),
        new Case(600, 4, 300, 0.6, 0.5, 32, false),
        new Case(1000, 10, 300, 0.5, 0.5, 32, false),
        new Case(2000, 1, 400, 0.7, 0.8, 1, false),
        new Case(2000, 2, 400, 0.5, 0.5, 64, false),
        SOME.get(1),
        new Case(250, 10, 300, 0.5, 0.5, 1, true),
        new Case(500, 10, 300, 0.6, 0.5, 32, true),
        SOME.get(2),
        new Case(5000, 2, 200, 0.4, 0.3, 4, false),
        new Case(6000, 1, 300, 0.6, 0.5, 100, false));
  }
}
