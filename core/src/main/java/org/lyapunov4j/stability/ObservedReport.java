// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What is observed of a training whose step has no linearisation here: no λ, no edge, no verdict.
 *
 * @param examples N
 * @param outputs K; 0 if the model has no output with a loss
 * @param measuredSharpness κ_max/N of the curvature-weighted Gram matrix, of the plain gradient
 *     whatever the updater; absent if the loss has no curvature or no matrix could be made
 * @param kernel the largest eigenvalue of the plain kernel Θ over N; present only where there is no
 *     curvature
 * @param floorRatio how far above its floor a piecewise linear loss is, {@link LossFloor}; absent
 *     for other losses
 * @param remarks a sentence each
 */
public record ObservedReport(
    int examples,
    int outputs,
    OptionalDouble measuredSharpness,
    OptionalDouble kernel,
    OptionalDouble floorRatio,
    List<String> remarks)
    implements Findings {
  /** {@inheritDoc} */
  public ObservedReport {
    Objects.requireNonNull(measuredSharpness, "measuredSharpness");
    Objects.requireNonNull(kernel, "kernel");
    Objects.requireNonNull(floorRatio, "floorRatio");
    if (measuredSharpness.isPresent() && kernel.isPresent()) {
      throw new IllegalArgumentException(
          "the largest eigenvalue is that of the curvature or of the plain kernel, got both");
    }
    remarks = List.copyOf(remarks);
  }

  /** Always absent. */
  @Override
  public Optional<CriticalLearningRate> criticalLearningRate() {
    return Optional.empty();
  }
}
