// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.experiment.Picture.Stroke;

/**
 * A run of gradient descent beside its edge 2/η, in the normalisation of the publication that it
 * repeats: a loss that is c times Deeplearning4j's has c times its curvature and the learning rate
 * 1/c times its own.
 *
 * @param run with the settings that {@link #labels} makes
 */
record Descent(RunResult run) {
  private static final String TASK = "task";
  private static final String RATE = "learning rate";
  private static final String OWN_RATE = "learning rate of Deeplearning4j";
  private static final String SEED = "seed";
  private static final double LATE = 0.2;

  /**
   * The settings of a run.
   *
   * @param task network, data and loss
   * @param rate η as published
   * @param factor c, the published loss as a multiple of Deeplearning4j's
   */
  static Map<String, String> labels(String task, double rate, double factor, long seed) {
    return Map.of(
        TASK, task,
        RATE, String.valueOf(rate),
        OWN_RATE, String.valueOf(rate * factor),
        SEED, String.valueOf(seed));
  }

  static List<Descent> of(List<RunResult> results) {
    return results.stream().map(Descent::new).toList();
  }

  /** The runs of each task, in the order of the runs. */
  static Map<String, List<Descent>> byTask(List<Descent> runs) {
    return runs.stream()
        .collect(Collectors.groupingBy(Descent::task, LinkedHashMap::new, Collectors.toList()));
  }

  /** The runs of each learning rate, largest first. */
  static Map<Double, List<Descent>> byRate(List<Descent> runs) {
    Map<Double, List<Descent>> byRate = new TreeMap<>((a, b) -> Double.compare(b, a));
    runs.forEach(run -> byRate.computeIfAbsent(run.rate(), key -> new ArrayList<>()).add(run));
    return byRate;
  }

  String task() {
    return run.setting(TASK);
  }

  double rate() {
    return Double.parseDouble(run.setting(RATE));
  }

  double edge() {
    return 2 / rate();
  }

  boolean diverged() {
    return run.diverged();
  }

  /** The training loss at the end. */
  double loss() {
    return run.value("loss") * factor();
  }

  private double factor() {
    return Double.parseDouble(run.setting(OWN_RATE)) / rate();
  }

  /** A curve of curvatures. */
  double[] curvature(String name) {
    double factor = factor();
    return DoubleStream.of(run.curve(name)).map(value -> value * factor).toArray();
  }

  double first(String name) {
    double[] curve = curvature(name);
    return curve.length == 0 ? Double.NaN : curve[0];
  }

  double highest(String name) {
    return DoubleStream.of(curvature(name)).max().orElse(Double.NaN);
  }

  /** The mean of a curvature over the last fifth of the checkpoints. */
  double late(String name) {
    return Mean.ofTail(curvature(name), LATE);
  }

  boolean reachedTheEdge() {
    return highest("hessian") > edge();
  }

  /** Whether the Hessian's sharpness was above 2/η and stays within a relative distance of it. */
  boolean staysAtTheEdge(double tolerance) {
    return !diverged() && reachedTheEdge() && Math.abs(late("hessian") / edge() - 1) <= tolerance;
  }

  /**
   * What the runs at one learning rate did.
   *
   * @param tolerance relative to 2/η, within which sharpness counts as having stayed
   */
  static String sentence(String task, List<Descent> runs, double tolerance) {
    return String.format(
        Locale.ROOT,
        "%s, η = %s: %s steps took the Hessian's sharpness above 2/η = %s in %d of %d runs; in %d its"
            + " mean over the last fifth was within %.0f %% of it; %d diverged.",
        task,
        brief(runs.get(0).rate()),
        steps(runs),
        brief(runs.get(0).edge()),
        runs.stream().filter(Descent::reachedTheEdge).count(),
        runs.size(),
        runs.stream().filter(run -> run.staysAtTheEdge(tolerance)).count(),
        100 * tolerance,
        runs.stream().filter(Descent::diverged).count());
  }

  /**
   * One row for each learning rate.
   *
   * @param expected late sharpness as a multiple of 2/η, or what else is expected at a rate
   */
  static Table table(
      String name, String title, List<Descent> runs, DoubleFunction<String> expected) {
    List<List<String>> rows = new ArrayList<>();
    byRate(runs)
        .forEach(
            (rate, some) -> {
              List<Descent> finite = some.stream().filter(run -> !run.diverged()).toList();
              rows.add(
                  List.of(
                      brief(rate),
                      brief(2 / rate),
                      finite.size() + " of " + some.size(),
                      steps(finite),
                      Table.cell(mean(finite, run -> run.first("hessian"))),
                      Table.cell(mean(finite, run -> run.highest("hessian"))),
                      Table.cell(mean(finite, run -> run.late("hessian"))),
                      Table.cell(mean(finite, run -> run.late("gaussNewton"))),
                      Table.cell(mean(finite, run -> run.late("hessian") / run.edge())),
                      expected.apply(rate),
                      Table.cell(mean(finite, Descent::loss))));
            });
    return new Table(
        name,
        title,
        List.of(
            "η",
            "2/η",
            "finite",
            "steps",
            "sharpness at the start",
            "highest",
            "last fifth",
            "of G, last fifth",
            "last fifth ÷ (2/η)",
            "expected",
            "loss at the end"),
        rows);
  }

  /** Four significant digits without zeros at the end. */
  static String brief(double value) {
    return new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
  }

  /** The mean number of steps. */
  static String steps(List<Descent> runs) {
    return String.valueOf(Math.round(mean(runs, run -> run.run().value("iterations")).value()));
  }

  static Mean mean(List<Descent> runs, ToDoubleFunction<Descent> value) {
    return Mean.of(runs.stream().mapToDouble(value));
  }

  /** Sharpness and loss of the first seed of every learning rate over the iterations. */
  static Picture picture(String name, String title, List<Descent> runs) {
    Map<String, Double> edges = new LinkedHashMap<>();
    List<Curve> sharpness = new ArrayList<>();
    List<Curve> losses = new ArrayList<>();
    int colour = 0;
    for (List<Descent> some : byRate(runs).values()) {
      Descent first = some.get(0);
      String rate = brief(first.rate());
      double[] iterations = first.run().curve("iteration");
      edges.put("2/η = " + brief(first.edge()), first.edge());
      sharpness.add(
          new Curve("η = " + rate, iterations, first.curvature("hessian"), colour, Stroke.LINE));
      sharpness.add(
          new Curve("", iterations, first.curvature("gaussNewton"), colour, Stroke.DASHES));
      losses.add(new Curve("η = " + rate, iterations, first.losses(), colour++, Stroke.LINE));
    }
    return new Picture(
        name,
        title + ": sharpness of the Hessian (lines) and of the Gram matrix (dashes)",
        List.of(
            new Panel(title, "", "sharpness", Axes.LINEAR, edges, sharpness),
            new Panel("", "iteration", "loss of the probe", Axes.LOG_Y, Map.of(), losses)));
  }

  private double[] losses() {
    double factor = factor();
    return DoubleStream.of(run.curve("probeLoss")).map(loss -> loss * factor).toArray();
  }
}
