// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The mini-batches of a trajectory whose own are not known. Each epoch has its own draws, so that
 * the position within it follows from the number of steps.
 */
final class EpochDraws {
  /** Key of a random stream. */
  private static final long DRAWS = 2;

  private final RandomStream random;
  private MiniBatchSampler sampler;
  private SgdStep sampled;
  private int examples;
  private long following;

  EpochDraws(RandomStream random) {
    this.random = random;
  }

  /** The examples of the step of this number. */
  int[] next(long number, SgdStep step, int of) {
    int perEpoch = MiniBatchSampler.stepsPerEpoch(of, step.batchSize());
    if (!goesOn(number, step, of, perEpoch)) {
      RandomStream draws = random.split(DRAWS).split(number / perEpoch);
      sampler = new MiniBatchSampler(of, step.batchSize(), step.sampling(), draws);
      int[] skipped = new int[step.batchSize()];
      for (long s = number - number % perEpoch; s < number; s++) {
        sampler.next(skipped);
      }
    }
    sampled = step;
    examples = of;
    following = number + 1;
    int[] batch = new int[step.batchSize()];
    return Arrays.copyOf(batch, sampler.next(batch));
  }

  private boolean goesOn(long number, SgdStep step, int of, int perEpoch) {
    return sampled != null
        && following == number
        && number % perEpoch != 0
        && examples == of
        && sampled.batchSize() == step.batchSize()
        && sampled.sampling() == step.sampling();
  }
}
