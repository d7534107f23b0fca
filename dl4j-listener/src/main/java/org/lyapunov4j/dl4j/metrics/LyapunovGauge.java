// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.stability.Verdict;

/**
 * The gauges that {@link LyapunovMetrics} publishes from the latest checkpoint. All are NaN before
 * the first one; from then on those that its level does not allow are absent.
 */
public enum LyapunovGauge {
  /** λ; NaN where it is only bounded. */
  EXPONENT(
      "lyapunov.exponent",
      Domain.STABILITY,
      "nats",
      "Lyapunov exponent λ of SGD per step; negative: perturbations of the fit die out; NaN if only bounded",
      c -> c.stability().exponent().point().orElse(Double.NaN)),
  /** Standard error of λ; NaN where it is only bounded. */
  EXPONENT_ERROR(
      "lyapunov.exponent.error",
      Domain.STABILITY,
      "nats",
      "Standard error of lyapunov.exponent, 0 if exact; NaN if only bounded",
      c -> c.stability().exponent().error().orElse(Double.NaN)),
  /** Lower end of the interval for λ, or lower bound. */
  EXPONENT_LOW(
      "lyapunov.exponent.low",
      Domain.STABILITY,
      "nats",
      "Lower end of the 95 % interval of lyapunov.exponent, or its lower bound",
      c -> c.stability().exponent().low()),
  /** Upper end of the interval for λ, or upper bound. */
  EXPONENT_HIGH(
      "lyapunov.exponent.high",
      Domain.STABILITY,
      "nats",
      "Upper end of the 95 % interval of lyapunov.exponent, or its upper bound",
      c -> c.stability().exponent().high()),
  /** μ; NaN where it is only bounded. */
  GD_EXPONENT(
      "lyapunov.gd.exponent",
      Domain.STABILITY,
      "nats",
      "Lyapunov exponent μ of full-batch gradient descent at the same learning rate, per step; NaN if only bounded",
      c -> c.stability().gdExponent().point().orElse(Double.NaN)),
  /** μ, or its lower bound. */
  GD_EXPONENT_LOW(
      "lyapunov.gd.exponent.low",
      Domain.STABILITY,
      "nats",
      "lyapunov.gd.exponent, or its lower bound",
      c -> c.stability().gdExponent().low()),
  /** μ, or its upper bound. */
  GD_EXPONENT_HIGH(
      "lyapunov.gd.exponent.high",
      Domain.STABILITY,
      "nats",
      "lyapunov.gd.exponent, or its upper bound",
      c -> c.stability().gdExponent().high()),
  /** κ_max/N. */
  SHARPNESS(
      "lyapunov.sharpness",
      Domain.CURVATURE,
      null,
      "Largest eigenvalue of the Gauss-Newton matrix of the mean loss, κ_max/N; preconditioned if the updater is adaptive",
      c -> c.findings().measuredSharpness().orElse(Double.NaN)),
  /** η·sharpness/2. */
  EDGE_RATIO_CLASSIC(
      "lyapunov.edge.ratio.classic",
      Domain.EDGE,
      null,
      "Sharpness over what full-batch descent tolerates; without momentum η·sharpness/2; 1 is the edge",
      LyapunovGauge::classicEdgeRatio),
  /** η/η_c. */
  EDGE_RATIO(
      "lyapunov.edge.ratio",
      Domain.EDGE,
      null,
      "Learning rate over the critical one at this batch size, η/η_c: 1 is the edge of stability of SGD",
      c -> ratio(c, CriticalLearningRate::edgeRatio)),
  /** Lower end of the interval of η/η_c. */
  EDGE_RATIO_LOW(
      "lyapunov.edge.ratio.low",
      Domain.EDGE,
      null,
      "Lower end of the interval of lyapunov.edge.ratio, from that of the critical learning rate",
      c -> ratio(c, CriticalLearningRate::edgeRatioLow)),
  /** Upper end of the interval of η/η_c. */
  EDGE_RATIO_HIGH(
      "lyapunov.edge.ratio.high",
      Domain.EDGE,
      null,
      "Upper end of the interval of lyapunov.edge.ratio, from that of the critical learning rate",
      c -> ratio(c, CriticalLearningRate::edgeRatioHigh)),
  /** η/η_ms. */
  EDGE_RATIO_MEAN_SQUARE(
      "lyapunov.edge.ratio.mean.square",
      Domain.STABILITY,
      null,
      "Learning rate over the mean-square critical one, η/η_ms: a certified upper bound of lyapunov.edge.ratio, without sampling noise",
      c -> c.stability().meanSquareEdgeRatio().orElse(Double.NaN)),
  /** When η/η_c reaches 1. */
  EDGE_FORECAST(
      "lyapunov.edge.forecast",
      Domain.STABILITY,
      "iterations",
      "Iteration at which lyapunov.edge.ratio reaches 1 at the trend of the latest checkpoints; NaN where there is none",
      c -> c.forecast().map(EdgeForecast::iteration).orElse(Double.NaN)),
  /** Lower end of the interval of when η/η_c reaches 1. */
  EDGE_FORECAST_LOW(
      "lyapunov.edge.forecast.low",
      Domain.STABILITY,
      "iterations",
      "Lower end of the interval of lyapunov.edge.forecast, 95 % where the trend is a straight line",
      c -> c.forecast().map(EdgeForecast::low).orElse(Double.NaN)),
  /** Upper end of the interval of when η/η_c reaches 1. */
  EDGE_FORECAST_HIGH(
      "lyapunov.edge.forecast.high",
      Domain.STABILITY,
      "iterations",
      "Upper end of the interval of lyapunov.edge.forecast, 95 % where the trend is a straight line",
      c -> c.forecast().map(EdgeForecast::high).orElse(Double.NaN)),
  /** η_c. */
  CRITICAL_LEARNING_RATE(
      "lyapunov.critical.learning.rate",
      Domain.EDGE,
      null,
      "Critical learning rate η_c at this batch size, where λ changes sign",
      c -> c.findings().criticalLearningRate().map(r -> r.value()).orElse(Double.NaN)),
  /** index_ms. */
  MEAN_SQUARE_INDEX(
      "lyapunov.mean.square.index",
      Domain.STABILITY,
      null,
      "Mean-square stability index, upper bound: below 1 the mean square of perturbations decays",
      c -> c.stability().meanSquare().map(r -> r.index().high()).orElse(Double.NaN)),
  /** The verdict as a number. */
  VERDICT(
      "lyapunov.verdict",
      Domain.STABILITY,
      null,
      "0 stable, 1 mean-square unstable, 1.5 at the edge, 2 unstable, -1 inconclusive or warming up",
      c -> code(c.verdict().orElseThrow().kind())),
  /** η. */
  LEARNING_RATE(
      "lyapunov.learning.rate",
      Domain.RATE,
      null,
      "Learning rate η of the step that was analysed",
      c -> c.step().sgd().learningRate()),
  /** B. */
  BATCH_SIZE(
      "lyapunov.batch.size",
      Domain.ALL,
      "examples",
      "Mini-batch size B of the step that was analysed",
      c -> c.step().sgd().batchSize()),
  /** The loss. */
  LOSS("lyapunov.loss", Domain.ALL, null, "Mini-batch score at the checkpoint", Checkpoint::loss),
  /** The iteration of the checkpoint. */
  ITERATION(
      "lyapunov.checkpoint.iteration",
      Domain.ALL,
      "iterations",
      "Training iteration of the latest checkpoint",
      Checkpoint::iteration),
  /** Mean loss of the probe. */
  PROBE_LOSS(
      "lyapunov.probe.loss",
      Domain.MATRIX,
      null,
      "Mean loss of the probe at the checkpoint, without regularisation",
      Checkpoint::probeLoss),
  /** E[gᵀHg/‖g‖²]. */
  BATCH_SHARPNESS_MEAN_OF_RATIOS(
      "lyapunov.batch.sharpness.mean.of.ratios",
      Domain.BATCHES,
      null,
      "Batch sharpness, mean of ratios: curvature along mini-batch gradients, E[g'Hg/g'g]; 2/η is the edge",
      c -> c.batchSharpness().map(b -> b.meanOfRatios().value()).orElse(Double.NaN)),
  /** E[gᵀHg]/E[‖g‖²]. */
  BATCH_SHARPNESS_RATIO_OF_MEANS(
      "lyapunov.batch.sharpness.ratio.of.means",
      Domain.BATCHES,
      null,
      "Batch sharpness, ratio of means: E[g'Hg]/E[g'g]; 2/η is the edge",
      c -> c.batchSharpness().map(b -> b.ratioOfMeans().value()).orElse(Double.NaN)),
  /** The exponent along the trajectory since the checkpoint before. */
  TRAJECTORY_EXPONENT(
      "lyapunov.trajectory.exponent",
      Domain.STABILITY,
      "nats",
      "Growth of the carried tangent vector since the checkpoint before, per step, if asked for",
      c -> c.trajectory().map(w -> w.exponent()).orElse(Double.NaN)),
  /** The exponent along the whole trajectory. */
  TRAJECTORY_EXPONENT_CUMULATIVE(
      "lyapunov.trajectory.exponent.cumulative",
      Domain.STABILITY,
      "nats",
      "Growth of the carried tangent vector since the first checkpoint, per step, if asked for",
      c -> c.trajectory().map(w -> w.cumulativeExponent()).orElse(Double.NaN)),
  /** The mean growth of the residual over a horizon. */
  FINITE_TIME_EXPONENT(
      "lyapunov.finite.time.exponent",
      Domain.STABILITY,
      "nats",
      "Mean growth per step of the residual that training has now over the horizon, if computed",
      c -> c.finiteTime().map(f -> f.mean().value()).orElse(Double.NaN)),
  /** Its standard error. */
  FINITE_TIME_EXPONENT_ERROR(
      "lyapunov.finite.time.exponent.error",
      Domain.STABILITY,
      "nats",
      "Standard error of lyapunov.finite.time.exponent",
      c -> c.finiteTime().map(f -> f.mean().standardError()).orElse(Double.NaN)),
  /** How likely the residual shrinks. */
  FINITE_TIME_SHRINKS(
      "lyapunov.finite.time.shrinks",
      Domain.STABILITY,
      null,
      "Probability that the residual that training has now is smaller after the horizon, if computed",
      c -> c.finiteTime().map(f -> f.probabilityNegative().value()).orElse(Double.NaN)),
  /** n. */
  FINITE_TIME_HORIZON(
      "lyapunov.finite.time.horizon",
      Domain.STABILITY,
      "steps",
      "Steps of the horizon of the finite-time gauges",
      c -> c.finiteTime().map(f -> (double) f.horizon()).orElse(Double.NaN)),
  /** The dependence on the probe's size. */
  PROBE_CHANGE(
      "lyapunov.probe.change",
      Domain.STABILITY,
      null,
      "Relative change of the sharpness from half of the probe to all of it, if compared",
      Checkpoint::probeChange),
  /** The dependence of λ on the probe's size. */
  PROBE_EXPONENT_CHANGE(
      "lyapunov.probe.exponent.change",
      Domain.STABILITY,
      "nats",
      "Change of lyapunov.exponent from half of the probe to all of it at the same batch size, if compared",
      Checkpoint::probeExponentChange),
  /** The dependence of η_c on the probe's size. */
  PROBE_CRITICAL_LEARNING_RATE_CHANGE(
      "lyapunov.probe.critical.learning.rate.change",
      Domain.STABILITY,
      null,
      "Relative change of η_c from half of the probe to all of it at the same batch size, if compared",
      Checkpoint::probeCriticalLearningRateChange),
  /** m. */
  GRAM_SIZE(
      "lyapunov.gram.size",
      Domain.MATRIX,
      "rows",
      "Rows m = N·K of the Gram matrix",
      c -> (double) c.findings().examples() * c.findings().outputs()),
  /** 8 m² or 4 m². */
  GRAM_MEMORY(
      "lyapunov.gram.memory",
      Domain.MATRIX,
      "bytes",
      "Memory of the entries of the Gram matrix",
      Checkpoint::gramBytes),
  /** The largest eigenvalue of the plain kernel over N. */
  KERNEL(
      "lyapunov.kernel.largest",
      Domain.KERNEL,
      null,
      "Largest eigenvalue of the plain tangent kernel over N, for losses without curvature",
      c -> orNaN(c, ObservedReport::kernel)),
  /** E L_S over (η/2) E‖g_S‖². */
  LOSS_FLOOR_RATIO(
      "lyapunov.loss.floor.ratio",
      Domain.FLOOR,
      null,
      "Piecewise linear loss over the floor that its learning rate keeps it at; 1 is the floor",
      c -> orNaN(c, ObservedReport::floorRatio));

