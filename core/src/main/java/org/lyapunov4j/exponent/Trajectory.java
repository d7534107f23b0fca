// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * One realisation of the random product acting on one vector, with the log growth of every measured
 * epoch.
 */
final class Trajectory {
  /**
   * An interval that shrinks the state below this fraction has annihilated it; what is left is
   * rounding.
   */
  private static final double ANNIHILATION = Math.log(1e-14);

  private static final int ANNIHILATIONS_ARE_CERTAIN = 3;

  private final GramMatrix gram;
  private final SgdStep step;
  private final ResidualCocycle cocycle;
  private final MiniBatchSampler sampler;
  private final RandomStream starts;
  private final ControlVariates controls;
  private final int[] batch;
  private final int cadence;
  private double[] growths = new double[64];
  private int epochs;
  private int annihilations;
  private double energyAtStart = Double.NaN;

  /**
   * A trajectory at its start.
   *
   * @param start coefficients w to start from, or an empty array for random ones
   * @param withControls whether to record control variates
   */
  Trajectory(
      GramMatrix gram, SgdStep step, RandomStream random, double[] start, boolean withControls) {
    this.gram = gram;
    this.step = step;
    cocycle = new ResidualCocycle(gram, step);
    sampler =
        new MiniBatchSampler(gram.examples(), step.batchSize(), step.sampling(), random.split(0));
    starts = random.split(1);
    controls = new ControlVariates(gram, step, withControls);
    batch = new int[step.batchSize()];
    cadence = cadence(gram, step);
    if (start.length == 0 || !cocycle.start(start)) {
      restart();
    }
  }

  /** Runs epochs with another step, unmeasured; only the state is kept. */
  void warmUp(SgdStep other, int count) {
    cocycle.use(other);
    for (int epoch = 0; epoch < count && !annihilated(); epoch++) {
      runEpoch(false);
    }
    cocycle.use(step);
  }

  /** Runs and measures one epoch. */
  void measureEpoch() {
    if (epochs == 0) {
      energyAtStart = 0.5 * Math.log(cocycle.energy());
    }
    if (epochs == growths.length) {
      growths = Arrays.copyOf(growths, 2 * epochs);
    }
    growths[epochs] = annihilated() ? Double.NEGATIVE_INFINITY : runEpoch(controls.enabled());
    controls.endEpoch(epochs);
    epochs++;
  }

  int epochs() {
    return epochs;
  }

  /** Whether the product has annihilated random vectors so often that its exponent is −∞. */
  boolean annihilated() {
    return annihilations >= ANNIHILATIONS_ARE_CERTAIN;
  }

  /** Mean growth of epochs from … to − 1, nats per step. */
  double meanGrowth(int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += growths[i];
    }
    return sum / ((double) (to - from) * sampler.stepsPerEpoch());
  }

  ControlVariates controls() {
    return controls;
  }

  /** What the energy norm grew more than the residual norm since measuring began, in nats. */
  double energyExcess() {
    return 0.5 * Math.log(cocycle.energy()) - energyAtStart;
  }

  double[] coefficients() {
    return cocycle.coefficients();
  }

  private double runEpoch(boolean observe) {
    int steps = sampler.stepsPerEpoch();
    double growth = 0;
    for (int s = 1; s <= steps; s++) {
      int size = sampler.next(batch);
      if (observe) {
        controls.observe(cocycle, batch, size);
      }
      cocycle.apply(batch, size);
      if (s % cadence == 0 || s == steps) {
        double interval = cocycle.normalise();
        if (interval > ANNIHILATION) {
          growth += interval;
        } else {
          annihilations++;
          restart();
        }
      }
    }
    return growth;
  }

  private void restart() {
    double[] start = new double[gram.size()];
    for (int attempt = 0; attempt < ANNIHILATIONS_ARE_CERTAIN; attempt++) {
      for (int i = 0; i < start.length; i++) {
        start[i] = starts.nextGaussian();
      }
      if (cocycle.start(start)) {
        return;
      }
    }
    annihilations = ANNIHILATIONS_ARE_CERTAIN;
  }

  /** Steps between normalisations: cheap beside the step itself, and far from overflow. */
  private static int cadence(GramMatrix gram, SgdStep step) {
    int rows = step.batchSize() * gram.outputs();
    if (gram.size() <= 64) {
      return 1;
    }
    double largestGrowth = Math.log1p(2 * step.learningRate() * gram.trace());
    return Math.max(1, Math.min(16 / rows, (int) (300 / largestGrowth)));
  }
}
