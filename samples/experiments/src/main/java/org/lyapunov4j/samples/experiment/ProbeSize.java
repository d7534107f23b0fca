// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.hipparchus.stat.descriptive.rank.Median;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.experiment.Picture.Stroke;
import org.lyapunov4j.samples.experiment.SettlingNumber.Quantity;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * How far is what a probe says from what all training examples say? Probes of many sizes, several
 * of each, beside the whole training set, before, in and after training.
 */
final class ProbeSize implements Experiment {
  private static final int EXAMPLES = 5000;
  private static final int DIGITS = 1797;
  private static final int STEPS = 5000;
  private static final int MANY_INPUTS = 1000;

  /** Relative changes of half a probe, by which probes are counted. */
  private static final double[] CHANGES = {0, 0.05, 0.1, 0.2, 0.4, Double.POSITIVE_INFINITY};

  /** How near to the whole set counts as near. */
  private static final double NEAR = 0.1;

  private final int most;
  private final List<Integer> hidden;
  private final Probes.Plan plan;

  ProbeSize() {
    this(
        EXAMPLES, List.of(200, 200), new Probes.Plan(List.of(), List.of(1, 32), 50, 8, 4000, 5000));
  }

  /** With fewer examples, another network and another plan, whose moments are not used. */
  ProbeSize(int most, List<Integer> hidden, Probes.Plan plan) {
    this.most = most;
    this.hidden = hidden;
    this.plan = plan;
  }

  @Override
  public String name() {
    return "probe-size";
  }

  @Override
  public String question() {
    return "How do sharpness, η_c and λ settle with the number of examples of the probe?";
  }

  /** Outputs and loss. */
  private enum Task {
    SCALAR("K1", "one output", Targets.SCALAR, LossFunction.MSE),
    SQUARES("K10", "ten outputs", Targets.ONE_HOT, LossFunction.MSE),
    ENTROPY("K10-entropy", "ten outputs, cross-entropy", Targets.ONE_HOT, LossFunction.MCXENT);

    final String id;
    final String legend;
    final Targets targets;
    final LossFunction loss;

    Task(String id, String legend, Targets targets, LossFunction loss) {
      this.id = id;
      this.legend = legend;
      this.targets = targets;
      this.loss = loss;
    }

    static String legend(String id) {
      return Stream.of(values())
          .filter(task -> task.id.equals(id))
          .map(task -> task.legend)
          .findFirst()
          .orElse(id);
    }

