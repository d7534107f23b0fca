// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.DoubleStream;
import org.lyapunov4j.dl4j.Schedule;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.NetworkRun.Plan;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Batch sharpness beside λ and the edge ratio. A. Andreyev, P. Beneventano, <i>Edge of Stochastic
 * Stability</i>, arXiv 2412.20553, report that SGD levels off where the curvature along mini-batch
 * gradients is 2/η, with the sharpness of the full batch below it, the lower the smaller the batch.
 */
final class StochasticEdge implements Experiment {
  private static final int EXAMPLES = 320;
  private static final List<Integer> BATCH_SIZES = List.of(8, 64, 256);
  private static final int STEPS = 8000;
  private static final int CHECKPOINTS = 24;

  /** With ten outputs there are half as many examples, examples in a mini-batch and checkpoints. */
  private static final int FEWER = 2;

  /** How near 1 counts as being there. */
  private static final double TOLERANCE = 0.1;

  private final int examples;
  private final List<Integer> batchSizes;

  StochasticEdge() {
    this(EXAMPLES, BATCH_SIZES);
  }

  /** With fewer examples. */
  StochasticEdge(int examples, List<Integer> batchSizes) {
    this.examples = examples;
    this.batchSizes = batchSizes;
  }

  @Override
  public String name() {
    return "batch-sharpness";
  }

  @Override
  public String question() {
    return "Does batch sharpness hover at 2/η, and λ at 0? (Andreyev and Beneventano 2024)";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.data().orElse(DataSource.parse("digits"));
    List<Run> runs = new ArrayList<>();
    for (Targets targets : List.of(Targets.SCALAR, Targets.ONE_HOT)) {
      for (int seed = 1; seed <= settings.seeds(); seed++) {
        int share = targets == Targets.SCALAR ? 1 : FEWER;
        Examples chosen =
            source.load(examples / share, targets, new RandomStream(seed).split(Seeds.EXAMPLES));
        DataSet data = chosen.toDataSet(DataType.DOUBLE);
        for (double rate : rates(targets)) {
          for (int batch : batchSizes) {
            runs.add(run(chosen, data, rate, batch / share, seed, settings));
          }
        }
      }
    }
    return runs;
  }

  private static double[] rates(Targets targets) {
    return targets == Targets.SCALAR ? new double[] {0.05, 0.1, 0.2} : new double[] {0.25, 0.5, 1};
  }

