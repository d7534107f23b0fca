// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.DoublePredicate;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.experiment.Picture.Stroke;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeFinder;
import org.lyapunov4j.stability.MeanSquareStability;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The one-dimensional example of L. Wu, C. Ma, W. E, NeurIPS 2018, in which everything is known: f₁
 * = min{x², 0.1(x − 1)²}, f₂ = min{x², 1.9(x − 1)²}, one of the two at each step. Both minima fit;
 * at x = 1 the curvatures are 0.2 and 3.8, so the Gram matrix is 2 × 2 and of rank one.
 *
 * <p>Beside what the library computes from that matrix, SGD itself is run from x = 1 + 1e-5.
 */
final class Toy implements Experiment {
  private static final double[] HALF_CURVATURES = {0.1, 1.9};
  private static final double START = 1 + 1e-5;
  private static final int TRAJECTORIES = 1000;
  private static final int STEPS = 5000;
  private static final int FEW_STEPS = 500;
  private static final int EPOCHS = 1 << 17;

  /** The learning rates of the table, and more for the picture. */
  private static final List<Double> TABLE = List.of(0.3, 0.55, 0.556, 0.6, 0.7);

  private static final List<Double> RATES =
      DoubleStream.concat(
              TABLE.stream().mapToDouble(Double::doubleValue),
              DoubleStream.of(0.45, 0.53, 0.54, 0.558, 0.561, 0.565, 0.57, 0.58, 0.64, 0.8, 0.9))
          .sorted()
          .boxed()
          .toList();

  @Override
  public String name() {
    return "toy";
  }

  @Override
  public String question() {
    return "Does SGD leave a minimum exactly where λ > 0? One dimension (Wu, Ma and E 2018)";
  }

