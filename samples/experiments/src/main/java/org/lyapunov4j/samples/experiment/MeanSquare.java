// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.experiment.Picture.Stroke;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Where SGD ends beside the mean-square threshold. R. Mulayoff, T. Michaeli, <i>Exact Mean Square
 * Linear Stability Analysis for SGD</i>, COLT 2024, arXiv 2306.07850, let it come from large
 * initial weights at a learning rate that rises slowly, and conclude from lower bounds of 2/η_ms
 * that it ends at η = η_ms; here η_ms itself is known, and η_c.
 */
final class MeanSquare implements Experiment {
  private static final int EXAMPLES = 64;
  private static final List<Integer> BATCH_SIZES = List.of(1, 2, 4, 8, 16, 32, EXAMPLES);
  private static final List<Double> RATES = List.of(0.05, 0.1, 0.2);
  private static final int MOST_STEPS = 100_000;
  private static final Minimum.Plan PLAN = new Minimum.Plan(100, 2, 5000, 1e-6, 200, MOST_STEPS);

  /** The bounds of η_ms and the directions of G have errors of this order. */
  private static final double ROUNDING = 1e-6;

  /** η/η_ms of what is shown as near. */
  private static final double NEAR = 0.9;

  private final int examples;
  private final List<Integer> batchSizes;
  private final Minimum.Plan plan;

  MeanSquare() {
    this(EXAMPLES, BATCH_SIZES, PLAN);
  }

  /** With other sizes. */
  MeanSquare(int examples, List<Integer> batchSizes, Minimum.Plan plan) {
    this.examples = examples;
    this.batchSizes = batchSizes;
    this.plan = plan;
  }

  @Override
  public String name() {
    return "mean-square";
  }

