// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import java.util.function.Predicate;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.stability.Verdict;

/**
 * The gauges that {@link MetricsSink} publishes from the latest checkpoint: each is an entry of its
 * {@link CheckpointDocument} under a name of its own. All are NaN before the first one; from then
 * on those that its level does not allow are absent.
 */
enum LyapunovGauge {
  /** λ; NaN where it is only bounded. */
  EXPONENT(
      "lyapunov.exponent",
      Domain.STABILITY,
      "nats",
      "Lyapunov exponent λ of SGD per step; negative: perturbations of the fit die out; NaN if only"
          + " bounded",
      "exponent.value"),
  /** Standard error of λ; NaN where it is only bounded. */
  EXPONENT_ERROR(
      "lyapunov.exponent.error",
      Domain.STABILITY,
      "nats",
      "Standard error of lyapunov.exponent, 0 if exact; NaN if only bounded",
      "exponent.standardError"),
  /** Lower end of the interval for λ, or lower bound. */
  EXPONENT_LOW(
      "lyapunov.exponent.low",
      Domain.STABILITY,
      "nats",
      "Lower end of the 95 % interval of lyapunov.exponent, or its lower bound",
      "exponent.low"),
  /** Upper end of the interval for λ, or upper bound. */
  EXPONENT_HIGH(
      "lyapunov.exponent.high",
      Domain.STABILITY,
      "nats",
      "Upper end of the 95 % interval of lyapunov.exponent, or its upper bound",
      "exponent.high"),
  /** μ; NaN where it is only bounded. */
  GD_EXPONENT(
      "lyapunov.gd.exponent",
      Domain.STABILITY,
      "nats",
      "Lyapunov exponent μ of full-batch gradient descent at the same learning rate, per step; NaN"
          + " if only bounded",
      "gdExponent.value"),
  /** μ, or its lower bound. */
  GD_EXPONENT_LOW(
      "lyapunov.gd.exponent.low",
      Domain.STABILITY,
      "nats",
      "lyapunov.gd.exponent, or its lower bound",
      "gdExponent.low"),
  /** μ, or its upper bound. */
  GD_EXPONENT_HIGH(
      "lyapunov.gd.exponent.high",
      Domain.STABILITY,
      "nats",
      "lyapunov.gd.exponent, or its upper bound",
      "gdExponent.high"),
  /** κ_max/N. */
  SHARPNESS(
      "lyapunov.sharpness",
      Domain.CURVATURE,
      null,
      "Largest eigenvalue of the Gauss-Newton matrix of the mean loss, κ_max/N; preconditioned if"
          + " the updater is adaptive",
      "sharpness"),
  /** η·sharpness/2. */
  EDGE_RATIO_CLASSIC(
      "lyapunov.edge.ratio.classic",
      Domain.EDGE,
      null,
      "Sharpness over what full-batch descent tolerates; without momentum η·sharpness/2; 1 is the"
          + " edge",
      "classicEdgeRatio"),
  /** η/η_c. */
  EDGE_RATIO(
      "lyapunov.edge.ratio",
      Domain.EDGE,
      null,
      "Learning rate over the critical one at this batch size, η/η_c: 1 is the edge of stability of"
          + " SGD",
      "edgeRatio"),
  /** Lower end of the interval of η/η_c. */
  EDGE_RATIO_LOW(
      "lyapunov.edge.ratio.low",
      Domain.EDGE,
      null,
      "Lower end of the interval of lyapunov.edge.ratio, from that of the critical learning rate",
      "edgeRatioLow"),
  /** Upper end of the interval of η/η_c. */
  EDGE_RATIO_HIGH(
      "lyapunov.edge.ratio.high",
      Domain.EDGE,
      null,
      "Upper end of the interval of lyapunov.edge.ratio, from that of the critical learning rate",
      "edgeRatioHigh"),
  /** η/η_ms. */
  EDGE_RATIO_MEAN_SQUARE(
      "lyapunov.edge.ratio.mean.square",
      Domain.STABILITY,
      null,
      "Learning rate over the mean-square critical one, η/η_ms: an upper bound of"
          + " lyapunov.edge.ratio without sampling noise; beyond 128 rows, and for some smaller"
          + " matrices of several outputs, it rests on an estimate with a safety factor",
      "meanSquareEdgeRatio"),
  /** When η/η_c reaches 1. */
  EDGE_FORECAST(
      "lyapunov.edge.forecast",
      Domain.STABILITY,
      "iterations",
      "Iteration at which lyapunov.edge.ratio reaches 1 at the trend of the latest checkpoints; NaN"
          + " where there is none",
      "edgeForecast.iteration"),
  /** Lower end of the interval of when η/η_c reaches 1. */
  EDGE_FORECAST_LOW(
      "lyapunov.edge.forecast.low",
      Domain.STABILITY,
      "iterations",
      "Lower end of the interval of lyapunov.edge.forecast, 95 % where the trend is a straight"
          + " line",
      "edgeForecast.low"),
  /** Upper end of the interval of when η/η_c reaches 1. */
  EDGE_FORECAST_HIGH(
      "lyapunov.edge.forecast.high",
      Domain.STABILITY,
      "iterations",
      "Upper end of the interval of lyapunov.edge.forecast, 95 % where the trend is a straight"
          + " line",
      "edgeForecast.high"),
  /** η_c. */
  CRITICAL_LEARNING_RATE(
      "lyapunov.critical.learning.rate",
      Domain.EDGE,
      null,
      "Critical learning rate η_c at this batch size, where λ changes sign",
      "criticalLearningRate.value"),
  /** index_ms. */
  MEAN_SQUARE_INDEX(
      "lyapunov.mean.square.index",
      Domain.STABILITY,
      null,
      "Mean-square stability index, upper bound: below 1 the mean square of perturbations decays",
      "meanSquare.indexHigh"),
  /** The verdict as a number. */
  VERDICT(
      "lyapunov.verdict",
      Domain.STABILITY,
      null,
      "0 stable, 1 mean-square unstable, 1.5 at the edge, 2 unstable, -1 inconclusive or warming"
          + " up",
      "verdict"),
  /** η. */
  LEARNING_RATE(
      "lyapunov.learning.rate",
      Domain.RATE,
      null,
      "Learning rate η of the step that was analysed",
      "learningRate"),
  /** B. */
  BATCH_SIZE(
      "lyapunov.batch.size",
      Domain.ALL,
      "examples",
      "Mini-batch size B of the step that was analysed",
      "batchSize"),
  /** The loss. */
  LOSS("lyapunov.loss", Domain.ALL, null, "Mini-batch score at the checkpoint", "loss"),
  /** The iteration of the checkpoint. */
  ITERATION(
      "lyapunov.checkpoint.iteration",
      Domain.ALL,
      "iterations",
      "Training iteration of the latest checkpoint",
      "iteration"),
  /** Mean loss of the probe. */
  PROBE_LOSS(
      "lyapunov.probe.loss",
      Domain.MATRIX,
      null,
      "Mean loss of the probe at the checkpoint, without regularisation",
      "probeLoss"),
  /** E[gᵀHg/‖g‖²]. */
  BATCH_SHARPNESS_MEAN_OF_RATIOS(
      "lyapunov.batch.sharpness.mean.of.ratios",
      Domain.BATCHES,
      null,
      "Batch sharpness, mean of ratios: curvature along mini-batch gradients, E[g'Hg/g'g]; 2/η is"
          + " the edge",
      "batchSharpness.meanOfRatios"),
  /** E[gᵀHg]/E[‖g‖²]. */
  BATCH_SHARPNESS_RATIO_OF_MEANS(
      "lyapunov.batch.sharpness.ratio.of.means",
      Domain.BATCHES,
      null,
      "Batch sharpness, ratio of means: E[g'Hg]/E[g'g]; 2/η is the edge",
      "batchSharpness.ratioOfMeans"),
  /** The exponent along the trajectory since the checkpoint before. */
  TRAJECTORY_EXPONENT(
      "lyapunov.trajectory.exponent",
      Domain.STABILITY,
      "nats",
      "Growth of the carried tangent vector since the checkpoint before, per step, if asked for",
      "trajectory.exponent"),
  /** The exponent along the whole trajectory. */
  TRAJECTORY_EXPONENT_CUMULATIVE(
      "lyapunov.trajectory.exponent.cumulative",
      Domain.STABILITY,
      "nats",
      "Growth of the carried tangent vector since the first checkpoint, per step, if asked for",
      "trajectory.cumulativeExponent"),
  /** The mean growth of the residual over a horizon. */
  FINITE_TIME_EXPONENT(
      "lyapunov.finite.time.exponent",
      Domain.STABILITY,
      "nats",
      "Mean growth per step of the residual that training has now over the horizon, if computed",
      "finiteTime.mean"),
  /** Its standard error. */
  FINITE_TIME_EXPONENT_ERROR(
      "lyapunov.finite.time.exponent.error",
      Domain.STABILITY,
      "nats",
      "Standard error of lyapunov.finite.time.exponent",
      "finiteTime.meanError"),
  /** How likely the residual shrinks. */
  FINITE_TIME_SHRINKS(
      "lyapunov.finite.time.shrinks",
      Domain.STABILITY,
      null,
      "Probability that the residual that training has now is smaller after the horizon, if"
          + " computed",
      "finiteTime.probabilityNegative"),
  /** n. */
  FINITE_TIME_HORIZON(
      "lyapunov.finite.time.horizon",
      Domain.STABILITY,
      "steps",
      "Steps of the horizon of the finite-time gauges",
      "finiteTime.horizon"),
  /** The dependence on the probe's size. */
  PROBE_CHANGE(
      "lyapunov.probe.change",
      Domain.STABILITY,
      null,
      "Relative change of the sharpness from half of the probe to all of it, if compared",
      "probeChange"),
  /** The dependence of λ on the probe's size. */
  PROBE_EXPONENT_CHANGE(
      "lyapunov.probe.exponent.change",
      Domain.STABILITY,
      "nats",
      "Change of lyapunov.exponent from half of the probe to all of it at the same batch size, if"
          + " compared",
      "probeExponentChange"),
  /** The dependence of η_c on the probe's size. */
  PROBE_CRITICAL_LEARNING_RATE_CHANGE(
      "lyapunov.probe.critical.learning.rate.change",
      Domain.STABILITY,
      null,
      "Relative change of η_c from half of the probe to all of it at the same batch size, if"
          + " compared",
      "probeCriticalLearningRateChange"),
  /** m. */
  GRAM_SIZE(
      "lyapunov.gram.size", Domain.MATRIX, "rows", "Rows m = N·K of the Gram matrix", "gramRows"),
  /** 8 m² or 4 m². */
  GRAM_MEMORY(
      "lyapunov.gram.memory",
      Domain.MATRIX,
      "bytes",
      "Memory of the entries of the Gram matrix",
      "gramBytes"),
  /** The largest eigenvalue of the plain kernel over N. */
  KERNEL(
      "lyapunov.kernel.largest",
      Domain.KERNEL,
      null,
      "Largest eigenvalue of the plain tangent kernel over N, for losses without curvature",
      "kernel"),
  /** E L_S over (η/2) E‖g_S‖². */
  LOSS_FLOOR_RATIO(
      "lyapunov.loss.floor.ratio",
      Domain.FLOOR,
      null,
      "Piecewise linear loss over the floor that its learning rate keeps it at; 1 is the floor",
      "floorRatio"),
  /** How many sentences a reader must know. */
  CAUTIONS(
      "lyapunov.cautions",
      Domain.ALL,
      "sentences",
      "Sentences of the checkpoint that no reader may miss, such as assumptions; the log and the"
          + " record have them",
      "cautions");

