// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.Instant;
import java.util.OptionalDouble;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.ObservedReport;

/**
 * A checkpoint of a training whose level allows no λ and no verdict: a gauge of the edge, or what
 * is observed. Fields that there are not are absent.
 *
 * @param iteration the model's iteration counter; the parameters are those after that step
 * @param epoch the model's epoch counter
 * @param time when the parameters were copied
 * @param tier how much was computed: ECONOMY, STANDARD or FULL
 * @param loss mini-batch score, before the step
 * @param probeLoss mean loss of the probe, after the step
 * @param step the training step in one sentence
 * @param level why there is no λ
 * @param learningRate η
 * @param batchSize B
 * @param examples N
 * @param outputs K; 0 if the model ends in no loss
 * @param sharpness largest eigenvalue of G/N
 * @param classicEdgeRatio sharpness over what full-batch descent tolerates, of a gauge
 * @param criticalLearningRate η_c with its interval, of a gauge
 * @param edgeRatio η/η_c, of a gauge
 * @param kernel largest eigenvalue of the plain kernel over N, where the loss has no curvature
 * @param floorRatio loss over its floor, where it is piecewise linear
 * @param batchSharpness curvature along mini-batch gradients
 * @param gramMillis cost of the Gram matrix
 * @param analysisMillis cost of its analysis
 * @param gramBytes memory of the Gram matrix's entries
 */
public record ObservationLine(
    int iteration,
    int epoch,
    Instant time,
    String tier,
    double loss,
    Double probeLoss,
    String step,
    LevelRecord level,
    Double learningRate,
    int batchSize,
    int examples,
    int outputs,
    Double sharpness,
    Double classicEdgeRatio,
    StabilityRecord.CriticalRate criticalLearningRate,
    Double edgeRatio,
    Double kernel,
    Double floorRatio,
    CheckpointLine.Batches batchSharpness,
    long gramMillis,
    long analysisMillis,
    long gramBytes)
    implements RecordLine {
  /**
   * The line of a checkpoint.
   *
   * @param checkpoint what was found, without λ and a verdict
   * @return the same numbers
   */
  public static ObservationLine of(Checkpoint checkpoint) {
    Findings findings = checkpoint.findings();
    double rate = checkpoint.step().sgd().learningRate();
    EdgeReport gauge = findings instanceof EdgeReport edge ? edge : null;
    ObservedReport seen = findings instanceof ObservedReport observed ? observed : null;
    return new ObservationLine(
        checkpoint.iteration(),
        checkpoint.epoch(),
        checkpoint.time(),
        checkpoint.tier().name(),
        checkpoint.loss(),
        Double.isNaN(checkpoint.probeLoss()) ? null : checkpoint.probeLoss(),
        checkpoint.step().toString(),
        LevelRecord.of(checkpoint.level()),
        rate > 0 ? rate : null,
        checkpoint.step().sgd().batchSize(),
        findings.examples(),
        findings.outputs(),
        orNull(findings.measuredSharpness()),
        gauge == null ? null : gauge.classicEdgeRatio(),
        findings.criticalLearningRate().map(StabilityRecord.CriticalRate::of).orElse(null),
        gauge == null ? null : orNull(gauge.edgeRatio()),
        seen == null ? null : orNull(seen.kernel()),
        seen == null ? null : orNull(seen.floorRatio()),
        checkpoint.batchSharpness().map(CheckpointLine.Batches::of).orElse(null),
        checkpoint.gramTime().toMillis(),
        checkpoint.analysisTime().toMillis(),
        checkpoint.gramBytes());
  }

  private static Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
