// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.lyapunov4j.dl4j.Schedule;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.NetworkRun.Plan;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.experiment.Picture.Stroke;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The question that Chemnitz and Engel leave open in section 2.6 of arXiv 2407.20209: how do λ and
 * the edge ratio η/η_c evolve while SGD trains? All mini-batch sizes and learning rates with
 * independent mini-batches; the middle rate also reshuffled and with momentum.
 */
final class Evolution implements Experiment {
  private static final int EXAMPLES = 80;
  private static final int STEPS = 5_000;
  private static final List<Integer> BATCH_SIZES = List.of(1, 4, 16, 64, EXAMPLES);
  private static final double MOMENTUM = 0.9;

  /** A mean of squares that counts as zero for outputs of order one. */
  private static final double ROUNDING = 1e-20;

  /** Images of more pixels have a Gram matrix that is tens of times as large. */
  private static final int MANY_INPUTS = 1000;

  private static final int FEWER = 20;

  /** How mini-batches become steps. */
  private enum Scheme {
    IID("iid"),
    SHUFFLED("shuffled"),
    MOMENTUM("momentum");

    final String id;

    Scheme(String id) {
      this.id = id;
    }
  }

  @Override
  public String name() {
    return "evolution";
  }

  @Override
  public String question() {
    return "How do λ and η/η_c evolve during SGD training? (Chemnitz and Engel, section 2.6)";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.data().orElse(DataSource.parse("digits"));
    List<Run> runs = new ArrayList<>();
    for (Targets targets : List.of(Targets.SCALAR, Targets.ONE_HOT)) {
      for (int seed = 1; seed <= settings.seeds(); seed++) {
        Examples examples =
            source.load(EXAMPLES, targets, new RandomStream(seed).split(Seeds.EXAMPLES));
        DataSet data = examples.toDataSet(DataType.DOUBLE);
        for (Scheme scheme : Scheme.values()) {
          for (double rate : rates(examples, scheme)) {
            for (int batch : BATCH_SIZES) {
              runs.add(run(source, examples, data, scheme, rate, batch, seed, settings));
            }
          }
        }
      }
    }
    // A first seed of everything comes first.
    runs.sort(Comparator.comparingInt(run -> Integer.parseInt(run.settings().get("seed"))));
    return runs;
  }

  /** For mini-batches of one digit, the middle one is near the edge from the start. */
  private static double[] rates(Examples examples, Scheme scheme) {
    double few = examples.outputs() == 1 ? 0.05 : 0.5;
    double middle = examples.inputWidth() > MANY_INPUTS ? few / FEWER : few;
    return switch (scheme) {
      case IID -> new double[] {middle / 2, middle, 2 * middle};
      case SHUFFLED -> new double[] {middle};
      case MOMENTUM -> new double[] {middle / 4};
    };
  }

  private static Run run(
      DataSource source,
      Examples examples,
      DataSet data,
      Scheme scheme,
      double rate,
      int batch,
      int seed,
      Settings settings) {
    String id =
        String.format("K%d-%s-B%d-eta%s-seed%d", examples.outputs(), scheme.id, batch, rate, seed);
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("data", source + ", " + EXAMPLES + " examples");
    labels.put("outputs", String.valueOf(examples.outputs()));
    labels.put("scheme", scheme.id);
    labels.put("batch size", String.valueOf(batch));
    labels.put("learning rate", String.valueOf(rate));
    labels.put("seed", String.valueOf(seed));
    IUpdater updater = scheme == Scheme.MOMENTUM ? new Nesterovs(rate, MOMENTUM) : new Sgd(rate);
    DenseNetwork network =
        new DenseNetwork(List.of(64, 64), Activation.TANH, LossFunction.MSE, DataType.DOUBLE);
    SgdStep step =
        SgdStep.of(rate, batch)
            .withSampling(
                scheme == Scheme.SHUFFLED
                    ? MiniBatchSampling.SHUFFLED_EPOCHS
                    : MiniBatchSampling.IID_SUBSETS);
    int steps = settings.steps(STEPS);
    boolean scalar = examples.outputs() == 1;
    int interval = interval(steps, examples.outputs());
    Plan plan =
        new Plan(
            step,
            steps,
            Tier.STANDARD,
            Schedule.logarithmic(3).or(Schedule.everyIterations(interval)),
            scalar ? interval : 0, // with 800 rows the residuals would take most of the time
            false,
            0,
            seed);
    return new NetworkRun(
        id,
        labels,
        network.configuration(examples.inputWidth(), examples.outputs(), updater, seed),
        data,
        data,
        plan);
  }