  /** Which checkpoints have a gauge; at the others it is absent. */
  private enum Domain {
    ALL(d -> true),
    STABILITY(CheckpointDocument::hasStability),
    EDGE(d -> d.has("classicEdgeRatio")),
    CURVATURE(d -> d.has("sharpness")),
    BATCHES(d -> d.has("batchSharpness.batches")),
    MATRIX(d -> d.number("gramBytes") > 0),
    RATE(d -> d.has("learningRate")),
    KERNEL(d -> d.has("kernel")),
    FLOOR(d -> d.has("floorRatio"));

    @SuppressWarnings("ImmutableEnumChecker") // the functions capture nothing
    private final Predicate<CheckpointDocument> has;

    Domain(Predicate<CheckpointDocument> has) {
      this.has = has;
    }
  }

  private final String meterName;
  private final Domain domain;
  private final String unit;
  private final String description;
  private final String key;

  LyapunovGauge(String meterName, Domain domain, String unit, String description, String key) {
    this.meterName = meterName;
    this.domain = domain;
    this.unit = unit;
    this.description = description;
    this.key = key;
  }

  /**
   * The meter's name.
   *
   * @return lower case with dots, as Micrometer names are
   */
  public String meterName() {
    return meterName;
  }

  /**
   * The meter's base unit.
   *
   * @return the unit, or null for a plain number
   */
  public String unit() {
    return unit;
  }

  /**
   * The meter's description.
   *
   * @return one sentence
   */
  public String description() {
    return description;
  }

  /** The entry of the document that it shows; {@link #CAUTIONS} counts sentences of several. */
  String key() {
    return key;
  }

  /** The value at a checkpoint; NaN before the first one and where it is not known. */
  double of(CheckpointDocument document) {
    if (document == null || !isAt(document)) {
      return Double.NaN;
    }
    return switch (this) {
      case VERDICT -> code(Verdict.Kind.valueOf(document.text(key).orElseThrow()));
      case CAUTIONS -> document.cautions().size();
      default -> document.number(key);
    };
  }

  /** Whether a checkpoint of this level has it; a cheaper tier may still leave it out. */
  boolean isAt(CheckpointDocument document) {
    return domain.has.test(document);
  }

  private static double code(Verdict.Kind kind) {
    return switch (kind) {
      case STABLE -> 0;
      case MEAN_SQUARE_UNSTABLE -> 1;
      case AT_EDGE -> 1.5;
      case UNSTABLE -> 2;
      case INCONCLUSIVE, WARMING_UP -> -1;
    };
  }
}
