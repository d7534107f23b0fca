// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Objects;
import java.util.OptionalInt;

/**
 * What {@link MeanSquareStability} says about one step.
 *
 * @param index index_ms; the step is mean-square stable exactly if it is below 1
 * @param exponent Λ(2), nats per step; below 0 exactly if the index is below 1
 * @param criticalLearningRate η_ms at the batch size of the step
 * @param criticalBatchSize the smallest mean-square stable B at the learning rate of the step;
 *     empty if there is none up to N, or it was not asked for
 */
public record MeanSquareReport(
    Enclosure index,
    double exponent,
    Enclosure criticalLearningRate,
    OptionalInt criticalBatchSize) {
  /** {@inheritDoc} */
  public MeanSquareReport {
    Objects.requireNonNull(index, "index");
    Objects.requireNonNull(criticalLearningRate, "criticalLearningRate");
    Objects.requireNonNull(criticalBatchSize, "criticalBatchSize");
  }

  /**
   * Whether the step is mean-square stable beyond doubt, and hence λ &lt; 0.
   *
   * @return index below 1 with its upper bound
   */
  public boolean isStable() {
    return index.high() < 1;
  }

  /**
   * Whether the step is mean-square unstable beyond doubt; the sign of λ remains open.
   *
   * @return index at least 1 with its lower bound
   */
  public boolean isUnstable() {
    return index.low() >= 1;
  }
}