  /** Steps between checkpoints. */
  private static int interval(int steps, int outputs) {
    return Math.max(1, steps / (outputs == 1 ? 100 : 25));
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<Group<Setting>> groups = Group.of(results, Setting::of, Setting.ORDER);
    List<Picture> pictures = new ArrayList<>();
    for (int outputs : groups.stream().mapToInt(g -> g.setting().outputs()).distinct().toArray()) {
      pictures.addAll(overTime(outputs, groups));
      pictures.add(atTheEnd(outputs, groups));
      pictures.add(losses(outputs, groups));
    }
    return new Findings(
        sentences(results), List.of(table(groups), SlowBranch.table(results)), pictures);
  }

  /** What runs that differ in their seeds have in common. */
  private record Setting(int outputs, String scheme, int batchSize, double rate) {
    static final Comparator<Setting> ORDER =
        Comparator.comparingInt(Setting::outputs)
            .thenComparing(
                setting -> List.of("iid", "shuffled", "momentum").indexOf(setting.scheme))
            .thenComparingDouble(Setting::rate)
            .thenComparingInt(Setting::batchSize);

    static Setting of(RunResult result) {
      return new Setting(
          Integer.parseInt(result.setting("outputs")),
          result.setting("scheme"),
          Integer.parseInt(result.setting("batch size")),
          Double.parseDouble(result.setting("learning rate")));
    }
  }

  /** Whether the loss fell tenfold over the second half or is zero but for rounding. */
  private static boolean converges(RunResult run) {
    double end = lastLoss(run);
    return end < ROUNDING || end < run.secondHalf("probeLoss")[0] / 10;
  }

  private static double lastLoss(RunResult run) {
    double[] losses = run.curve("probeLoss");
    return losses[losses.length - 1];
  }

  private static Table table(List<Group<Setting>> groups) {
    List<List<String>> rows = new ArrayList<>();
    for (Group<Setting> group : groups) {
      Setting setting = group.setting();
      rows.add(
          List.of(
              String.valueOf(setting.outputs()),
              setting.scheme(),
              String.valueOf(setting.batchSize()),
              String.valueOf(setting.rate()),
              group.finite().size() + " of " + group.runs().size(),
              Table.cell(Mean.of(group.runs().stream().mapToDouble(Evolution::firstRatio))),
              Table.cell(group.late("edgeRatio")),
              Table.cell(group.late("meanSquareRatio")),
              Table.cell(group.late("lambda")),
              Table.cell(Mean.of(group.finite().stream().mapToDouble(Evolution::unstableShare))),
              Table.cell(group.late("classicEdgeRatio")),
              Table.cell(group.late("batchSharpness").times(setting.rate() / 2)),
              Table.cell(group.loss())));
    }
    return new Table(
        "evolution",
        "Second half of training, mean over seeds ± standard error; with momentum η·sharpness/2 is"
            + " sharpness over the critical curvature",
        List.of(
            "K",
            "mini-batches",
            "B",
            "η",
            "finite",
            "η/η_c at the start",
            "η/η_c",
            "η/η_ms",
            "λ",
            "share with λ > 0",
            "η·sharpness/2",
            "η·batch sharpness/2",
            "loss at the end"),
        rows);
  }

  /** The share of the checkpoints of the second half at which λ &gt; 0 is decided. */
  private static double unstableShare(RunResult run) {
    return DoubleStream.of(run.secondHalf("lambdaSign"))
        .map(sign -> sign > 0 ? 1 : 0)
        .average()
        .orElse(Double.NaN);
  }

  /** The longest stretch of steps of the second half between checkpoints that all have λ &gt; 0. */
  private static double longestExcursion(RunResult run) {
    double[] iterations = run.secondHalf("iteration");
    double[] signs = run.secondHalf("lambdaSign");
    double longest = 0;
    double start = Double.NaN;
    for (int i = 0; i < signs.length; i++) {
      start = signs[i] <= 0 ? Double.NaN : Double.isNaN(start) ? iterations[i] : start;
      longest = Double.isNaN(start) ? longest : Math.max(longest, iterations[i] - start);
    }
    return longest;
  }

  /** Whether λ has both signs, decided, in the second half. */
  private static boolean changesSign(RunResult run) {
    double share = unstableShare(run);
    return share > 0 && DoubleStream.of(run.secondHalf("lambdaSign")).anyMatch(sign -> sign < 0);
  }

  private static double firstRatio(RunResult run) {
    return DoubleStream.of(run.curve("edgeRatio"))
        .filter(Double::isFinite)
        .findFirst()
        .orElse(Double.NaN);
  }

