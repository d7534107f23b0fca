// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Objects;
import java.util.function.DoubleConsumer;
import org.lyapunov4j.gram.GramSpectrum;

/**
 * The settings that all estimators by sampled trajectories share.
 *
 * @param <B> the builder itself
 */
abstract class SamplingBuilder<B extends SamplingBuilder<B>> extends EstimatorBuilder<B> {
  /** Times that a velocity forgets all but 1/e of what it was. */
  private static final int MEMORIES = 10;

  int trajectories;
  int burnInEpochs = 20;
  DoubleConsumer progress = fraction -> {};

  SamplingBuilder(int trajectories) {
    this.trajectories = trajectories;
  }

  /**
   * Independent realisations; part of what the seed fixes.
   *
   * @param trajectories at least 1
   * @return this
   */
  public B trajectories(int trajectories) {
    this.trajectories = requireAtLeast("trajectories", trajectories, 1);
    return self();
  }

  /**
   * Unmeasured epochs at the start of each trajectory. Of spectra and moments with momentum β at
   * least 20/(1 − β) steps, unless there are none.
   *
   * @param epochs at least 0; default 20
   * @return this
   */
  public B burnInEpochs(int epochs) {
    burnInEpochs = requireAtLeast("burn-in epochs", epochs, 0);
    return self();
  }

  /**
   * Progress over all trajectories; called from several threads, one call at a time.
   *
   * @param progress receives nondecreasing fractions in (0, 1]
   * @return this
   */
  public B progress(DoubleConsumer progress) {
    this.progress = Objects.requireNonNull(progress, "progress");
    return self();
  }

  /**
   * The burn-in. In its first half the velocities of random starts are forgotten, or what they do
   * to positions would count as growth.
   */
  int burnInEpochs(LinearCocycle cocycle) {
    double forgetting = 2 * MEMORIES * cocycle.memorySteps() / cocycle.stepsPerEpoch();
    return burnInEpochs == 0 ? 0 : Math.max(burnInEpochs, (int) Math.ceil(forgetting));
  }

  B copyTo(B copy) {
    share(copy);
    copy.trajectories = trajectories;
    copy.burnInEpochs = burnInEpochs;
    copy.progress = progress;
    return copy;
  }

  static void requireNonzero(GramSpectrum spectrum) {
    if (spectrum.rank() == 0) {
      throw new IllegalArgumentException(
          "the Gram matrix must not be zero, got rank 0 of " + spectrum.size() + " rows");
    }
  }
}
