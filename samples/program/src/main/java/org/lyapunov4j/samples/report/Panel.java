// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
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
      ToDoubleFunction<CheckpointDocument> value,
      ToDoubleFunction<CheckpointDocument> low,
      ToDoubleFunction<CheckpointDocument> high) {
    Curve(String name, ToDoubleFunction<CheckpointDocument> value) {
      this(name, value, c -> Double.NaN, c -> Double.NaN);
    }
  }

  static final List<Panel> ALL =
      List.of(
          new Panel(
              "edge-ratio",
              "Edge ratio",
              "The learning rate over the critical one. 1 is the edge: above it, SGD is driven away"
                  + " from the minimum it is near. η/η_ms is an upper bound of it without sampling"
                  + " noise; beyond 128 rows, and for some smaller matrices of several outputs, it"
                  + " rests on an estimate with a safety factor. The classic gauge, sharpness over"
                  + " its limit, is that of full-batch descent.",
              Scale.LINEAR,
              OptionalDouble.of(1),
              List.of(
                  new Curve(
                      "η/η_c",
                      c -> edgeRatio(c, EdgeRatio::value),
                      c -> edgeRatio(c, EdgeRatio::low),
                      c -> edgeRatio(c, EdgeRatio::high)),
                  new Curve(CLASSIC, c -> c.number("classicEdgeRatio")),
                  new Curve("η/η_ms, an upper bound", c -> c.number("meanSquareEdgeRatio")))),
          new Panel(
              "exponent",
              "Lyapunov exponent, nats per step",
              "Deviations from the minimum grow or shrink like exp(λt). Above 0: unstable, and the"
                  + " size is how fast. Below 0: stable, and the size is that of the slowest"
                  + " direction, which tells nothing about the distance from the edge. A square"
                  + " marks where λ is only bounded. The axis is logarithmic on both sides of 0.",
              Scale.SIGNED_LOG,
              OptionalDouble.of(0),
              List.of(
                  new Curve(
                      "λ",
                      c -> c.number("exponent.value"),
                      c -> c.number("exponent.low"),
                      c -> c.number("exponent.high")),
                  new Curve("μ, full batch", c -> c.number("gdExponent.value")),
                  new Curve("λ, lower bound", Panel::lowerBound))),
          new Panel(
              "sharpness",
              "Sharpness",
              "The largest eigenvalue of the Gauss-Newton matrix, and the value full-batch descent"
                  + " tolerates at this learning rate. Batch sharpness is the curvature along"
                  + " mini-batch gradients.",
              Scale.LINEAR,
              OptionalDouble.empty(),
              List.of(
                  new Curve("sharpness", c -> c.number("sharpness")),
                  new Curve("threshold", Panel::threshold),
                  new Curve("batch sharpness", c -> c.number("batchSharpness.ratioOfMeans")))),
          new Panel(
              "mean-square",
              "Mean-square index",
              "Below 1 the mean square of deviations shrinks.",
              Scale.LINEAR,
              OptionalDouble.of(1),
              List.of(new Curve("index", Panel::meanSquareIndex))),
          new Panel(
              "trajectory",
              "Exponent along the trajectory, nats per step",
              "The growth of one deviation carried along the run, since the checkpoint before and"
                  + " since the first.",
              Scale.LINEAR,
              OptionalDouble.of(0),
              List.of(
                  new Curve(
                      "since the first checkpoint", c -> c.number("trajectory.cumulativeExponent")),
                  new Curve("since the last", c -> c.number("trajectory.exponent")))),
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
                  new Curve("probe", c -> c.number("probeLoss")),
                  new Curve("mini-batch", c -> c.number("loss")))),
          new Panel(
              "learning-rate",
              "Learning rate and the critical one",
              "Where η is above η_c, training is unstable. Below η_ms the mean square shrinks too.",
              Scale.LOG,
              OptionalDouble.empty(),
              List.of(
                  new Curve("η", c -> c.number("learningRate")),
                  new Curve("η_c", c -> c.number("criticalLearningRate.value")),
                  new Curve("η_ms", c -> c.number("meanSquare.criticalLearningRate")))),
          new Panel(
              "cost",
              "Seconds per checkpoint",
              "The Gram matrix, and the analysis of it.",
              Scale.LOG,
              OptionalDouble.empty(),
              List.of(
                  new Curve("Gram matrix", c -> c.number("gramMillis") / 1000),
                  new Curve("analysis", c -> c.number("analysisMillis") / 1000))));

  private static double edgeRatio(CheckpointDocument c, ToDoubleFunction<EdgeRatio> part) {
    return EdgeRatio.of(c).map(part::applyAsDouble).orElse(Double.NaN);
  }

  private static double lowerBound(CheckpointDocument c) {
    return c.has("exponent.value") ? Double.NaN : c.number("exponent.low");
  }

  private static double finiteTime(CheckpointDocument c, double errors) {
    return c.number("finiteTime.mean") + errors * c.number("finiteTime.meanError");
  }

  private static double threshold(CheckpointDocument c) {
    return c.number("sharpness") / c.number("classicEdgeRatio");
  }

  /** The upper bound, which records of old do not tell. */
  private static double meanSquareIndex(CheckpointDocument c) {
    return c.number(c.has("meanSquare.indexHigh") ? "meanSquare.indexHigh" : "meanSquare.index");
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