  @Override
  public List<Run> runs(Settings settings) {
    settings.requireNoData(name());
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      runs.add(new Thresholds(seed));
      for (double rate : RATES) {
        runs.add(new AtRate(rate, seed, settings.steps(TRAJECTORIES)));
      }
    }
    return runs;
  }

  private static GramMatrix gram() {
    double[] jacobian = {Math.sqrt(2 * HALF_CURVATURES[0]), Math.sqrt(2 * HALF_CURVATURES[1])};
    double[][] entries = new double[2][2];
    for (int i = 0; i < 2; i++) {
      for (int j = 0; j < 2; j++) {
        entries[i][j] = jacobian[i] * jacobian[j];
      }
    }
    return GramMatrix.of(entries, 2, 1);
  }

  /** f_i′, of the branch that is lower. */
  private static double derivative(int i, double x) {
    double toOne = x - 1;
    return x * x < HALF_CURVATURES[i] * toOne * toOne ? 2 * x : 2 * HALF_CURVATURES[i] * toOne;
  }

  private static boolean isAtZero(double x) {
    return Math.abs(x) < 1e-3;
  }

  private static boolean isAtOne(double x) {
    return Math.abs(x - 1) < 1e-3;
  }

  /** Where λ and the second moment change sign. */
  private record Thresholds(long seed) implements Run {
    @Override
    public String id() {
      return "thresholds-seed" + seed;
    }

    @Override
    public Map<String, String> settings() {
      return Map.of(
          "seed",
          String.valueOf(seed),
          "epochs",
          String.valueOf(EPOCHS),
          "exponent",
          CheckpointSeries.EXPONENT);
    }

    @Override
    public Measurements execute(Path record, Path state, BooleanSupplier stop) {
      GramMatrix gram = gram();
      SgdStep step = SgdStep.of(0.5, 1);
      CriticalLearningRate critical =
          EdgeFinder.builder()
              .seed(seed)
              .threads(1)
              .maxEpochs(EPOCHS)
              .tolerance(0.001)
              .cancelled(stop)
              .build()
              .criticalLearningRate(gram, step);
      GramSpectrum spectrum = GramSpectrum.of(gram);
      return new Measurements(
          Map.of(
              "critical",
              critical.value(),
              "criticalLow",
              critical.low(),
              "criticalHigh",
              critical.high(),
              "meanSquare",
              MeanSquareStability.of(spectrum).criticalLearningRate(step).value(),
              "gradientDescent",
              FullBatchExponent.criticalLearningRate(spectrum.largest() / 2, step)),
          Map.of());
    }
  }

  /** The exponents at a learning rate, and what SGD really does. */
  private record AtRate(double rate, long seed, int trajectories) implements Run {
    @Override
    public String id() {
      return "eta" + rate + "-seed" + seed;
    }

    @Override
    public Map<String, String> settings() {
      return Map.of(
          "exponent",
          CheckpointSeries.EXPONENT,
          "learning rate",
          String.valueOf(rate),
          "seed",
          String.valueOf(seed),
          "trajectories",
          String.valueOf(trajectories),
          "steps",
          String.valueOf(STEPS),
          "epochs",
          String.valueOf(EPOCHS));
    }

    @Override
    public Measurements execute(Path record, Path state, BooleanSupplier stop) {
      Map<String, Double> found = new TreeMap<>();
      compute(found);
      simulate(found, stop);
      return new Measurements(found, Map.of());
    }

    private void compute(Map<String, Double> found) {
      GramMatrix gram = gram();
      SgdStep step = SgdStep.of(rate, 1);
      GramSpectrum spectrum = GramSpectrum.of(gram);
      MeanSquareStability meanSquare = MeanSquareStability.of(spectrum);
      found.put(
          "lambda",
          LyapunovEstimator.builder()
              .seed(seed)
              .threads(1)
              .maxEpochs(EPOCHS)
              .build()
              .estimate(gram, step)
              .point()
              .orElse(Double.NaN));
      found.put("meanSquare", meanSquare.exponent(step) / 2);
      found.put("index", meanSquare.index(step).value());
      found.put("gradientDescent", FullBatchExponent.of(spectrum, step));
    }

    private void simulate(Map<String, Double> found, BooleanSupplier stop) {
      RandomStream random = new RandomStream(seed).split(Seeds.CONTINUATION);
      int leftSoon = 0;
      int left = 0;
      int stayed = 0;
      for (int t = 0; t < trajectories && !stop.getAsBoolean(); t++) {
        RandomStream draws = random.split(t);
        double x = START;
        for (int n = 0; n < STEPS; n++) {
          x -= rate * derivative(draws.nextInt(2), x);
          leftSoon += n == FEW_STEPS - 1 && isAtZero(x) ? 1 : 0;
        }
        left += isAtZero(x) ? 1 : 0;
        stayed += isAtOne(x) ? 1 : 0;
      }
      found.put("leftSoon", (double) leftSoon);
      found.put("left", (double) left);
      found.put("stayed", (double) stayed);
      found.put("trajectories", (double) trajectories);
      found.put("descentLeft", descentLeaves() ? 1.0 : 0.0);
    }

    private boolean descentLeaves() {
      double x = START;
      for (int n = 0; n < STEPS; n++) {
        x -= rate * (derivative(0, x) + derivative(1, x)) / 2;
      }
      return !isAtOne(x);
    }
  }

  /** λ = E log|1 − ηh|. */
  static double exactExponent(double rate) {
    return mean(h -> Math.log(Math.abs(1 - rate * h)));
  }

  /** ½ log E(1 − ηh)². */
  static double exactMeanSquare(double rate) {
    return Math.log(mean(h -> (1 - rate * h) * (1 - rate * h))) / 2;
  }

  /** log|1 − η E h|. */
  static double exactGradientDescent(double rate) {
    return Math.log(Math.abs(1 - rate * mean(h -> h)));
  }

  /** The zero of (1 − 0.2η)(3.8η − 1) = 1. */
  static double exactCriticalRate() {
    double a = 2 * HALF_CURVATURES[0];
    double b = 2 * HALF_CURVATURES[1];
    return (a + b - Math.sqrt((a + b) * (a + b) - 8 * a * b)) / (2 * a * b);
  }

  /** 2 E h / E h². */
  static double exactMeanSquareRate() {
    return 2 * mean(h -> h) / mean(h -> h * h);
  }

  private static double mean(DoubleUnaryOperator f) {
    return DoubleStream.of(HALF_CURVATURES)
        .map(a -> f.applyAsDouble(2 * a))
        .average()
        .orElseThrow();
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<RunResult> thresholds = results.stream().filter(r -> r.id().startsWith("thr")).toList();
    Map<Double, List<RunResult>> byRate = new TreeMap<>();
    for (RunResult result : results) {
      if (!thresholds.contains(result)) {
        byRate
            .computeIfAbsent(
                Double.valueOf(result.setting("learning rate")), rate -> new ArrayList<>())
            .add(result);
      }
    }
    List<Table> tables = new ArrayList<>();
    tables.add(thresholds(thresholds));
    tables.add(exponents(byRate));
    return new Findings(
        sentences(thresholds, byRate),
        tables,
        byRate.isEmpty() ? List.of() : List.of(picture(byRate)));
  }

  private static Mean mean(List<RunResult> results, String name) {
    return Mean.of(results.stream().mapToDouble(result -> result.value(name)));
  }

  private static int sum(List<RunResult> results, String name) {
    return (int) results.stream().mapToDouble(result -> result.value(name)).sum();
  }

  private static Table thresholds(List<RunResult> results) {
    List<List<String>> rows =
        List.of(
            threshold("λ = 0", mean(results, "critical"), exactCriticalRate()),
            threshold("Λ(2) = 0", mean(results, "meanSquare"), exactMeanSquareRate()),
            threshold("μ = 0, gradient descent", mean(results, "gradientDescent"), 1));
    return new Table(
        "toy-thresholds", "Learning rates of the edge", List.of("edge", "computed", "exact"), rows);
  }

  private static List<String> threshold(String name, Mean computed, double exact) {
    return List.of(name, exactly(computed), digits(exact));
  }

  private static String exactly(Mean mean) {
    return mean.count() < 2 || mean.error() < 1e-12
        ? digits(mean.value())
        : String.format(Locale.ROOT, "%.6f ± %.6f", mean.value(), mean.error());
  }

  private static String digits(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%.6f", value);
  }

  private static Table exponents(Map<Double, List<RunResult>> byRate) {
    List<List<String>> rows = new ArrayList<>();
    byRate.forEach(
        (rate, results) -> {
          int trajectories = sum(results, "trajectories");
          rows.add(
              List.of(
                  String.valueOf(rate),
                  exactly(mean(results, "lambda")),
                  digits(exactExponent(rate)),
                  exactly(mean(results, "meanSquare")),
                  digits(exactMeanSquare(rate)),
                  exactly(mean(results, "gradientDescent")),
                  digits(exactGradientDescent(rate)),
                  sum(results, "leftSoon") + " of " + trajectories,
                  sum(results, "left") + " of " + trajectories,
                  sum(results, "descentLeft") > 0 ? "leaves" : "stays"));
        });
    return new Table(
        "toy",
        "Exponents at x = 1, and where training from x = 1 + 1e-5 goes",
        List.of(
            "η",
            "λ",
            "exact",
            "Λ(2)/2",
            "exact",
            "μ",
            "exact",
            "at 0 after " + FEW_STEPS + " steps",
            "after " + STEPS,
            "gradient descent"),
        rows);
  }

  private static List<String> sentences(
      List<RunResult> thresholds, Map<Double, List<RunResult>> byRate) {
    List<String> sentences = new ArrayList<>();
    if (!thresholds.isEmpty()) {
      sentences.add(
          String.format(
              Locale.ROOT,
              "λ changes sign at η = %s (exact %s); the interval of the search held the exact value in"
                  + " %d of %d seeds.",
              exactly(mean(thresholds, "critical")),
              digits(exactCriticalRate()),
              thresholds.stream().filter(Toy::holdsTheExactValue).count(),
              thresholds.size()));
    }
    if (!byRate.isEmpty()) {
      double error =
          byRate.entrySet().stream()
              .mapToDouble(
                  e -> Math.abs(mean(e.getValue(), "lambda").value() - exactExponent(e.getKey())))
              .max()
              .orElseThrow();
      sentences.add(
          String.format(Locale.ROOT, "The largest error of λ over all rates is %.2g.", error));
      sentences.add(went("Where λ < 0", byRate, rate -> exactExponent(rate) < 0));
      sentences.add(went("Where λ > 0", byRate, rate -> exactExponent(rate) > 0));
      sentences.add(
          went(
              "Between the two edges, where Λ(2) > 0 > λ",
              byRate,
              rate -> exactExponent(rate) < 0 && exactMeanSquare(rate) > 0));
      sentences.add(
          String.format(
              Locale.ROOT,
              "Gradient descent left x = 1 at %d of %d rates.",
              byRate.values().stream().filter(r -> sum(r, "descentLeft") > 0).count(),
              byRate.size()));
    }
    return sentences;
  }

  private static boolean holdsTheExactValue(RunResult result) {
    return result.value("criticalLow") <= exactCriticalRate()
        && exactCriticalRate() <= result.value("criticalHigh");
  }

  private static String went(
      String where, Map<Double, List<RunResult>> byRate, DoublePredicate which) {
    List<RunResult> some =
        byRate.entrySet().stream()
            .filter(entry -> which.test(entry.getKey()))
            .flatMap(entry -> entry.getValue().stream())
            .toList();
    return String.format(
        "%s, %d of %d trajectories of SGD went to x = 0 and %d were at x = 1 after %d steps.",
        where, sum(some, "left"), sum(some, "trajectories"), sum(some, "stayed"), STEPS);
  }

  /** From η = 0.45 on. */
  private static Picture picture(Map<Double, List<RunResult>> all) {
    Map<Double, List<RunResult>> byRate = new TreeMap<>(all);
    byRate.keySet().removeIf(rate -> rate < 0.45);
    double[] fine = IntStream.rangeClosed(45, 90).mapToDouble(i -> i / 100.0).toArray();
    double[] rates = byRate.keySet().stream().mapToDouble(Double::doubleValue).toArray();
    List<Curve> curves = new ArrayList<>();
    Map<String, DoubleUnaryOperator> exact = new LinkedHashMap<>();
    exact.put("lambda", Toy::exactExponent);
    exact.put("meanSquare", Toy::exactMeanSquare);
    List<String> names = List.of("λ", "Λ(2)/2");
    exact.forEach(
        (name, f) -> {
          int colour = curves.size() / 2;
          double[] line = DoubleStream.of(fine).map(f).toArray();
          double[] dots = ordinates(byRate, results -> mean(results, name).value());
          curves.add(new Curve(names.get(colour), fine, line, colour, Stroke.LINE));
          curves.add(new Curve("", rates, dots, colour, Stroke.DOTS));
        });
    List<Curve> shares =
        List.of(
            share("after " + FEW_STEPS + " steps", rates, byRate, "leftSoon", 3),
            share("after " + STEPS + " steps", rates, byRate, "left", 4));
    return new Picture(
        "toy",
        "Exponents at x = 1, computed (dots) and exact (lines), and the share of SGD that went to x = 0",
        List.of(
            new Panel(
                "Exponents at x = 1: computed (dots), exact (lines)",
                "",
                "nats per step",
                Axes.LINEAR,
                Map.of("zero", 0.0),
                curves),
            new Panel(
                "Trajectories of SGD that went to x = 0",
                "learning rate η",
                "share",
                Axes.LINEAR,
                Map.of(),
                shares)));
  }

  private static Curve share(
      String name, double[] rates, Map<Double, List<RunResult>> byRate, String count, int colour) {
    double[] shares =
        ordinates(byRate, results -> sum(results, count) / (double) sum(results, "trajectories"));
    return new Curve(name, rates, shares, colour, Stroke.LINE);
  }

  private static double[] ordinates(
      Map<Double, List<RunResult>> byRate, ToDoubleFunction<List<RunResult>> value) {
    return byRate.values().stream().mapToDouble(value).toArray();
  }
}
