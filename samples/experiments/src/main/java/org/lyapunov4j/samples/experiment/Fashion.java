// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
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
 * Sharpness where gradient descent ends, after L. Wu, C. Ma, W. E, <i>How SGD Selects the Global
 * Minima in Over-parameterized Learning</i>, NeurIPS 2018: 1000 images of Fashion-MNIST, a
 * 784-500-500-500-10 network of rectifiers, mean of squares over examples and outputs, which is
 * Deeplearning4j's.
 */
final class Fashion implements Experiment {
  private static final int EXAMPLES = 1000;
  private static final int PROBE = 100;
  private static final double SMALL_LOSS = 1e-3;
  private static final double SMALL_RATE = 0.03;
  private static final double PUBLISHED_AT_SMALL_RATES = 53.5;
  private static final String TASK = "784-500-500-500-10, mean of squares";

  /**
   * A learning rate.
   *
   * @param rate η
   * @param steps at most
   * @param checkpoints after the first step, evenly, if all steps are taken
   * @param uniform whether the weights are drawn as the authors' program draws them
   * @param published sharpness at the solution
   */
  private record Case(double rate, int steps, int checkpoints, boolean uniform, String published) {}

  /**
   * At 0.01 and 0.02 gradient descent is far from its edge and follows the gradient flow, so that
   * half as many steps of 0.02 go the same way.
   */
  private static final List<Case> CASES =
      List.of(
          new Case(0.5, 6000, 12, false, "3.9 ± 0.0"),
          new Case(0.1, 12_000, 12, false, "19.6 ± 0.15"),
          new Case(0.05, 20_000, 12, false, "39.3 ± 0.5"),
          new Case(0.02, 50_000, 50, true, "53.5 ± 4.3 at 0.01"),
          new Case(0.01, 100_000, 12, false, "53.5 ± 4.3"));

  private static final String UNIFORM = ", uniform weights";

  private final int examples;
  private final List<Integer> hidden;

  Fashion() {
    this(EXAMPLES, List.of(500, 500, 500));
  }

  /** With fewer examples and another network. */
  Fashion(int examples, List<Integer> hidden) {
    this.examples = examples;
    this.hidden = hidden;
  }

  @Override
  public String name() {
    return "fashion";
  }

  @Override
  public String question() {
    return "How sharp is the solution of gradient descent? Fashion-MNIST (Wu, Ma and E 2018)";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.requireData(name(), "mnist:FOLDER/train");
    List<Run> runs = new ArrayList<>();
    for (Case one : CASES) {
      for (int seed = 1; seed <= settings.seeds(); seed++) {
        runs.add(run(one, source, seed, settings));
      }
    }
    return runs;
  }

  private Run run(Case one, DataSource source, int seed, Settings settings) throws IOException {
    Examples chosen =
        source.load(examples, Targets.ONE_HOT, new RandomStream(seed).split(Seeds.EXAMPLES));
    DataSet data = chosen.toDataSet(DataType.FLOAT);
    MultiLayerConfiguration configuration =
        new DenseNetwork(hidden, Activation.RELU, LossFunction.MSE, DataType.FLOAT)
            .configuration(chosen.inputWidth(), chosen.outputs(), new Sgd(one.rate()), seed);
    if (one.uniform()) {
      Cifar.withUniformWeights(configuration);
    }
    int steps = settings.steps(one.steps());
    return new NetworkRun(
        String.format(Locale.ROOT, "eta%s-seed%d", one.rate(), seed),
        Descent.labels(TASK + (one.uniform() ? UNIFORM : ""), one.rate(), 1, seed),
        configuration,
        data,
        Cifar.first(data, PROBE),
        new Plan(
            SgdStep.of(one.rate(), examples),
            steps,
            Tier.ECONOMY,
            Schedule.everyIterations(Math.max(1, steps / one.checkpoints())),
            0,
            true,
            SMALL_LOSS,
            seed));
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<Descent> runs = Descent.of(results);
    List<List<String>> rows = new ArrayList<>();
    List<String> sentences = new ArrayList<>();
    for (Map.Entry<Double, List<Descent>> entry : Descent.byRate(runs).entrySet()) {
      List<Descent> some = entry.getValue();
      List<Descent> solved = some.stream().filter(Fashion::isSolved).toList();
      rows.add(row(entry.getKey(), some, solved.size()));
      sentences.add(
          String.format(
              Locale.ROOT,
              "η = %s: %d of %d runs got to a loss of %s; the Hessian's sharpness at the end was %s,"
                  + " published %s, 2/η = %s.",
              Descent.brief(entry.getKey()),
              solved.size(),
              some.size(),
              Descent.brief(SMALL_LOSS),
              Table.cell(Descent.mean(some, run -> last(run, "hessian"))),
              published(entry.getKey()),
              Descent.brief(2 / entry.getKey())));
    }
    Table table =
        new Table(
            "fashion",
            "Sharpness at the end of gradient descent, mean over seeds ± standard error",
            List.of("η", "2/η", "solved", "steps", "loss", "Hessian", "of G", "published"),
            rows);
    List<Picture> pictures = new ArrayList<>();
    pictures.add(Descent.picture("fashion", TASK, runs));
    List<Descent> flow = flow(runs);
    if (!flow.isEmpty()) {
      pictures.add(alongTheFlow(flow));
    }
    return new Findings(sentences, List.of(table, overTime(flow)), pictures);
  }

