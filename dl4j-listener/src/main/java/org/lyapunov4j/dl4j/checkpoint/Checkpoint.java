// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.stability.StabilityReport;

/**
 * What was found at one iteration of a training run.
 *
 * @param run the name of the run, the value of the metrics' {@code run} tag
 * @param iteration the model's iteration counter; the parameters are those after that step
 * @param epoch the model's epoch counter
 * @param time when the parameters were copied
 * @param loss the model's score on the mini-batch of that iteration, before its step,
 *     regularisation included
 * @param step the training step the stability was computed for
 * @param assumptions what was assumed of the model when the Gram matrix was computed, one sentence
 *     each, for example that dropout was off
 * @param stability exponents, sharpness and verdict of the Gram matrix at these parameters
 * @param gramTime how long the Gram matrix took
 * @param analysisTime how long its analysis took
 */
public record Checkpoint(
    String run,
    int iteration,
    int epoch,
    Instant time,
    double loss,
    TrainingStep step,
    List<String> assumptions,
    StabilityReport stability,
    Duration gramTime,
    Duration analysisTime) {

  /** {@inheritDoc} */
  public Checkpoint {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(step, "step");
    assumptions = List.copyOf(assumptions);
    Objects.requireNonNull(stability, "stability");
    Objects.requireNonNull(gramTime, "gramTime");
    Objects.requireNonNull(analysisTime, "analysisTime");
  }

  /**
   * The time the checkpoint took.
   *
   * @return Gram matrix and analysis together
   */
  public Duration computeTime() {
    return gramTime.plus(analysisTime);
  }

  /**
   * The checkpoint on one line: iteration, loss, exponents in nats per step, edge ratio, verdict,
   * cost.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "iteration %d: loss %.4g, λ = %+.3e ± %.1e, μ = %+.3e nats/step, η·sharpness/2 = %.4f, %s (%d ms)",
        iteration,
        loss,
        stability.exponent().value(),
        stability.exponent().standardError(),
        stability.gdExponent(),
        stability.classicEdgeRatio(),
        stability.verdict().kind(),
        computeTime().toMillis());
  }
}
