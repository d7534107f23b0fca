// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.dl4j.record.CheckpointLine;
import org.lyapunov4j.dl4j.record.StabilityRecord;

/**
 * One picture of a report: some quantities over the iterations.
 *
 * @param id for file names
 * @param title what is shown
 * @param meaning how to read it, in one or two sentences
 * @param logarithmic whether the vertical axis is
 * @param rule a height that matters
 * @param curves the quantities; the first is drawn solid
 */
record Panel(
    String id,
    String title,
    String meaning,
    boolean logarithmic,
    OptionalDouble rule,
    List<Curve> curves) {

  /**
   * A quantity.
   *
   * @param name in the legend
   * @param value NaN where it was not computed
   * @param error half of its interval, NaN or 0 for none
   */
  record Curve(
      String name, ToDoubleFunction<CheckpointLine> value, ToDoubleFunction<CheckpointLine> error) {
    Curve(String name, ToDoubleFunction<CheckpointLine> value) {
      this(name, value, c -> Double.NaN);
    }
  }

  static final List<Panel> ALL =
      List.of(
          new Panel(
              "edge-ratio",
              "Edge ratio",
              "The learning rate over the critical one. 1 is the edge: above it, SGD is driven away"
                  + " from the minimum it is near. The classic gauge is that of full-batch descent.",
              false,
              OptionalDouble.of(1),
              List.of(
                  new Curve("η/η_c", c -> orNaN(c.stability().edgeRatio())),
                  new Curve("classic, η·sharpness/2", c -> c.stability().classicEdgeRatio()))),
          new Panel(
              "exponent",
              "Lyapunov exponent, nats per step",
              "Deviations from the minimum grow or shrink like exp(λt). Above 0: unstable. While"
                  + " training is stable its size is set by the slowest direction; its sign is what"
                  + " counts.",
              false,
              OptionalDouble.of(0),
              List.of(
                  new Curve(
                      "λ",
                      c -> c.stability().exponent().value(),
                      c -> (c.stability().exponent().high() - c.stability().exponent().low()) / 2),
                  new Curve("μ, full batch", c -> c.stability().gdExponent()))),
          new Panel(
              "sharpness",
              "Sharpness",
              "The largest eigenvalue of the Gauss-Newton matrix, and the value full-batch descent"
                  + " tolerates at this learning rate. Batch sharpness is the curvature along"
                  + " mini-batch gradients.",
              false,
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
              false,
              OptionalDouble.of(1),
              List.of(new Curve("index", c -> meanSquareIndex(c.stability())))),
          new Panel(
              "trajectory",
              "Exponent along the trajectory, nats per step",
              "The growth of one deviation carried along the run, since the checkpoint before and"
                  + " since the first.",
              false,
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
              "loss",
              "Loss",
              "Mean loss of the probe, and of the mini-batch at each checkpoint.",
              true,
              OptionalDouble.empty(),
              List.of(
                  new Curve("probe", CheckpointLine::probeLoss),
                  new Curve("mini-batch", CheckpointLine::loss))),
          new Panel(
              "learning-rate",
              "Learning rate and the critical one",
              "Where η is above η_c, training is unstable. Below η_ms the mean square shrinks too.",
              true,
              OptionalDouble.empty(),
              List.of(
                  new Curve("η", c -> c.stability().learningRate()),
                  new Curve("η_c", c -> critical(c.stability())),
                  new Curve("η_ms", c -> meanSquareRate(c.stability())))),
          new Panel(
              "cost",
              "Seconds per checkpoint",
              "The Gram matrix, and the analysis of it.",
              true,
              OptionalDouble.empty(),
              List.of(
                  new Curve("Gram matrix", c -> c.gramMillis() / 1000.0),
                  new Curve("analysis", c -> c.analysisMillis() / 1000.0))));

  private static double orNaN(Double value) {
    return value == null ? Double.NaN : value;
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
    return Double.isFinite(value) && (!logarithmic || value > 0);
  }
}