  /** The runs at the smallest rates, where steps times rate is the time of the gradient flow. */
  private static List<Descent> flow(List<Descent> runs) {
    return runs.stream().filter(run -> run.rate() < SMALL_RATE).toList();
  }

  private static double[] times(Descent run) {
    return DoubleStream.of(run.run().curve("iteration")).map(t -> run.rate() * (t + 1)).toArray();
  }

  private static String weights(Descent run) {
    return run.task().endsWith(UNIFORM) ? "uniform" : "Xavier";
  }

  /** A curve for each run over the time, and over the loss, that sharpness goes with. */
  private static Picture alongTheFlow(List<Descent> runs) {
    Map<String, Double> published = Map.of("published, 53.5", PUBLISHED_AT_SMALL_RATES);
    List<Curve> overTime = new ArrayList<>();
    List<Curve> overLoss = new ArrayList<>();
    Map<String, Integer> colours = new LinkedHashMap<>();
    for (Descent run : runs) {
      String kind = weights(run) + " weights, η = " + Descent.brief(run.rate());
      boolean isFirst = !colours.containsKey(kind);
      int colour = colours.computeIfAbsent(kind, key -> colours.size());
      String name = isFirst ? kind : "";
      double[] sharpness = run.curvature("hessian");
      overTime.addAll(Curve.lineAndDots(name, times(run), sharpness, colour));
      overLoss.addAll(Curve.lineAndDots(name, run.run().curve("probeLoss"), sharpness, colour));
    }
    return new Picture(
        "fashion-flow",
        "Sharpness along the gradient flow, a curve for each run",
        List.of(
            new Panel(TASK, "η·steps", "sharpness", Axes.LINEAR, published, overTime),
            new Panel("", "loss of the probe", "sharpness", Axes.LOG_X, published, overLoss)));
  }

  private static Table overTime(List<Descent> flow) {
    List<List<String>> rows = new ArrayList<>();
    for (Descent run : flow) {
      double[] times = times(run);
      for (int i = 0; i < times.length; i++) {
        rows.add(
            List.of(
                Descent.brief(run.rate()),
                weights(run),
                run.run().setting("seed"),
                Descent.brief(times[i]),
                Table.cell(run.run().curve("probeLoss")[i]),
                Table.cell(run.curvature("hessian")[i]),
                Table.cell(run.curvature("gaussNewton")[i])));
      }
    }
    return new Table(
        "fashion-time",
        "Along the gradient flow; the loss is that of the probe",
        List.of("η", "weights", "seed", "η·steps", "loss", "Hessian", "of G"),
        rows);
  }

  private static List<String> row(double rate, List<Descent> runs, int solved) {
    return List.of(
        Descent.brief(rate),
        Descent.brief(2 / rate),
        solved + " of " + runs.size(),
        Descent.steps(runs),
        Table.cell(Descent.mean(runs, Descent::loss)),
        Table.cell(Descent.mean(runs, run -> last(run, "hessian"))),
        Table.cell(Descent.mean(runs, run -> last(run, "gaussNewton"))),
        published(rate));
  }

  private static boolean isSolved(Descent run) {
    return run.loss() <= SMALL_LOSS;
  }

  private static double last(Descent run, String curve) {
    double[] values = run.curvature(curve);
    return values.length == 0 ? Double.NaN : values[values.length - 1];
  }

  private static String published(double rate) {
    return CASES.stream()
        .filter(one -> one.rate() == rate)
        .map(Case::published)
        .findFirst()
        .orElse("–");
  }
}