  /** Which checkpoints have a gauge; at the others it is absent. */
  private enum Domain {
    ALL(c -> true),
    STABILITY(Checkpoint::hasStability),
    EDGE(c -> !(c.findings() instanceof ObservedReport)),
    CURVATURE(c -> c.findings().measuredSharpness().isPresent()),
    BATCHES(c -> c.batchSharpness().isPresent()),
    MATRIX(c -> c.gramBytes() > 0),
    RATE(c -> !(c.level() instanceof Level.Observed) || c.step().sgd().learningRate() > 0),
    KERNEL(c -> !Double.isNaN(orNaN(c, ObservedReport::kernel))),
    FLOOR(c -> !Double.isNaN(orNaN(c, ObservedReport::floorRatio)));

    @SuppressWarnings("ImmutableEnumChecker") // the functions capture nothing
    private final Predicate<Checkpoint> has;

    Domain(Predicate<Checkpoint> has) {
      this.has = has;
    }
  }

  private final String meterName;
  private final Domain domain;
  private final String unit;
  private final String description;

  @SuppressWarnings("ImmutableEnumChecker") // the functions capture nothing
  private final ToDoubleFunction<Checkpoint> value;

  LyapunovGauge(
      String meterName,
      Domain domain,
      String unit,
      String description,
      ToDoubleFunction<Checkpoint> value) {
    this.meterName = meterName;
    this.domain = domain;
    this.unit = unit;
    this.description = description;
    this.value = value;
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

  double of(Checkpoint checkpoint) {
    return checkpoint != null && isAt(checkpoint) ? value.applyAsDouble(checkpoint) : Double.NaN;
  }

  /** Whether a checkpoint of this level has it; a cheaper tier may still leave it out. */
  boolean isAt(Checkpoint checkpoint) {
    return domain.has.test(checkpoint);
  }

  private static double classicEdgeRatio(Checkpoint checkpoint) {
    return checkpoint.findings() instanceof EdgeReport gauge
        ? gauge.classicEdgeRatio()
        : checkpoint.stability().classicEdgeRatio();
  }

  private static double orNaN(
      Checkpoint checkpoint, Function<ObservedReport, OptionalDouble> part) {
    return checkpoint.findings() instanceof ObservedReport report
        ? part.apply(report).orElse(Double.NaN)
        : Double.NaN;
  }

  private static double ratio(
      Checkpoint checkpoint, ToDoubleBiFunction<CriticalLearningRate, Double> ratio) {
    return checkpoint
        .findings()
        .criticalLearningRate()
        .map(rate -> ratio.applyAsDouble(rate, checkpoint.step().sgd().learningRate()))
        .orElse(Double.NaN);
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