    /** Below the edge of mini-batches of 32 from the start. */
    double rate(boolean manyInputs) {
      double rate =
          switch (this) {
            case SCALAR -> 0.01;
            case SQUARES, ENTROPY -> 0.1;
          };
      return manyInputs ? rate / 4 : rate;
    }
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.data().orElse(DataSource.parse("digits"));
    int count = Math.min(most, source instanceof DataSource.Digits ? DIGITS : EXAMPLES);
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      for (Task task : Task.values()) {
        Examples examples =
            source.load(count, task.targets, new RandomStream(seed).split(Seeds.EXAMPLES));
        runs.add(run(source, examples, task, seed, settings.steps(STEPS)));
      }
    }
    return runs;
  }

  private Run run(DataSource source, Examples examples, Task task, int seed, int steps) {
    double rate = task.rate(examples.inputWidth() > MANY_INPUTS);
    int batch = plan.batchSizes().get(plan.batchSizes().size() - 1);
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("data", source + ", " + examples.size() + " examples");
    labels.put("task", task.id);
    labels.put("learning rate", String.valueOf(rate));
    labels.put("seed", String.valueOf(seed));
    return new Probes(
        task.id + "-seed" + seed,
        labels,
        new DenseNetwork(hidden, Activation.TANH, task.loss, DataType.FLOAT)
            .configuration(examples.inputWidth(), examples.outputs(), new Sgd(rate), seed),
        examples.toDataSet(DataType.FLOAT),
        SgdStep.of(rate, batch),
        new Probes.Plan(
            IntStream.of(0, steps / 10, steps).distinct().boxed().toList(),
            plan.batchSizes(),
            plan.smallest(),
            plan.mostDraws(),
            plan.rowsOfASize(),
            plan.mostRows()),
        seed);
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<SettlingNumber> numbers =
        results.stream().flatMap(run -> SettlingNumber.of(run).stream()).toList();
    Map<Quantity, List<SettlingNumber>> byQuantity =
        numbers.stream()
            .collect(
                Collectors.groupingBy(
                    SettlingNumber::quantity, LinkedHashMap::new, Collectors.toList()));
    List<String> sentences = new ArrayList<>();
    byQuantity.forEach(
        (quantity, some) -> {
          List<SettlingNumber> settling =
              some.stream().filter(SettlingNumber::canExtrapolate).toList();
          if (!settling.isEmpty()) {
            sentences.add(halves(quantity, settling));
            sentences.add(extrapolated(quantity, settling));
          }
        });
    results.forEach(run -> sentences.addAll(exponents(run)));
    return new Findings(
        sentences,
        List.of(
            deviations("probe-size", numbers, true),
            deviations("probe-size-moments", numbers, false),
            changes(byQuantity),
            extrapolations(numbers)),
        List.of(picture(byQuantity)));
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  private static double median(DoubleStream values) {
    return new Median().evaluate(values.toArray());
  }

  /** Mean and root mean square of the relative deviations from the whole set. */
  private static Table deviations(
      String name, List<SettlingNumber> numbers, boolean momentsTogether) {
    Map<String, List<SettlingNumber>> groups =
        numbers.stream()
            .collect(
                Collectors.groupingBy(
                    number ->
                        number.task()
                            + "|"
                            + number.quantity().label()
                            + (momentsTogether ? "" : "|" + number.iteration()),
                    LinkedHashMap::new,
                    Collectors.toList()));
    List<Integer> sizes =
        numbers.stream().flatMap(n -> n.bySize().keySet().stream()).distinct().sorted().toList();
    List<String> header = new ArrayList<>(List.of("task", "number"));
    header.add(momentsTogether ? "of all, by moment" : "step");
    sizes.forEach(size -> header.add("N = " + size));
    List<List<String>> rows = new ArrayList<>();
    groups.forEach(
        (key, some) -> {
          List<String> row =
              new ArrayList<>(List.of(some.get(0).task(), some.get(0).quantity().label()));
          row.add(
              momentsTogether
                  ? some.stream()
                      .map(number -> Table.cell(number.whole()))
                      .collect(Collectors.joining(" / "))
                  : String.valueOf(some.get(0).iteration()));
          for (int size : sizes) {
            double[] deviations =
                some.stream()
                    .flatMapToDouble(number -> DoubleStream.of(number.deviations(size)))
                    .toArray();
            row.add(
                deviations.length == 0
                    ? "–"
                    : String.format(
                        Locale.ROOT,
                        "%+.1f, %.1f",
                        100 * DoubleStream.of(deviations).average().orElseThrow(),
                        100 * rootMeanSquare(deviations)));
          }
          rows.add(row);
        });
    return new Table(
        name,
        "Deviation from all examples in per cent: mean, root mean square over the probes of a size"
            + (momentsTogether ? " at all moments" : ""),
        header,
        rows);
  }

  private static double rootMeanSquare(double[] values) {
    return Math.sqrt(DoubleStream.of(values).map(v -> v * v).average().orElse(Double.NaN));
  }

  private static String halves(Quantity quantity, List<SettlingNumber> numbers) {
    List<SettlingNumber.Halved> halved =
        numbers.stream().flatMap(number -> number.halved().stream()).toList();
    List<SettlingNumber.Halved> still =
        halved.stream().filter(probe -> probe.change() <= NEAR).toList();
    List<SettlingNumber.Halved> moving =
        halved.stream().filter(probe -> probe.change() > NEAR).toList();
    return String.format(
        Locale.ROOT,
        "%s: of %d probes whose half differs by at most %s, %d are within %s of all examples; of %d"
            + " that differ by more, %d. The median deviation is %s; twice the probe less the mean of"
            + " its halves has %s.",
        quantity.label(),
        still.size(),
        percent(NEAR),
        near(still),
        percent(NEAR),
        moving.size(),
        near(moving),
        percent(median(halved.stream().mapToDouble(SettlingNumber.Halved::deviation))),
        percent(median(halved.stream().mapToDouble(SettlingNumber.Halved::extrapolatedDeviation))));
  }

  private static long near(List<SettlingNumber.Halved> probes) {
    return probes.stream().filter(probe -> probe.deviation() <= NEAR).count();
  }

  /** What the change from half a probe says of the distance to all examples. */
  private static Table changes(Map<Quantity, List<SettlingNumber>> byQuantity) {
    List<List<String>> rows = new ArrayList<>();
    byQuantity.forEach(
        (quantity, numbers) -> {
          for (int c = 1; c < CHANGES.length; c++) {
            double low = CHANGES[c - 1];
            double high = CHANGES[c];
            List<SettlingNumber.Halved> some =
                numbers.stream()
                    .flatMap(number -> number.halved().stream())
                    .filter(probe -> probe.change() > low && probe.change() <= high)
                    .toList();
            if (!some.isEmpty()) {
              rows.add(
                  List.of(
                      quantity.label(),
                      Double.isFinite(high)
                          ? percent(low) + " to " + percent(high)
                          : "above " + percent(low),
                      String.valueOf(some.size()),
                      percent(median(some.stream().mapToDouble(SettlingNumber.Halved::deviation))),
                      near(some) + " of " + some.size()));
            }
          }
        });
    return new Table(
        "probe-size-halves",
        "Probes by how much their half differs from them",
        List.of(
            "number",
            "half differs by",
            "probes",
            "median deviation from all",
            "within " + percent(NEAR) + " of all"),
        rows);
  }

  private static String extrapolated(Quantity quantity, List<SettlingNumber> numbers) {
    return String.format(
        Locale.ROOT,
        "%s, extrapolated from the means of all sizes in %d cases: with 1/N the 95 %% interval holds"
            + " the number of all examples in %d, median deviation %s; with a free exponent in %d,"
            + " %s. The largest probes alone deviate by %s.",
        quantity.label(),
        numbers.size(),
        numbers.stream().filter(n -> n.ofOrderOne().covers(n.whole())).count(),
        percent(median(numbers.stream().mapToDouble(n -> n.deviation(n.ofOrderOne().value())))),
        numbers.stream().filter(n -> n.ofAnyOrder().covers(n.whole())).count(),
        percent(median(numbers.stream().mapToDouble(n -> n.deviation(n.ofAnyOrder().value())))),
        percent(median(numbers.stream().mapToDouble(n -> n.deviation(n.ofLargest())))));
  }

  private static Table extrapolations(List<SettlingNumber> numbers) {
    List<List<String>> rows = new ArrayList<>();
    for (SettlingNumber number : numbers) {
      if (number.canExtrapolate()) {
        rows.add(
            List.of(
                number.task(),
                number.quantity().label(),
                String.valueOf(number.iteration()),
                Table.cell(number.whole()),
                Table.cell(number.ofLargest()),
                cell(number.ofOrderOne(), number.whole()),
                cell(number.ofAnyOrder(), number.whole()),
                Table.cell(number.ofAnyOrder().exponent())));
      }
    }
    return new Table(
        "probe-size-extrapolated",
        "Extrapolated to all examples, with 95 % interval; a star where it misses",
        List.of(
            "task", "number", "step", "of all", "of the largest probes", "1/N", "1/Nᵃ", "best a"),
        rows);
  }

  private static String cell(Extrapolation found, double truth) {
    return String.format(
        Locale.ROOT,
        "%.4g [%.4g, %.4g]%s",
        found.value(),
        found.low(),
        found.high(),
        found.covers(truth) ? "" : "*");
  }

  /** λ of the training rate at the end, of the first probe of each size. */
  private static List<String> exponents(RunResult run) {
    List<String> sentences = new ArrayList<>();
    double last = DoubleStream.of(run.curve("moment")).max().orElse(0);
    for (double batch : DoubleStream.of(run.curve("batchSize")).distinct().toArray()) {
      sentences.add(
          String.format(
              Locale.ROOT,
              "%s, B = %.0f: λ at the end, or its bounds, by N: %s.",
              run.id(),
              batch,
              IntStream.range(0, run.curve("size").length)
                  .filter(i -> run.curve("moment")[i] == last)
                  .filter(i -> run.curve("batchSize")[i] == batch && run.curve("draw")[i] == 0)
                  .mapToObj(i -> (int) run.curve("size")[i] + ": " + exponent(run, i))
                  .collect(Collectors.joining(", "))));
    }
    return sentences;
  }

  private static String exponent(RunResult run, int probe) {
    double point = run.curve("lambda")[probe];
    return Double.isNaN(point)
        ? String.format(
            "[%s, %s]",
            Table.cell(run.curve("lambdaLow")[probe]), Table.cell(run.curve("lambdaHigh")[probe]))
        : Table.cell(point);
  }

  /** Every probe of the last moment, and the means of each size. */
  private static Picture picture(Map<Quantity, List<SettlingNumber>> byQuantity) {
    List<Panel> panels = new ArrayList<>();
    byQuantity.forEach(
        (quantity, numbers) -> {
          List<Curve> curves = new ArrayList<>();
          int last = numbers.stream().mapToInt(SettlingNumber::iteration).max().orElseThrow();
          for (SettlingNumber number : numbers) {
            if (number.iteration() == last) {
              curves.addAll(curves(number, curves.size() / 2));
            }
          }
          panels.add(
              new Panel(
                  "",
                  panels.size() == byQuantity.size() - 1 ? "N" : "",
                  quantity.label() + " / of all",
                  Axes.LOG_X,
                  Map.of("all examples", 1.0),
                  curves));
        });
    return new Picture(
        "probe-size",
        "Numbers of probes over those of all examples at the end of training: a point for every"
            + " probe, a line through the means",
        panels);
  }

  private static List<Curve> curves(SettlingNumber number, int colour) {
    List<double[]> points = new ArrayList<>();
    List<double[]> means = new ArrayList<>();
    number
        .bySize()
        .forEach(
            (size, values) -> {
              values.forEach(v -> points.add(new double[] {size, v / number.whole()}));
              means.add(
                  new double[] {
                    size,
                    Mean.of(values.stream().mapToDouble(Double::doubleValue)).value()
                        / number.whole()
                  });
            });
    means.add(new double[] {number.examples(), 1});
    return List.of(
        curve(Task.legend(number.task()), means, colour, Stroke.LINE),
        curve("", points, colour, Stroke.DOTS));
  }

  private static Curve curve(String name, List<double[]> points, int colour, Stroke stroke) {
    return new Curve(
        name,
        points.stream().mapToDouble(point -> point[0]).toArray(),
        points.stream().mapToDouble(point -> point[1]).toArray(),
        colour,
        stroke);
  }
}