  private static Run run(
      Examples chosen, DataSet data, double rate, int batch, int seed, Settings settings) {
    int share = chosen.outputs() == 1 ? 1 : FEWER;
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("data", chosen.description());
    labels.put("outputs", String.valueOf(chosen.outputs()));
    labels.put("batch size", String.valueOf(batch));
    labels.put("learning rate", String.valueOf(rate));
    labels.put("seed", String.valueOf(seed));
    int steps = settings.steps(STEPS);
    return new NetworkRun(
        String.format(Locale.ROOT, "K%d-B%d-eta%s-seed%d", chosen.outputs(), batch, rate, seed),
        labels,
        new DenseNetwork(List.of(64, 64), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
            .configuration(chosen.inputWidth(), chosen.outputs(), new Sgd(rate), seed),
        data,
        data,
        new Plan(
            SgdStep.of(rate, batch),
            steps,
            Tier.STANDARD,
            Schedule.everyIterations(Math.max(1, steps * share / CHECKPOINTS)),
            0,
            true,
            0,
            seed));
  }

  /** What runs that differ in their seeds have in common. */
  private record Setting(int outputs, double rate, int batchSize) {
    static final Comparator<Setting> ORDER =
        Comparator.comparingInt(Setting::outputs)
            .thenComparingDouble(Setting::rate)
            .thenComparingInt(Setting::batchSize);

    static Setting of(RunResult result) {
      return new Setting(
          Integer.parseInt(result.setting("outputs")),
          Double.parseDouble(result.setting("learning rate")),
          Integer.parseInt(result.setting("batch size")));
    }
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<Group<Setting>> groups = Group.of(results, Setting::of, Setting.ORDER);
    List<String> sentences = new ArrayList<>();
    List<Picture> pictures = new ArrayList<>();
    for (int outputs : groups.stream().mapToInt(g -> g.setting().outputs()).distinct().toArray()) {
      List<Group<Setting>> some =
          groups.stream().filter(g -> g.setting().outputs() == outputs).toList();
      for (int batch : some.stream().mapToInt(g -> g.setting().batchSize()).distinct().toArray()) {
        sentences.add(
            sentence(some.stream().filter(g -> g.setting().batchSize() == batch).toList()));
      }
      pictures.add(picture(outputs, some));
    }
    return new Findings(sentences, List.of(table(groups)), pictures);
  }

  private static Table table(List<Group<Setting>> groups) {
    List<List<String>> rows = new ArrayList<>();
    for (Group<Setting> group : groups) {
      Setting setting = group.setting();
      rows.add(
          List.of(
              String.valueOf(setting.outputs()),
              String.valueOf(setting.rate()),
              String.valueOf(setting.batchSize()),
              String.valueOf(group.runs().size()),
              Table.cell(inEdges(group, "batchSharpness")),
              Table.cell(inEdges(group, "batchSharpnessOfMeans")),
              Table.cell(inEdges(group, "sharpness")),
              Table.cell(inEdges(group, "hessian")),
              Table.cell(group.late("edgeRatio")),
              Table.cell(group.late("lambda")),
              Table.cell(group.loss())));
    }
    return new Table(
        "batch-sharpness",
        "Second half of training, mean over seeds ± standard error; published: batch sharpness·η/2 → 1",
        List.of(
            "K",
            "η",
            "B",
            "runs",
            "batch sharpness·η/2, mean of ratios",
            "ratio of means",
            "sharpness·η/2",
            "of the Hessian",
            "η/η_c",
            "λ",
            "loss at the end"),
        rows);
  }

  private static String sentence(List<Group<Setting>> groups) {
    List<RunResult> runs = groups.stream().flatMap(group -> group.finite().stream()).toList();
    Setting setting = groups.get(0).setting();
    return String.format(
        Locale.ROOT,
        "K = %d, B = %d: in the second half of training batch sharpness was within %.0f %% of 2/η in"
            + " %d of %d runs (lowest %.2f, highest %.2f of 2/η), full-batch sharpness below it in"
            + " %d; λ was positive at most checkpoints in %d.",
        setting.outputs(),
        setting.batchSize(),
        100 * TOLERANCE,
        count(runs, run -> Math.abs(inEdges(run, "batchSharpness") - 1) <= TOLERANCE),
        runs.size(),
        runs.stream().mapToDouble(r -> inEdges(r, "batchSharpness")).min().orElse(Double.NaN),
        runs.stream().mapToDouble(r -> inEdges(r, "batchSharpness")).max().orElse(Double.NaN),
        count(runs, run -> inEdges(run, "sharpness") < inEdges(run, "batchSharpness")),
        count(runs, run -> run.late("lambdaSign") > 0));
  }

  private static long count(List<RunResult> runs, Predicate<RunResult> condition) {
    return runs.stream().filter(condition).count();
  }

  private static double inEdges(RunResult run, String curve) {
    return Setting.of(run).rate() / 2 * run.late(curve);
  }

  /** In units of 2/η. */
  private static Mean inEdges(Group<Setting> group, String curve) {
    return group.late(curve).times(group.setting().rate() / 2);
  }

  /** The largest learning rate. */
  private static Picture picture(int outputs, List<Group<Setting>> groups) {
    double rate = groups.stream().mapToDouble(g -> g.setting().rate()).max().orElseThrow();
    List<Group<Setting>> shown = groups.stream().filter(g -> g.setting().rate() == rate).toList();
    Map<String, Double> edge = Map.of("1", 1.0);
    List<Panel> panels = new ArrayList<>();
    panels.add(
        new Panel(
            String.format(Locale.ROOT, "K = %d, η = %s", outputs, rate),
            "",
            "batch sharpness·η/2",
            Axes.LINEAR,
            edge,
            curves(shown, "batchSharpness", rate / 2)));
    panels.add(
        new Panel(
            "", "", "sharpness·η/2", Axes.LINEAR, edge, curves(shown, "sharpness", rate / 2)));
    List<Curve> edgeRatios = curves(shown, "edgeRatio", 1);
    if (edgeRatios.stream().anyMatch(c -> DoubleStream.of(c.y()).anyMatch(Double::isFinite))) {
      panels.add(new Panel("", "", "η/η_c", Axes.LINEAR, edge, edgeRatios));
    }
    panels.add(
        new Panel(
            "λ, logarithmic on both sides of 0",
            "iteration",
            "nats per step",
            Axes.SIGNED_LOG_Y,
            Map.of("zero", 0.0),
            // lines would cross all the decades between the two branches
            curves(shown, "lambda", 1).stream().map(Curve::asDots).toList()));
    return new Picture(
        "batch-sharpness-K" + outputs,
        "Batch sharpness, full-batch sharpness, edge ratio and λ; a curve for every seed",
        panels);
  }

  private static List<Curve> curves(List<Group<Setting>> groups, String name, double factor) {
    List<Curve> curves = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      Group<Setting> group = groups.get(g);
      curves.addAll(group.curves("B = " + group.setting().batchSize(), name, factor, g));
    }
    return curves;
  }
}
