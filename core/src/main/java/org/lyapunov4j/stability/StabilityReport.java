// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Objects;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.step.SgdStep;

/**
 * Everything measured about one Gram matrix under one step.
 *
 * @param examples N
 * @param outputs K
 * @param step the step
 * @param exponent λ, nats per step
 * @param gdExponent μ, the exponent of the same step on the full batch, nats per step
 * @param sharpness κ_max/N
 * @param spectrumComplete whether all eigenvalues were computed; if not, the Gram matrix was too
 *     large and {@code gdExponent} is that of the sharpest direction alone: its sign is right, its
 *     size below zero is not
 * @param verdict the verdict with its evidence
 */
public record StabilityReport(
    int examples,
    int outputs,
    SgdStep step,
    LyapunovEstimate exponent,
    double gdExponent,
    double sharpness,
    boolean spectrumComplete,
    Verdict verdict) {
  /** {@inheritDoc} */
  public StabilityReport {
    Objects.requireNonNull(step, "step");
    Objects.requireNonNull(exponent, "exponent");
    Objects.requireNonNull(verdict, "verdict");
  }

  /**
   * The classic gauge of the edge of stability, 1 at the edge of the full-batch step: η·sharpness/2
   * for plain gradient descent, the sharpness over the critical curvature of the step in general.
   *
   * @return a nonnegative number
   */
  public double classicEdgeRatio() {
    return sharpness / org.lyapunov4j.exponent.FullBatchExponent.criticalCurvature(step);
  }
}
