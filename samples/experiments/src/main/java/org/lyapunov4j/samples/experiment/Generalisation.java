// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.hipparchus.stat.correlation.SpearmansCorrelation;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.experiment.Picture.Stroke;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Does a solution that is further from its edge, or flatter, do better on examples it has not seen?
 * Learning rates and mini-batch sizes lead from one set of initial weights to several solutions of
 * one training loss; within a seed, which also draws the training set, they are ranked by what is
 * known of their stability and by how they do on the test set.
 */
final class Generalisation implements Experiment {
  private static final int TRAINING = 100;
  private static final double ENOUGH = 0.01;
  private static final int MOST_STEPS = 10_000;
  private static final List<Integer> BATCH_SIZES = List.of(1, 4, 16, TRAINING);
  private static final double[] FACTORS = {1, 2, 4};

  /** A correlation of fewer solutions says nothing. */
  private static final int FEWEST = 5;

  private final int most;

  Generalisation() {
    this(Integer.MAX_VALUE);
  }

  /** With at most so many examples in all. */
  Generalisation(int most) {
    this.most = most;
  }

  @Override
  public String name() {
    return "generalisation";
  }

  @Override
  public String question() {
    return "Do solutions further from their edge generalise better? (Chemnitz and Engel)";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.data().orElse(DataSource.parse("digits"));
    boolean digits = source instanceof DataSource.Digits;
    int count = Math.min(most, digits ? 1797 : 1000);
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      Examples examples =
          source.load(count, Targets.ONE_HOT, new RandomStream(seed).split(Seeds.EXAMPLES));
      DataSet all = examples.toDataSet(DataType.DOUBLE);
      DataSet train = (DataSet) all.getRange(0, TRAINING);
      DataSet test = (DataSet) all.getRange(TRAINING, count);
      for (int batch : BATCH_SIZES) {
        for (double factor : FACTORS) {
          double rate = factor * smallestRate(batch, digits);
          runs.add(
              new Solution(
                  source.toString(),
                  train,
                  test,
                  rate,
                  batch,
                  seed,
                  ENOUGH,
                  settings.steps(MOST_STEPS)));
        }
      }
    }
    return runs;
  }

  /** So that four times as much is near the edge of this batch size. */
  private static double smallestRate(int batch, boolean digits) {
    double rate = batch == 1 ? 0.08 : batch == 4 ? 0.2 : 0.3;
    return digits ? rate : rate / 8;
  }

  /** What solutions are ranked by. */
  private enum Predictor {
    SHARPNESS("sharpness"),
    EDGE("η/η_c"),
    MEAN_SQUARE("η/η_ms"),
    LAMBDA("λ"),
    RATE("η"),
    BATCH("B"),
    STEPS("steps");

    final String label;

    Predictor(String label) {
      this.label = label;
    }

    double of(RunResult run) {
      return switch (this) {
        case SHARPNESS -> run.value("sharpness");
        case EDGE -> run.value("edgeRatio");
        case MEAN_SQUARE -> run.value("meanSquareEdgeRatio");
        case LAMBDA -> run.value("lambda");
        case RATE -> RateAndBatch.of(run).rate();
        case BATCH -> RateAndBatch.of(run).batchSize();
        case STEPS -> run.value("steps");
      };
    }

    /** Whether it is a measure of stability; the others are known without one. */
    boolean isMeasured() {
      return switch (this) {
        case SHARPNESS, EDGE, MEAN_SQUARE, LAMBDA -> true;
        case RATE, BATCH, STEPS -> false;
      };
    }
  }

  /** How solutions do on the test set. */
  private enum Outcome {
    LOSS("test loss", "testLoss"),
    ACCURACY("test accuracy", "accuracy");

    final String label;
    final String value;

    Outcome(String label, String value) {
      this.label = label;
      this.value = value;
    }
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<RunResult> solved = results.stream().filter(run -> run.value("reached") > 0).toList();
    List<Group<String>> seeds =
        Group.of(solved, run -> run.setting("seed"), Comparator.comparingInt(Integer::parseInt));
    List<String> sentences = new ArrayList<>();
    sentences.add(
        String.format(
            Locale.ROOT,
            "%d of %d runs came to the training loss; %d diverged. λ was negative in %d, positive in"
                + " %d.",
            solved.size(),
            results.size(),
            results.stream().filter(RunResult::diverged).count(),
            solved.stream().filter(run -> run.value("lambdaSign") < 0).count(),
            solved.stream().filter(run -> run.value("lambdaSign") > 0).count()));
    for (Outcome outcome : Outcome.values()) {
      sentences.add(verdict(outcome, seeds));
    }
    return new Findings(
        sentences, List.of(correlations(seeds), settings(results)), List.of(picture(seeds)));
  }

  /** Spearman's ρ over the solutions of each seed. */
  private static Mean correlation(Predictor predictor, Outcome outcome, List<Group<String>> seeds) {
    return Mean.of(
        seeds.stream()
            .map(
                seed ->
                    seed.runs().stream().filter(run -> Double.isFinite(predictor.of(run))).toList())
            .filter(runs -> runs.size() >= FEWEST)
            .mapToDouble(
                runs ->
                    new SpearmansCorrelation()
                        .correlation(
                            runs.stream().mapToDouble(predictor::of).toArray(),
                            runs.stream().mapToDouble(run -> run.value(outcome.value)).toArray())));
  }

  private static String verdict(Outcome outcome, List<Group<String>> seeds) {
    List<String> found = new ArrayList<>();
    List<String> open = new ArrayList<>();
    for (Predictor predictor : Predictor.values()) {
      Mean mean = correlation(predictor, outcome, seeds);
      if (mean.count() < 2) {
        continue;
      }
      boolean excludesZero = Math.abs(mean.value()) > mean.halfWidth();
      (excludesZero ? found : open).add(predictor.label + " " + interval(mean));
    }
    return String.format(
        "Spearman's ρ with the %s, mean over seeds with its 95 %% interval: without 0 for %s; with 0"
            + " for %s.",
        outcome.label,
        found.isEmpty() ? "nothing" : String.join(", ", found),
        open.isEmpty() ? "nothing" : String.join(", ", open));
  }

  private static String interval(Mean mean) {
    return String.format(
        Locale.ROOT,
        "%.2f [%.2f, %.2f]",
        mean.value(),
        mean.value() - mean.halfWidth(),
        mean.value() + mean.halfWidth());
  }

  private static Table correlations(List<Group<String>> seeds) {
    List<List<String>> rows = new ArrayList<>();
    for (Predictor predictor : Predictor.values()) {
      List<String> row = new ArrayList<>(List.of(predictor.label));
      for (Outcome outcome : Outcome.values()) {
        row.add(interval(correlation(predictor, outcome, seeds)));
      }
      row.add(String.valueOf(correlation(predictor, Outcome.LOSS, seeds).count()));
      rows.add(row);
    }
    return new Table(
        "generalisation",
        "Spearman's ρ over the solutions of a seed, mean over seeds with its 95 % interval",
        List.of("ranked by", "test loss", "test accuracy", "seeds"),
        rows);
  }

  private static Table settings(List<RunResult> results) {
    List<List<String>> rows = new ArrayList<>();
    for (Group<RateAndBatch> group : Group.of(results, RateAndBatch::of, RateAndBatch.ORDER)) {
      List<RunResult> solved =
          group.runs().stream().filter(run -> run.value("reached") > 0).toList();
      List<String> row =
          new ArrayList<>(
              List.of(
                  String.valueOf(group.setting().rate()),
                  String.valueOf(group.setting().batchSize()),
                  solved.size() + " of " + group.runs().size()));
      for (String value :
          List.of(
              "steps",
              "sharpness",
              "edgeRatio",
              "meanSquareEdgeRatio",
              "lambda",
              "testLoss",
              "accuracy")) {
        row.add(Table.cell(Mean.of(solved.stream().mapToDouble(run -> run.value(value)))));
      }
      rows.add(row);
    }
    return new Table(
        "generalisation-settings",
        "Solutions of each setting, mean over seeds ± standard error",
        List.of(
            "η",
            "B",
            "solved",
            "steps",
            "sharpness",
            "η/η_c",
            "η/η_ms",
            "λ",
            "test loss",
            "test accuracy"),
        rows);
  }

  private static Picture picture(List<Group<String>> seeds) {
    List<Panel> panels = new ArrayList<>();
    for (Predictor predictor : Predictor.values()) {
      if (predictor.isMeasured()) {
        panels.add(panel(predictor, seeds));
      }
    }
    return new Picture(
        "generalisation",
        "Test loss over the mean test loss of the seed, a point for every solution",
        panels);
  }

  private static Panel panel(Predictor predictor, List<Group<String>> seeds) {
    if (predictor != Predictor.LAMBDA) {
      return panel(predictor.label, Axes.LINEAR, seeds, predictor::of);
    }
    // λ of the slow branch spans orders of magnitude, with that of the unstable one many more.
    List<RunResult> all = seeds.stream().flatMap(seed -> seed.runs().stream()).toList();
    long unstable = all.stream().filter(run -> run.value("lambda") > 0).count();
    String hidden =
        unstable == 0 ? "" : "; not shown: %d of %d with λ > 0".formatted(unstable, all.size());
    return panel("−λ, nats per step" + hidden, Axes.LOG_X, seeds, Generalisation::decay);
  }

  /** −λ; NaN where λ is positive. */
  private static double decay(RunResult run) {
    double exponent = run.value("lambda");
    return exponent > 0 ? Double.NaN : -exponent;
  }

  private static Panel panel(
      String x, Axes axes, List<Group<String>> seeds, ToDoubleFunction<RunResult> abscissa) {
    List<Curve> curves = new ArrayList<>();
    for (int batch : BATCH_SIZES) {
      List<double[]> points = new ArrayList<>();
      for (Group<String> seed : seeds) {
        double mean =
            Mean.of(seed.runs().stream().mapToDouble(run -> run.value("testLoss"))).value();
        for (RunResult run : seed.runs()) {
          if (RateAndBatch.of(run).batchSize() == batch) {
            points.add(new double[] {abscissa.applyAsDouble(run), run.value("testLoss") / mean});
          }
        }
      }
      curves.add(
          new Curve(
              "B = " + batch,
              points.stream().mapToDouble(point -> point[0]).toArray(),
              points.stream().mapToDouble(point -> point[1]).toArray(),
              curves.size(),
              Stroke.DOTS));
    }
    return new Panel("", x, "test loss / mean of the seed", axes, Map.of(), curves);
  }
}