  @Override
  public String question() {
    return "Does SGD end at the mean-square threshold? MNIST (Mulayoff and Michaeli 2024)";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.requireData(name(), "mnist:FOLDER/train");
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      DataSet data =
          source
              .load(examples, Targets.ONE_HOT, new RandomStream(seed).split(Seeds.EXAMPLES))
              .toDataSet(DataType.DOUBLE);
      for (double rate : RATES) {
        for (int batch : batchSizes) {
          runs.add(new Minimum(source.toString(), data, rate, batch, seed, shortened(settings)));
        }
      }
    }
    return runs;
  }

  private Minimum.Plan shortened(Settings settings) {
    return new Minimum.Plan(
        plan.hidden(),
        plan.gain(),
        settings.steps(plan.warmUp()),
        plan.enough(),
        plan.epochs(),
        settings.steps(plan.mostSteps()));
  }

  /**
   * What is below 1 where the step is stable in the mean square, from the weakest on, and η/η_c.
   */
  private enum Gauge {
    SHARPNESS("sharpness·η/2", 0),
    ALONG_TOP("(15)·η/2", 1),
    BEST_BOUND("(24)·η/2", 2),
    MEAN_SQUARE("η/η_ms", 3),
    EDGE("η/η_c", 4);

    final String label;
    final int colour;

    Gauge(String label, int colour) {
      this.label = label;
      this.colour = colour;
    }

    double of(RunResult run) {
      double rate = rate(run);
      return switch (this) {
        case SHARPNESS -> rate / 2 * run.value("sharpness");
        case ALONG_TOP -> rate / 2 * run.value("alongTop");
        case BEST_BOUND -> rate / 2 * run.value("bestBound");
        case MEAN_SQUARE -> rate / run.value("meanSquareRate");
        case EDGE -> rate / run.value("criticalRate");
      };
    }
  }

  private static double rate(RunResult run) {
    return RateAndBatch.of(run).rate();
  }

  private static int batchSize(RunResult run) {
    return RateAndBatch.of(run).batchSize();
  }

  private static List<Group<Integer>> byBatchSize(List<RunResult> runs) {
    return Group.of(runs, MeanSquare::batchSize, Integer::compare);
  }

  private static boolean isReached(RunResult run) {
    return run.value("reached") > 0;
  }

  /** Whether 2/η_ms, (24), (15) and sharpness come in this order. */
  private static boolean isChain(RunResult run) {
    return Gauge.SHARPNESS.of(run) <= Gauge.ALONG_TOP.of(run) * (1 + ROUNDING)
        && Gauge.ALONG_TOP.of(run) <= Gauge.BEST_BOUND.of(run) * (1 + ROUNDING)
        && Gauge.BEST_BOUND.of(run) <= rate(run) / run.value("meanSquareRateLow") * (1 + ROUNDING);
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<RunResult> reached = results.stream().filter(MeanSquare::isReached).toList();
    List<String> sentences = new ArrayList<>();
    sentences.add(
        String.format(
            Locale.ROOT,
            "%d of %d runs converged; %d diverged. λ was negative in %d, positive in %d. 2/η_ms, (24),"
                + " (15) and sharpness came in this order in %d.",
            reached.size(),
            results.size(),
            results.stream().filter(RunResult::diverged).count(),
            reached.stream().filter(run -> run.value("lambdaSign") < 0).count(),
            reached.stream().filter(run -> run.value("lambdaSign") > 0).count(),
            reached.stream().filter(MeanSquare::isChain).count()));
    List<RunResult> near = near(reached);
    if (!near.isEmpty()) {
      sentences.add(sentence("With η/η_ms above " + NEAR, near));
    }
    for (Group<Integer> group : byBatchSize(reached)) {
      sentences.add(sentence("B = " + group.setting(), group.runs()));
    }
    return new Findings(sentences, List.of(table(results)), List.of(picture(reached)));
  }

  private static List<RunResult> near(List<RunResult> reached) {
    return reached.stream().filter(run -> Gauge.MEAN_SQUARE.of(run) > NEAR).toList();
  }

  private static String sentence(String which, List<RunResult> runs) {
    return String.format(
        Locale.ROOT,
        "%s, %d runs: η/η_ms %s, η/η_c %s, sharpness·η/2 %s. η was above the upper bound of η_ms in"
            + " %d, above the interval of η_c in %d.",
        which,
        runs.size(),
        range(Gauge.MEAN_SQUARE, runs),
        range(Gauge.EDGE, runs),
        range(Gauge.SHARPNESS, runs),
        runs.stream().filter(run -> rate(run) > run.value("meanSquareRateHigh")).count(),
        runs.stream().filter(run -> rate(run) > run.value("criticalRateHigh")).count());
  }

  private static String range(Gauge gauge, List<RunResult> runs) {
    double[] values = runs.stream().mapToDouble(gauge::of).sorted().toArray();
    return String.format(Locale.ROOT, "%.3f to %.3f", values[0], values[values.length - 1]);
  }

  private static Table table(List<RunResult> results) {
    List<List<String>> rows = new ArrayList<>();
    for (Group<RateAndBatch> group : Group.of(results, RateAndBatch::of, RateAndBatch.ORDER)) {
      List<RunResult> reached = group.runs().stream().filter(MeanSquare::isReached).toList();
      List<String> row =
          new ArrayList<>(
              List.of(
                  String.valueOf(group.setting().rate()),
                  String.valueOf(group.setting().batchSize()),
                  reached.size() + " of " + group.runs().size(),
                  Table.cell(mean(reached, run -> run.value("steps"))),
                  Table.cell(mean(reached, run -> run.value("hessian")))));
      for (Gauge gauge : Gauge.values()) {
        row.add(Table.cell(mean(reached, gauge::of)));
      }
      row.add(Table.cell(mean(reached, run -> run.value("lambda"))));
      rows.add(row);
    }
    List<String> header =
        new ArrayList<>(List.of("η", "B", "converged", "steps", "sharpness of the Hessian"));
    for (Gauge gauge : Gauge.values()) {
      header.add(gauge.label);
    }
    header.add("λ");
    return new Table(
        "mean-square", "Where SGD ends, mean over seeds ± standard error", header, rows);
  }

  private static Mean mean(List<RunResult> runs, ToDoubleFunction<RunResult> value) {
    return Mean.of(runs.stream().mapToDouble(value));
  }

  private static Picture picture(List<RunResult> reached) {
    List<Panel> panels = new ArrayList<>();
    for (Group<Double> group : Group.of(reached, MeanSquare::rate, Double::compare)) {
      panels.add(chain(group));
    }
    panels.add(edges(near(reached)));
    return new Picture(
        "mean-square",
        "Sharpness where SGD ends, the bounds of η_ms, η_ms itself and η_c over the batch size, a"
            + " point for every run; below, those near 1",
        panels);
  }

  private static Panel chain(Group<Double> group) {
    List<Curve> curves = new ArrayList<>();
    List<Group<Integer>> sizes = byBatchSize(group.runs());
    for (Gauge gauge : Gauge.values()) {
      curves.add(
          new Curve(
              gauge.label,
              sizes.stream().mapToDouble(Group::setting).toArray(),
              sizes.stream().mapToDouble(size -> mean(size.runs(), gauge::of).value()).toArray(),
              gauge.colour,
              Stroke.LINE));
      curves.add(dots("", gauge, group.runs(), 1));
    }
    return panel("η = " + group.setting(), curves);
  }

  /** Beside each other. */
  private static Panel edges(List<RunResult> runs) {
    List<Curve> curves =
        List.of(
            dots(Gauge.BEST_BOUND.label, Gauge.BEST_BOUND, runs, 0.92),
            dots(Gauge.MEAN_SQUARE.label, Gauge.MEAN_SQUARE, runs, 1),
            dots(Gauge.EDGE.label, Gauge.EDGE, runs, 1.08));
    return panel("all learning rates, η/η_ms above " + NEAR, curves);
  }

  private static Curve dots(String name, Gauge gauge, List<RunResult> runs, double shift) {
    return new Curve(
        name,
        runs.stream().mapToDouble(run -> shift * batchSize(run)).toArray(),
        runs.stream().mapToDouble(gauge::of).toArray(),
        gauge.colour,
        Stroke.DOTS);
  }

  private static Panel panel(String title, List<Curve> curves) {
    return new Panel(
        title, "B", "number·η/2, or η/η_c", Axes.LOG_X, Map.of("1, the edge", 1.0), curves);
  }
}