  private static List<String> sentences(List<RunResult> results) {
    List<String> sentences = new ArrayList<>();
    sentences.add(
        String.format(
            "%d runs, %d of them diverged.", results.size(), count(results, RunResult::diverged)));
    for (boolean fullBatch : new boolean[] {true, false}) {
      List<RunResult> some =
          results.stream()
              .filter(run -> !run.diverged())
              .filter(run -> fullBatch == (Setting.of(run).batchSize() == EXAMPLES))
              .toList();
      sentences.add(
          String.format(
              "%s: at most checkpoints of the second half λ was negative in %d of %d runs, η/η_c above"
                  + " 0.9 in %d and above 1.1 in %d; η/η_c ended higher than it began in %d; λ was only"
                  + " bounded at %d of %d checkpoints.",
              fullBatch ? "B = N" : "B < N",
              count(some, run -> run.late("lambdaSign") < 0),
              some.size(),
              count(some, run -> run.late("edgeRatio") > 0.9),
              count(some, run -> run.late("edgeRatio") > 1.1),
              count(some, run -> run.late("edgeRatio") > firstRatio(run)),
              late(some, "lambdaBound").filter(bound -> bound > 0).count(),
              late(some, "lambdaBound").count()));
    }
    List<RunResult> crossing = results.stream().filter(Evolution::changesSign).toList();
    sentences.add(
        String.format(
            "λ has both signs in the second half of %d runs: it is positive at %s of their checkpoints"
                + " there, for at most %s steps on end in the median run.",
            crossing.size(),
            Table.cell(Mean.of(crossing.stream().mapToDouble(Evolution::unstableShare))),
            Table.cell(
                LossRate.median(crossing.stream().mapToDouble(Evolution::longestExcursion)))));
    sentences.add(speed(results));
    for (int sign : new int[] {-1, 1}) {
      List<RunResult> some =
          results.stream()
              .filter(run -> !run.diverged())
              .filter(run -> Math.signum(run.late("lambdaSign")) == sign)
              .toList();
      sentences.add(
          String.format(
              "λ %s 0 at most checkpoints of the second half: in it the loss fell tenfold or was zero but for rounding in"
                  + " %d of %d runs.",
              sign < 0 ? "<" : ">", count(some, Evolution::converges), some.size()));
    }
    return sentences;
  }

  private static String speed(List<RunResult> results) {
    List<LossRate> rates = new ArrayList<>();
    for (RunResult run : results) {
      int steps = (int) run.value("iterations");
      LossRate.of(run, interval(steps, Setting.of(run).outputs())).ifPresent(rates::add);
    }
    return String.format(
        "Over the second half until 1e-22 the loss fell at 2λ to within a quarter in %d of %d runs, %s"
            + " times as fast as 2λ in the median; at what the residual of each checkpoint foretold"
            + " until the next, to within a quarter or twice its error, in %d of %d.",
        rates.stream().filter(LossRate::followsExponent).count(),
        rates.size(),
        Table.cell(LossRate.median(rates.stream().mapToDouble(LossRate::overExponent))),
        rates.stream().filter(LossRate::followsResidual).count(),
        rates.stream().filter(rate -> Double.isFinite(rate.residual())).count());
  }

  private static DoubleStream late(List<RunResult> runs, String curve) {
    return runs.stream().flatMapToDouble(run -> DoubleStream.of(run.secondHalf(curve)));
  }

  private static long count(List<RunResult> results, Predicate<RunResult> condition) {
    return results.stream().filter(condition).count();
  }

  private static String title(int outputs) {
    return outputs + (outputs == 1 ? " output" : " outputs");
  }

  /** The two larger rates with independent mini-batches. */
  private static List<Picture> overTime(int outputs, List<Group<Setting>> groups) {
    List<Group<Setting>> some =
        groups.stream()
            .filter(group -> group.setting().outputs() == outputs)
            .filter(group -> group.setting().scheme().equals("iid"))
            .toList();
    double[] rates =
        some.stream().mapToDouble(g -> g.setting().rate()).distinct().sorted().toArray();
    List<Picture> pictures = new ArrayList<>();
    for (int i = rates.length / 2; i < rates.length; i++) {
      double rate = rates[i];
      String name = "evolution-K" + outputs + (i == rates.length / 2 ? "" : "-large");
      pictures.add(
          overTime(
              name,
              title(outputs) + ", η = " + rate,
              some.stream().filter(g -> g.setting().rate() == rate).toList()));
    }
    return pictures;
  }

