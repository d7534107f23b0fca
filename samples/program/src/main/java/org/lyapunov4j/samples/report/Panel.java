// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.dl4j.record.CheckpointLine;
import org.lyapunov4j.dl4j.record.StabilityRecord;
import org.lyapunov4j.samples.cli.EdgeRatio;

/**
 * One picture of a report: some quantities over the iterations.
 *
 * @param id for file names
 * @param title what is shown
 * @param meaning how to read it, in one or two sentences
 * @param scale of the vertical axis
 * @param rule a height that matters
 * @param curves the quantities; the first is drawn solid
 */
record Panel(
    String id, String title, String meaning, Scale scale, OptionalDouble rule, List<Curve> curves) {

  /** How heights are drawn. */
  enum Scale {
    LINEAR,
    LOG,
    /** Logarithmic on both sides of 0. */
    SIGNED_LOG
  }

  /** The name of the classic gauge in {@link #ALL}; the runs decide what it is called. */
  static final String CLASSIC = "classic";

  /**
   * A quantity.
   *
   * @param name in the legend
   * @param value NaN where it was not computed
   * @param low lower end of its interval; NaN for none
   * @param high upper end
   */
  record Curve(
      String name,
      ToDoubleFunction<CheckpointLine> value,
      ToDoubleFunction<CheckpointLine> low,
      ToDoubleFunction<CheckpointLine> high) {
    Curve(String name, ToDoubleFunction<CheckpointLine> value) {
      this(name, value, c -> Double.NaN, c -> Double.NaN);
    }
  }

  static final List<Panel> ALL =
      List.of(
          new Panel(
              "edge-ratio",
              "Edge ratio",
              "The learning rate over the critical one. 1 is the edge: above it, SGD is driven away"
                  + " from the minimum it is near. η/η_ms is a certified bound of it. The classic gauge,"
                  + " sharpness over its limit, is that of full-batch descent.",
              Scale.LINEAR,
              OptionalDouble.of(1),
              List.of(
                  new Curve(
                      "η/η_c",
                      c -> edgeRatio(c, EdgeRatio::value),
                      c -> edgeRatio(c, EdgeRatio::low),
                      c -> edgeRatio(c, EdgeRatio::high)),
                  new Curve(CLASSIC, c -> c.stability().classicEdgeRatio()),
                  new Curve(
                      "η/η_ms",
                      c -> c.stability().learningRate() / meanSquareRate(c.stability())))),
          new Panel(
              "exponent",
              "Lyapunov exponent, nats per step",
              "Deviations from the minimum grow or shrink like exp(λt). Above 0: unstable, and the size"
                  + " is how fast. Below 0: stable, and the size is that of the slowest direction, which"
                  + " tells nothing about the distance from the edge. A square marks where λ is only"
                  + " bounded. The axis is logarithmic on both sides of 0.",
              Scale.SIGNED_LOG,
              OptionalDouble.of(0),
              List.of(
                  new Curve(
                      "λ",
                      c -> orNaN(c.stability().exponent().value()),
                      c -> c.stability().exponent().low(),
                      c -> c.stability().exponent().high()),
                  new Curve("μ, full batch", c -> orNaN(c.stability().gdExponent().value())),
                  new Curve("λ, lower bound", c -> lowerBound(c.stability().exponent())))),
          new Panel(
              "sharpness",
              "Sharpness",
              "The largest eigenvalue of the Gauss-Newton matrix, and the value full-batch descent"
                  + " tolerates at this learning rate. Batch sharpness is the curvature along"
                  + " mini-batch gradients.",
              Scale.LINEAR,
              OptionalDouble.empty(),
              List.of(
                  new Curve("sharpness", c -> c.stability().sharpness()),
                  new Curve("threshold", Panel::threshold),
                  new Curve(
                      "batch sharpness",
                      c ->
                          c.batchSharpness() == null
                              ? Double.NaN
                              : c.batchSharpness().ratioOfMeans()))),
          new Panel(
              "mean-square",
              "Mean-square index",
              "Below 1 the mean square of deviations shrinks.",
              Scale.LINEAR,
              OptionalDouble.of(1),
              List.of(new Curve("index", c -> meanSquareIndex(c.stability())))),
          new Panel(
              "trajectory",
              "Exponent along the trajectory, nats per step",
              "The growth of one deviation carried along the run, since the checkpoint before and"
                  + " since the first.",
              Scale.LINEAR,
              OptionalDouble.of(0),
              List.of(
                  new Curve(
                      "since the first checkpoint",
                      c ->
                          c.trajectory() == null
                              ? Double.NaN
                              : c.trajectory().cumulativeExponent()),
                  new Curve(
                      "since the last",
                      c -> c.trajectory() == null ? Double.NaN : c.trajectory().exponent()))),
          new Panel(
              "finite-time",
              "Growth of the residual over the horizon, nats per step",
              "By how much the residual of that moment would shrink or grow in so many steps if the"
                  + " Gram matrix stood still, with two standard errors.",
              Scale.LINEAR,
              OptionalDouble.of(0),
              List.of(
                  new Curve(
                      "mean",
                      c -> finiteTime(c, 0),
                      c -> finiteTime(c, -2),
                      c -> finiteTime(c, 2)))),
          new Panel(
              "loss",
              "Loss",
              "Mean loss of the probe, and of the mini-batch at each checkpoint.",
              Scale.LOG,
              OptionalDouble.empty(),
              List.of(
                  new Curve("probe", CheckpointLine::probeLoss),
                  new Curve("mini-batch", CheckpointLine::loss))),
          new Panel(
              "learning-rate",
              "Learning rate and the critical one",
              "Where η is above η_c, training is unstable. Below η_ms the mean square shrinks too.",
              Scale.LOG,
              OptionalDouble.empty(),
              List.of(
                  new Curve("η", c -> c.stability().learningRate()),
                  new Curve("η_c", c -> critical(c.stability())),
                  new Curve("η_ms", c -> meanSquareRate(c.stability())))),
          new Panel(
              "cost",
              "Seconds per checkpoint",
              "The Gram matrix, and the analysis of it.",
              Scale.LOG,
              OptionalDouble.empty(),
              List.of(
                  new Curve("Gram matrix", c -> c.gramMillis() / 1000.0),
                  new Curve("analysis", c -> c.analysisMillis() / 1000.0))));

  private static double orNaN(Double value) {
    return value == null ? Double.NaN : value;
  }

  private static double edgeRatio(CheckpointLine c, ToDoubleFunction<EdgeRatio> part) {
    return EdgeRatio.of(c.stability()).map(part::applyAsDouble).orElse(Double.NaN);
  }

  private static double lowerBound(StabilityRecord.Exponent exponent) {
    return exponent.value() == null ? exponent.low() : Double.NaN;
  }

  private static double finiteTime(CheckpointLine line, double errors) {
    return line.finiteTime() == null
        ? Double.NaN
        : line.finiteTime().mean() + errors * line.finiteTime().meanError();
  }

  private static double threshold(CheckpointLine c) {
    return c.stability().sharpness() / c.stability().classicEdgeRatio();
  }

  private static double meanSquareIndex(StabilityRecord stability) {
    return stability.meanSquare() == null ? Double.NaN : stability.meanSquare().index();
  }

  private static double meanSquareRate(StabilityRecord stability) {
    return stability.meanSquare() == null
        ? Double.NaN
        : stability.meanSquare().criticalLearningRate();
  }

  private static double critical(StabilityRecord stability) {
    return stability.criticalLearningRate() == null
        ? Double.NaN
        : stability.criticalLearningRate().value();
  }

  /** Whether any of the runs has a number to show. */
  boolean appliesTo(List<RunHistory> runs) {
    return runs.stream().anyMatch(run -> curves.stream().anyMatch(curve -> has(run, curve)));
  }

  boolean has(RunHistory run, Curve curve) {
    return run.values(curve.value()).stream().anyMatch(this::isDrawable);
  }

  /** What this kind of axis can show. */
  boolean isDrawable(double value) {
    return Double.isFinite(value) && (scale != Scale.LOG || value > 0);
  }
}
