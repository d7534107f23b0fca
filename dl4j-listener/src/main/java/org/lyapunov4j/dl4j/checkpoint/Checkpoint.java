// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;

/**
 * What was found at one iteration of a training run.
 *
 * @param run the name of the run, the value of the metrics' {@code run} tag
 * @param iteration the model's iteration counter; the parameters are those after that step
 * @param epoch the model's epoch counter
 * @param time when the parameters were copied
 * @param loss the model's score on the mini-batch of that iteration, before its step,
 *     regularisation included; NaN if there was no training to see
 * @param probeLoss the mean loss of the probe's examples at these parameters, without
 *     regularisation
 * @param tier how much was computed
 * @param step the training step the stability was computed for
 * @param assumptions what was assumed of the model when the Gram matrix was computed, one sentence
 *     each, for example that dropout was off, and what native code got wrong and what took its
 *     place
 * @param stability exponents, sharpness and verdict of the Gram matrix at these parameters
 * @param smallerProbes sharpness and λ, or all of the same if asked for, of a quarter and of half
 *     of the probe's examples, evenly spaced, to judge whether the probe is large enough; empty for
 *     a probe of fewer than 8 examples and if switched off
 * @param batchSharpness the curvature along mini-batch gradients
 * @param trajectory the exponent along the trajectory from the checkpoint before to this one;
 *     absent at the first one and unless asked for
 * @param gramBytes the memory that the entries of the Gram matrix take
 * @param gramTime how long the Gram matrix took
 * @param analysisTime how long its analysis took
 */
public record Checkpoint(
    String run,
    int iteration,
    int epoch,
    Instant time,
    double loss,
    double probeLoss,
    Tier tier,
    TrainingStep step,
    List<String> assumptions,
    StabilityReport stability,
    List<StabilityReport> smallerProbes,
    BatchSharpness batchSharpness,
    Optional<TrajectoryExponent.Window> trajectory,
    long gramBytes,
    Duration gramTime,
    Duration analysisTime) {

  /** {@inheritDoc} */
  public Checkpoint {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(tier, "tier");
    Objects.requireNonNull(step, "step");
    assumptions = List.copyOf(assumptions);
    Objects.requireNonNull(stability, "stability");
    smallerProbes = List.copyOf(smallerProbes);
    Objects.requireNonNull(batchSharpness, "batchSharpness");
    Objects.requireNonNull(trajectory, "trajectory");
    Objects.requireNonNull(gramTime, "gramTime");
    Objects.requireNonNull(analysisTime, "analysisTime");
  }

  /**
   * How much the sharpness still depends on the size of the probe: its relative change from half of
   * the examples to all.
   *
   * @return |1 − sharpness(N/2)/sharpness(N)|; NaN if no smaller probe was analysed
   */
  public double probeChange() {
    if (smallerProbes.isEmpty()) {
      return Double.NaN;
    }
    double half = smallerProbes.get(smallerProbes.size() - 1).sharpness();
    return Math.abs(1 - half / stability.sharpness());
  }

  /**
   * How much λ still depends on the size of the probe, at the same mini-batch size.
   *
   * @return λ(N) − λ(N/2) in nats per step, each with the error of its estimate; NaN if no smaller
   *     probe was analysed or the mini-batch is larger than half of the probe
   */
  public double probeExponentChange() {
    return comparableHalf()
        .map(half -> stability.exponent().value() - half.exponent().value())
        .orElse(Double.NaN);
  }

  /**
   * How much the critical learning rate still depends on the size of the probe, at the same
   * mini-batch size: its relative change from half of the examples to all.
   *
   * @return |1 − η_c(N/2)/η_c(N)|; NaN if it is not known for both, as with the default comparison,
   *     or the mini-batch is larger than half of the probe
   */
  public double probeCriticalLearningRateChange() {
    return comparableHalf()
        .flatMap(StabilityReport::criticalLearningRate)
        .flatMap(
            half ->
                stability
                    .criticalLearningRate()
                    .map(whole -> Math.abs(1 - half.value() / whole.value())))
        .orElse(Double.NaN);
  }

  /**
   * Half of the probe, if it was analysed with the mini-batch size of the whole.
   *
   * @return the report; absent if there is none or λ would differ for the mini-batch size alone
   */
  public Optional<StabilityReport> comparableHalf() {
    return smallerProbes.stream()
        .skip(Math.max(0, smallerProbes.size() - 1))
        .filter(half -> half.step().batchSize() == stability.step().batchSize())
        .findFirst();
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
