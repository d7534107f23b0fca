// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * One realisation of the random product of a grouped step.
 *
 * <p>From the slowest mode, the growth is that of its {@linkplain GroupedMode functional} z, which
 * changes in a step on the batch S by
 *
 * <pre>
 *   z′ = ρz + ξ,    ξ = (N/B) Σ_{i∈S} x_i s_i − x·s,
 * </pre>
 *
 * <p>and ξ/(ρz) is the control variate: its conditional mean is 0 wherever batches are drawn
 * independently, and what is left of log|z′/z| is log ρ and half of its square. It is quiet where
 * its conditional variance, as if examples were drawn independently, is small. From a random
 * direction it is the growth of the energy with the control variate of {@link GrowthRun}.
 */
final class GroupedRun extends MeasuredRun {
  /** Conditional variance of the control up to which a step is quiet. */
  private static final double QUIET_VARIANCE = 0.05;

  private static final double ANNIHILATION = -32;
  private static final int STEPS_BETWEEN_SCALINGS = 16;

  private final GroupedMode mode;
  private final GroupedCocycle cocycle;
  private final double quietCurvature;

  /**
   * A run.
   *
   * @param mode the slowest mode, to start from and to measure; null to start anywhere
   * @param edge the {@linkplain GroupedFullBatch#edgeRatio gauge of the edge} over the sharpness:
   *     the inverse of the curvature that the step tolerates
   */
  GroupedRun(
      GroupedGram gram, GroupedStep grouped, RandomStream random, GroupedMode mode, double edge) {
    super(gram.whole(), grouped.common(), random);
    this.mode = mode;
    cocycle = new GroupedCocycle(gram, grouped);
    quietCurvature = QUIET_SHARE * examples / edge;
    if (mode == null || !cocycle.start(mode)) {
      restart();
    }
  }

  @Override
  void warmUp(SgdStep other, long steps) {
    cocycle.use(other.learningRate());
    for (long s = 0; s < steps && !annihilated(); s++) {
      cocycle.apply(batch, sampler.next(batch));
      if (s % STEPS_BETWEEN_SCALINGS == 0) {
        normalise();
      }
    }
    normalise();
    cocycle.use(step.learningRate());
  }

  @Override
  void measureBlock() {
    double[] controls = new double[2];
    double growth = mode == null ? energyGrowth(controls) : modeGrowth(controls);
    add(growth, controls[0], controls[1], isQuiet());
  }

  /** Of log|z|, the sum of log|ρ + ξ/z|. */
  private double modeGrowth(double[] controls) {
    double z = cocycle.functional(mode);
    double growth = 0;
    for (int t = 0; t < stepsPerBlock(); t++) {
      int size = sampler.next(batch);
      double xi = drawn(size) * examples / size - Vectors.dot(mode.x(), cocycle.residual());
      if (controlled()) {
        controls[variance(size) < QUIET_VARIANCE * z * z ? 0 : 1] += xi / (mode.rho() * z);
      }
      double ratio = mode.rho() + xi / z;
      growth += Math.log(Math.abs(ratio));
      z *= ratio;
      cocycle.apply(batch, size);
    }
    normalise();
    return growth;
  }

  private double drawn(int size) {
    double[] x = mode.x();
    double[] s = cocycle.residual();
    double sum = 0;
    for (int b = 0; b < size; b++) {
      for (int i = batch[b] * outputs; i < (batch[b] + 1) * outputs; i++) {
        sum += x[i] * s[i];
      }
    }
    return sum;
  }

  /** Of ξ over ρ², as if examples were drawn one by one. */
  private double variance(int size) {
    double[] x = mode.x();
    double[] s = cocycle.residual();
    double squares = 0;
    for (int i = 0; i < s.length; i += outputs) {
      double share = 0;
      for (int k = i; k < i + outputs; k++) {
        share += x[k] * s[k];
      }
      squares += share * share;
    }
    return squares * examples / (size * mode.rho() * mode.rho());
  }

  /** Of the energy. */
  private double energyGrowth(double[] controls) {
    double energy = cocycle.energy();
    double before = energy;
    for (int t = 0; t < stepsPerBlock(); t++) {
      int size = sampler.next(batch);
      if (controlled()) {
        double[] s = cocycle.residual();
        double all = Vectors.dot(s, s);
        double control = (drawnSquares(s, size) - all * size / examples) / energy;
        controls[all < quietCurvature * energy ? 0 : 1] += control;
      }
      cocycle.apply(batch, size);
      energy = cocycle.energy();
    }
    double growth = 0.5 * Math.log(energy / before);
    if (!(growth > ANNIHILATION)) {
      annihilate();
      return 0;
    }
    normalise();
    return growth;
  }

  /** Where the energy tells no curvature, a direction never counts as gone. */
  private boolean isQuiet() {
    if (mode != null) {
      double z = cocycle.functional(mode);
      return variance(step.batchSize()) < QUIET_VARIANCE * z * z;
    }
    double[] s = cocycle.residual();
    return cocycle.hasCoefficients() && Vectors.dot(s, s) < quietCurvature * cocycle.energy();
  }

  private void normalise() {
    double growth = cocycle.normalise();
    if (!(growth > ANNIHILATION * STEPS_BETWEEN_SCALINGS)) {
      annihilate();
    }
  }

  @Override
  boolean start(double[] random) {
    return cocycle.start(random);
  }
}
