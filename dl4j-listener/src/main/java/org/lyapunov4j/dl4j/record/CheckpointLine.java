// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.EdgeForecast;

/**
 * A checkpoint with λ and a verdict; one without is an {@link ObservationLine}.
 *
 * @param iteration the model's iteration counter; the parameters are those after that step
 * @param epoch the model's epoch counter
 * @param time when the parameters were copied
 * @param tier how much was computed: ECONOMY, STANDARD or FULL
 * @param loss mini-batch score, before the step
 * @param probeLoss mean loss of the probe, after the step
 * @param step the training step in one sentence
 * @param gramMillis cost of the Gram matrix
 * @param analysisMillis cost of its analysis
 * @param gramBytes memory of the Gram matrix's entries
 * @param level how near the analysed step is to that of training; null in records of old
 * @param stability exponents and verdict
 * @param edgeForecast when the edge ratio reaches 1 at its trend; absent where there is none
 * @param batchSharpness curvature along mini-batch gradients
 * @param trajectory the exponent along the trajectory, if asked for; absent at the first checkpoint
 * @param finiteTime how the residual that training has now goes on over a horizon; absent in
 *     records of old and unless computed
 * @param probeSizes the stability of a quarter and half of the probe, if asked for
 */
public record CheckpointLine(
    int iteration,
    int epoch,
    Instant time,
    String tier,
    double loss,
    double probeLoss,
    String step,
    long gramMillis,
    long analysisMillis,
    long gramBytes,
    LevelRecord level,
    StabilityRecord stability,
    Forecast edgeForecast,
    Batches batchSharpness,
    Window trajectory,
    StabilityRecord.FiniteTime finiteTime,
    List<StabilityRecord> probeSizes)
    implements RecordLine {
  /** {@inheritDoc} */
  public CheckpointLine {
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(tier, "tier");
    Objects.requireNonNull(stability, "stability");
    probeSizes = probeSizes == null ? null : List.copyOf(probeSizes);
  }

  /**
   * When the edge ratio reaches 1, if its trend goes on.
   *
   * @param iteration of training
   * @param low lower end of its 95 % interval
   * @param high upper end
   */
  public record Forecast(double iteration, double low, double high) {
    static Forecast of(EdgeForecast forecast) {
      return new Forecast(forecast.iteration(), forecast.low(), forecast.high());
    }
  }

  /**
   * Batch sharpness, in units of 1/learning rate.
   *
   * @param meanOfRatios E[gᵀHg/‖g‖²]
   * @param meanOfRatiosError its standard error
   * @param ratioOfMeans E[gᵀHg]/E[‖g‖²]
   * @param ratioOfMeansError its standard error
   * @param batches that were drawn
   */
  public record Batches(
      double meanOfRatios,
      double meanOfRatiosError,
      double ratioOfMeans,
      double ratioOfMeansError,
      int batches) {
    static Batches of(BatchSharpness sharpness) {
      Estimate ratios = sharpness.meanOfRatios();
      Estimate means = sharpness.ratioOfMeans();
      return new Batches(
          ratios.value(),
          ratios.standardError(),
          means.value(),
          means.standardError(),
          sharpness.batches());
    }
  }

  /**
   * The exponent along the trajectory.
   *
   * @param steps since the checkpoint before
   * @param drawn how many of them took the mini-batch that training took; null in records of old
   * @param exponent over these steps, nats per step
   * @param cumulativeSteps since the first checkpoint
   * @param cumulativeExponent over all these steps, nats per step
   * @param curvature GAUSS_NEWTON or HESSIAN; null in records of old, which have the former
   * @param curvatureError the relative error of products with the Hessian, as far as it was
   *     measured; absent for the Gauss–Newton matrix
   */
  public record Window(
      long steps,
      Long drawn,
      double exponent,
      long cumulativeSteps,
      double cumulativeExponent,
      String curvature,
      Double curvatureError) {
    static Window of(TrajectoryExponent.Window window) {
      return new Window(
          window.steps(),
          window.drawn(),
          window.exponent(),
          window.cumulativeSteps(),
          window.cumulativeExponent(),
          window.curvature().name(),
          window.curvature() == TrajectoryExponent.Curvature.HESSIAN
              ? window.curvatureError()
              : null);
    }
  }

  /**
   * The line of a checkpoint.
   *
   * @param checkpoint what was found, with λ and a verdict
   * @return the same numbers
   */
  public static CheckpointLine of(Checkpoint checkpoint) {
    return new CheckpointLine(
        checkpoint.iteration(),
        checkpoint.epoch(),
        checkpoint.time(),
        checkpoint.tier().name(),
        checkpoint.loss(),
        checkpoint.probeLoss(),
        checkpoint.step().toString(),
        checkpoint.gramTime().toMillis(),
        checkpoint.analysisTime().toMillis(),
        checkpoint.gramBytes(),
        LevelRecord.of(checkpoint.level()),
        StabilityRecord.of(checkpoint.stability(), checkpoint.verdict().orElseThrow()),
        checkpoint.forecast().map(Forecast::of).orElse(null),
        checkpoint.batchSharpness().map(Batches::of).orElse(null),
        checkpoint.trajectory().map(Window::of).orElse(null),
        checkpoint.finiteTime().map(StabilityRecord.FiniteTime::of).orElse(null),
        checkpoint.smallerProbes().isEmpty()
            ? null
            : checkpoint.smallerProbes().stream().map(StabilityRecord::of).toList());
  }
}
