// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * Finite-time exponents along a training trajectory: one tangent vector is carried from checkpoint
 * to checkpoint; between two of them it is multiplied by as many random steps as training took,
 * with the Gram matrix and the step of the earlier one.
 *
 * <p>Growth is the log growth of the residual r = G w inside each window; what changes in ‖G w‖
 * because G itself changes between windows is not growth of the dynamics and does not count. Values
 * describe one realisation: they have no error bar, and need none to be compared with the frozen λ.
 * Not thread-safe.
 */
public final class TrajectoryExponent {
  private final RandomStream random;
  private double[] coefficients;
  private int windows;
  private long steps;
  private double growth;

  /**
   * A trajectory before its first window.
   *
   * @param seed fixes the starting vector and every draw
   */
  public TrajectoryExponent(long seed) {
    random = new RandomStream(seed);
    coefficients = new double[0];
  }

  /**
   * A trajectory that goes on where another stopped, bit for bit.
   *
   * @param seed of the other
   * @param last what its last window returned
   * @return the continuation
   */
  public static TrajectoryExponent resume(long seed, Window last) {
    TrajectoryExponent trajectory = new TrajectoryExponent(seed);
    trajectory.coefficients = last.tangent().toArray();
    trajectory.windows = last.index() + 1;
    trajectory.steps = last.cumulativeSteps();
    trajectory.growth = last.cumulativeGrowth();
    return trajectory;
  }

  /**
   * A finished window.
   *
   * @param index 0, 1, 2, …
   * @param steps steps in this window
   * @param growth log growth in this window, nats; −∞ if a step annihilated the vector, which then
   *     starts anew
   * @param cumulativeSteps steps in all windows so far
   * @param cumulativeGrowth log growth in all windows so far, nats
   * @param tangent the vector after the window
   */
  public record Window(
      int index,
      long steps,
      double growth,
      long cumulativeSteps,
      double cumulativeGrowth,
      Tangent tangent) {

    /**
     * The finite-time exponent of this window.
     *
     * @return nats per step
     */
    public double exponent() {
      return growth / steps;
    }

    /**
     * The finite-time exponent of the whole trajectory so far.
     *
     * @return nats per step
     */
    public double cumulativeExponent() {
      return cumulativeGrowth / cumulativeSteps;
    }
  }

  /**
   * Applies the steps of one window.
   *
   * @param gram G at the start of the window; m must not change between windows
   * @param step the step in force
   * @param count steps training took until the next checkpoint, at least 1
   * @return the window
   */
  public Window advance(GramMatrix gram, SgdStep step, long count) {
    if (count < 1) {
      throw new IllegalArgumentException("a window must have at least 1 step, got " + count);
    }
    if (coefficients.length != 0 && coefficients.length != gram.size()) {
      throw new IllegalArgumentException(
          "the Gram matrix must keep its size along a trajectory, "
              + coefficients.length
              + " rows, got "
              + gram.size());
    }
    RandomStream draws = random.split(windows);
    ResidualCocycle cocycle = started(gram.normalised(), step.scaled(gram.exponent()), draws);
    MiniBatchSampler sampler =
        new MiniBatchSampler(gram.examples(), step.batchSize(), step.sampling(), draws.split(0));
    int[] batch = new int[step.batchSize()];
    double gained = 0;
    for (long s = 0; s < count; s++) {
      cocycle.apply(batch, sampler.next(batch));
      gained += cocycle.normalise();
    }
    coefficients =
        gained > Double.NEGATIVE_INFINITY
            ? cocycle.coefficients()
            : gaussian(draws.split(2), gram.size());
    steps += count;
    growth += gained;
    return new Window(windows++, count, gained, steps, growth, Tangent.of(coefficients));
  }

  private ResidualCocycle started(GramMatrix gram, SgdStep step, RandomStream draws) {
    ResidualCocycle cocycle = new ResidualCocycle(gram, step);
    if (coefficients.length == 0 || !cocycle.start(coefficients)) {
      if (!cocycle.start(gaussian(draws.split(1), gram.size()))) {
        throw new IllegalArgumentException("a trajectory needs a nonzero Gram matrix, got zero");
      }
    }
    return cocycle;
  }

  private static double[] gaussian(RandomStream random, int size) {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }
}