  private static Picture overTime(String name, String title, List<Group<Setting>> shown) {
    Map<String, Double> edge = Map.of("edge of stability", 1.0);
    return new Picture(
        name,
        title + ", independent mini-batches; a curve for every seed whose loss stayed finite",
        List.of(
            new Panel(title, "", "η/η_c", Axes.LOG_BOTH, edge, curves(shown, "edgeRatio")),
            new Panel(
                "", "", "|λ|: lines λ < 0, marks λ > 0", Axes.LOG_BOTH, Map.of(), exponents(shown)),
            new Panel("", "", "η·sharpness/2", Axes.LOG_X, edge, curves(shown, "classicEdgeRatio")),
            new Panel(
                "", "iteration", "loss", Axes.LOG_BOTH, Map.of(), curves(shown, "probeLoss"))));
  }

  /** |λ| in nats per step: a line along the slow branch, dots at the excursions beyond the edge. */
  private static List<Curve> exponents(List<Group<Setting>> groups) {
    List<Curve> curves = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      Group<Setting> group = groups.get(g);
      String legend = "B = " + group.setting().batchSize();
      curves.addAll(group.curves(legend, "lambda", -1, g));
      for (Curve curve : group.curves("", "lambda", 1, g)) {
        curves.add(positive(curve));
      }
    }
    return curves;
  }

  private static Curve positive(Curve curve) {
    int[] above = IntStream.range(0, curve.y().length).filter(i -> curve.y()[i] > 0).toArray();
    return new Curve(
        "",
        IntStream.of(above).mapToDouble(i -> curve.x()[i]).toArray(),
        IntStream.of(above).mapToDouble(i -> curve.y()[i]).toArray(),
        curve.colour(),
        Stroke.DOTS);
  }

  private static List<Curve> curves(List<Group<Setting>> groups, String name) {
    List<Curve> curves = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      Group<Setting> group = groups.get(g);
      curves.addAll(group.curves("B = " + group.setting().batchSize(), name, 1, g));
    }
    return curves;
  }

  private static Picture atTheEnd(int outputs, List<Group<Setting>> groups) {
    Map<String, List<Group<Setting>>> lines = new LinkedHashMap<>();
    for (Group<Setting> group : groups) {
      if (group.setting().outputs() == outputs) {
        lines
            .computeIfAbsent(
                group.setting().scheme() + ", η = " + group.setting().rate(),
                key -> new ArrayList<>())
            .add(group);
      }
    }
    return new Picture(
        "evolution-end-K" + outputs,
        "Second half of training over the mini-batch size, means over seeds",
        List.of(
            new Panel(
                title(outputs),
                "",
                "η/η_c",
                Axes.LOG_X,
                Map.of("edge of stability", 1.0),
                endCurves(lines, group -> group.late("edgeRatio").value())),
            new Panel(
                "λ, logarithmic on both sides of 0",
                "mini-batch size B",
                "nats per step",
                Axes.LOG_X_SIGNED_LOG_Y,
                Map.of("zero", 0.0),
                endCurves(lines, group -> group.late("lambda").value()))));
  }

  /** Every run, by its mini-batch size. */
  private static Picture losses(int outputs, List<Group<Setting>> groups) {
    List<Curve> curves = new ArrayList<>();
    for (int batch : BATCH_SIZES) {
      List<RunResult> runs =
          groups.stream()
              .filter(g -> g.setting().outputs() == outputs && g.setting().batchSize() == batch)
              .flatMap(group -> group.finite().stream())
              .toList();
      curves.add(
          new Curve(
              "B = " + batch,
              runs.stream().mapToDouble(run -> run.late("lambda")).toArray(),
              runs.stream().mapToDouble(Evolution::lastLoss).toArray(),
              curves.size(),
              Stroke.DOTS));
    }
    return new Picture(
        "evolution-loss-K" + outputs,
        "Loss at the end over λ in the second half of training; a point for every run",
        List.of(
            new Panel(
                title(outputs),
                "λ, nats per step",
                "loss at the end",
                Axes.LOG_Y,
                Map.of(),
                curves)));
  }

  private static List<Curve> endCurves(
      Map<String, List<Group<Setting>>> lines, ToDoubleFunction<Group<Setting>> value) {
    List<Curve> curves = new ArrayList<>();
    lines.forEach(
        (name, groups) ->
            curves.addAll(
                Curve.lineAndDots(
                    name,
                    groups.stream().mapToDouble(g -> g.setting().batchSize()).toArray(),
                    groups.stream().mapToDouble(value).toArray(),
                    curves.size() / 2)));
    return curves;
  }
}
