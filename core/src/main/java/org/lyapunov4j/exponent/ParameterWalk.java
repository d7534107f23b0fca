// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * A trajectory of {@link ParameterCocycle} with its log growth block by block, and beside it the
 * sum over the block of
 *
 * <pre>
 *   c = Σ_S ρ_i / ρ̄ − |S|,        ρ_i = ‖J_i z₀‖²,
 * </pre>
 *
 * <p>whose expectation is 0 whatever z₀, since every example is as likely in a batch as any other.
 * With z₀ the direction that grows, it explains much of the noise of mini-batches.
 */
final class ParameterWalk {
  /** Steps after which a state is scaled back, long before it overflows. */
  static final int BLOCK = 16;

  /** Growth of a block below which a state counts as annihilated. */
  private static final double LEAST_GROWTH = -700;

  private final ParameterCocycle cocycle;
  private final double[] curvatures;
  private final boolean controlled;
  private final int outputs;
  private final int dimension;
  private double[] growth = new double[64];
  private double[] covariate = new double[64];
  private double control;
  private int blocks;
  private boolean alive = true;

  /**
   * A walk.
   *
   * @param start in the range of Jᵀ, not 0
   * @param curvatures ρ over their mean; empty for no control
   */
  ParameterWalk(
      TangentOperator operator,
      TangentGram gram,
      SgdStep step,
      double[] start,
      double[] curvatures) {
    this.curvatures = curvatures;
    outputs = operator.outputs();
    dimension = operator.dimension();
    controlled =
        curvatures.length > 0
            && step.sampling() != MiniBatchSampling.ORDERED_EPOCHS
            && !step.isFullBatch(operator.examples());
    cocycle = new ParameterCocycle(operator, gram, step);
    if (!cocycle.start(start)) {
      throw new IllegalArgumentException(
          "a tangent vector to start from must be finite and not 0; nothing moves the outputs");
    }
  }

  /** ρ_i over their mean. */
  static double[] curvatures(TangentGram gram, double[] z) {
    double[] curvatures = gram.curvatures(z);
    double mean = Arrays.stream(curvatures).average().orElseThrow();
    return mean > 0
        ? Arrays.stream(curvatures).map(curvature -> curvature / mean).toArray()
        : new double[0];
  }

  /** A step of all walks that are alive, with the examples of the batch, which are selected. */
  static void step(
      List<ParameterWalk> walks, TangentOperator.Products selected, int[] batch, int size) {
    List<ParameterWalk> alive = walks.stream().filter(ParameterWalk::isAlive).toList();
    if (alive.isEmpty()) {
      return;
    }
    List<ParameterCocycle> cocycles = alive.stream().map(walk -> walk.cocycle).toList();
    ParameterCocycle.apply(cocycles, selected, size, alive.get(0).outputs);
    alive.forEach(walk -> walk.observe(batch, size));
  }

  private void observe(int[] batch, int size) {
    for (int b = 0; controlled && b < size; b++) {
      control += curvatures[batch[b]] - 1;
    }
  }

  void endBlock() {
    if (blocks == growth.length) {
      growth = Arrays.copyOf(growth, 2 * blocks);
      covariate = Arrays.copyOf(covariate, 2 * blocks);
    }
    double grown = alive ? cocycle.normalise() : LEAST_GROWTH;
    alive = alive && grown > LEAST_GROWTH && grown < Double.POSITIVE_INFINITY;
    growth[blocks] = alive ? grown : LEAST_GROWTH;
    covariate[blocks] = control;
    control = 0;
    blocks++;
  }

  int blocks() {
    return blocks;
  }

  boolean isAlive() {
    return alive;
  }

  /** The state's position; a copy. */
  double[] tangent() {
    return Arrays.copyOf(cocycle.tangent(), dimension);
  }

  Optional<Tangent> direction() {
    return alive ? Optional.of(Tangent.of(cocycle.tangent())) : Optional.empty();
  }

  /** The growth of every block from {@code dropped} on without what the control explains. */
  double[] adjusted(int dropped) {
    return ControlledGrowth.adjusted(
        Arrays.copyOfRange(growth, dropped, blocks),
        Arrays.copyOfRange(covariate, dropped, blocks));
  }

  /** The growth of every block as it was. */
  double[] plain() {
    return Arrays.copyOf(growth, blocks);
  }
}
