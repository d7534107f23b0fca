// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toList;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.samples.train.MiniBatches;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.MeanSquareReport;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Does the verdict on a learning rate foretell? Where the loss has come down to a share of what it
 * was, far from a minimum and close to one, η_c is computed, and training goes on from there four
 * times, at 0.5, 0.9, 1.1 and 2 times η_c. Below η_c it is foretold that the loss of all examples
 * does not rise to ten times what it was, and above that it does.
 */
final class Prediction implements Experiment {
  private static final int EXAMPLES = 40;
  private static final int MOST_STEPS = 15_000;
  private static final int CONTINUATION = 3000;
  private static final int LOOKS = 200;
  private static final double RISE = 10;
  private static final double[] SHARES = {0.3, 0.01, 1e-4};
  private static final double[] FACTORS = {0.5, 0.9, 1.1, 2};

  @Override
  public String name() {
    return "prediction";
  }

  @Override
  public String question() {
    return "Does the verdict at a checkpoint foretell what training at another rate will do?";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.data().orElse(DataSource.parse("digits"));
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      for (Targets targets : List.of(Targets.SCALAR, Targets.ONE_HOT)) {
        Examples examples =
            source.load(EXAMPLES, targets, new RandomStream(seed).split(Seeds.EXAMPLES));
        DataSet data = examples.toDataSet(DataType.DOUBLE);
        for (int batch : new int[] {1, 4, 16, EXAMPLES}) {
          double rate = targets == Targets.SCALAR ? 0.05 : 0.25;
          runs.add(
              new Forks(
                  source.toString(),
                  data,
                  batch,
                  rate,
                  seed,
                  settings.steps(MOST_STEPS),
                  settings.steps(CONTINUATION)));
        }
      }
    }
    return runs;
  }

  /** One training run with its continuations. */
  private record Forks(
      String source, DataSet data, int batchSize, double rate, long seed, int mostSteps, int steps)
      implements Run {
    private int outputs() {
      return (int) data.getLabels().size(1);
    }

    @Override
    public String id() {
      return String.format("K%d-B%d-seed%d", outputs(), batchSize, seed);
    }

    @Override
    public Map<String, String> settings() {
      Map<String, String> settings = new TreeMap<>();
      settings.put("data", source + ", " + EXAMPLES + " examples");
      settings.put("outputs", String.valueOf(outputs()));
      settings.put("batch size", String.valueOf(batchSize));
      settings.put("learning rate before", String.valueOf(rate));
      settings.put("seed", String.valueOf(seed));
      settings.put("most steps before", String.valueOf(mostSteps));
      settings.put("steps after", String.valueOf(steps));
      settings.put("exponent", CheckpointSeries.EXPONENT);
      settings.put("measured after", "Λ(2), highest and last loss, η_c");
      return settings;
    }

    @Override
    public Measurements execute(Path record, Path state, BooleanSupplier stop) {
      MultiLayerNetwork network = network(rate);
      RandomStream random = new RandomStream(seed).split(Seeds.CONTINUATION);
      MiniBatches batches = new MiniBatches(data, SgdStep.of(rate, batchSize), random.split(0));
      double first = network.score(data);
      Map<String, List<Double>> series = new TreeMap<>();
      int next = 0;
      for (int t = 1; t <= mostSteps && next < SHARES.length && !stop.getAsBoolean(); t++) {
        network.fit(batches.next());
        if (network.score(data) <= SHARES[next] * first) {
          fork(network, SHARES[next], t, random.split(1 + next), series, stop);
          next++;
        }
      }
      Map<String, double[]> curves = new TreeMap<>();
      series.forEach(
          (name, values) ->
              curves.put(name, values.stream().mapToDouble(Double::doubleValue).toArray()));
      return new Measurements(Map.of("levels", (double) next, "first", first), curves);
    }

    /** Not a clone with another rate: clones share their updaters, and with them the rate. */
    private MultiLayerNetwork network(double learningRate) {
      return DenseNetwork.initialised(
          new DenseNetwork(List.of(64, 64), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
              .configuration(
                  (int) data.getFeatures().size(1), outputs(), new Sgd(learningRate), seed));
    }

    private void fork(
        MultiLayerNetwork network,
        double share,
        int iteration,
        RandomStream random,
        Map<String, List<Double>> series,
        BooleanSupplier stop) {
      double critical = criticalRate(network);
      if (Double.isNaN(critical)) {
        return; // nothing is foretold
      }
      for (double factor : FACTORS) {
        MultiLayerNetwork fork = network(factor * critical);
        fork.setParams(network.params());
        StabilityReport before = analyse(fork);
        double start = network.score(data);
        double[] losses =
            losses(fork, new MiniBatches(data, SgdStep.of(1, batchSize), random.split(0)), stop);
        double end = losses[losses.length - 1];
        add(series, "share", share);
        add(series, "iteration", iteration);
        add(series, "criticalRate", critical);
        add(series, "factor", factor);
        add(series, "lambda", before.exponent().point().orElse(Double.NaN));
        add(series, "lambdaSign", CheckpointSeries.sign(before.exponent()));
        add(
            series,
            "meanSquare",
            before.meanSquare().map(MeanSquareReport::exponent).orElse(Double.NaN));
        add(series, "start", start);
        add(series, "rise", firstRise(losses, start));
        add(series, "highest", DoubleStream.of(losses).max().orElseThrow());
        add(series, "end", end);
        add(
            series,
            "criticalRateAfter",
            Double.isFinite(end) && !stop.getAsBoolean() ? criticalRate(fork) : Double.NaN);
      }
    }

    /** η_c; NaN if there is none. */
    private double criticalRate(MultiLayerNetwork network) {
      return analyse(network)
          .criticalLearningRate()
          .map(CriticalLearningRate::value)
          .orElse(Double.NaN);
    }

    private StabilityReport analyse(MultiLayerNetwork network) {
      AnalysisSettings settings =
          AnalysisSettings.standard()
              .withSeed(seed)
              .withBatchSize(batchSize)
              .withComparison(SizeComparison.NONE);
      return StabilityAnalysis.of(network, data, settings).run().stability();
    }

    /** The losses of all examples, at equal distances; infinite once they are not finite. */
    private double[] losses(MultiLayerNetwork fork, MiniBatches batches, BooleanSupplier stop) {
      double[] losses = new double[LOOKS];
      Arrays.fill(losses, Double.POSITIVE_INFINITY);
      for (int look = 0; look < LOOKS && !stop.getAsBoolean(); look++) {
        for (int t = 0; t < stepsOfALook(); t++) {
          fork.fit(batches.next());
        }
        double loss = fork.score(data);
        if (!Double.isFinite(loss)) {
          return losses;
        }
        losses[look] = loss;
      }
      return losses;
    }

    private int stepsOfALook() {
      return Math.max(1, steps / LOOKS);
    }

    /** The steps until the loss was first seen to have risen; NaN if it was not. */
    private double firstRise(double[] losses, double start) {
      return IntStream.range(0, losses.length)
          .filter(look -> losses[look] > RISE * start)
          .mapToDouble(look -> (look + 1) * (double) stepsOfALook())
          .findFirst()
          .orElse(Double.NaN);
    }

    private static void add(Map<String, List<Double>> series, String name, double value) {
      series.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
    }
  }

  /**
   * One continuation.
   *
   * @param share of the first loss where it began
   * @param meanSquare Λ(2)
   * @param first loss of the untrained network
   * @param flattening η_c at its end as a multiple of η_c where it began
   */
  private record Fork(
      int outputs,
      int batchSize,
      double share,
      double factor,
      double lambdaSign,
      double meanSquare,
      double first,
      double start,
      double highest,
      double end,
      double flattening) {
    static List<Fork> of(RunResult run) {
      return IntStream.range(0, run.curve("factor").length).mapToObj(i -> of(run, i)).toList();
    }

    private static Fork of(RunResult run, int i) {
      return new Fork(
          Integer.parseInt(run.setting("outputs")),
          Integer.parseInt(run.setting("batch size")),
          run.curve("share")[i],
          run.curve("factor")[i],
          run.curve("lambdaSign")[i],
          run.curve("meanSquare")[i],
          run.value("first"),
          run.curve("start")[i],
          run.curve("highest")[i],
          run.curve("end")[i],
          run.curve("criticalRateAfter")[i] / run.curve("criticalRate")[i]);
    }

    boolean rose() {
      return highest > RISE * start;
    }

    boolean agrees() {
      return rose() == factor > 1;
    }
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<Fork> forks = results.stream().flatMap(run -> Fork.of(run).stream()).toList();
    List<String> sentences = new ArrayList<>();
    sentences.add(
        String.format(
            "%d continuations of %d runs: foretold were %d.",
            forks.size(), results.size(), count(forks, Fork::agrees)));
    for (double share : SHARES) {
      List<Fork> some = forks.stream().filter(fork -> fork.share() == share).toList();
      sentences.add(
          String.format(
              "From %s of the first loss: at %s η_c the loss rose tenfold in %s.",
              Descent.brief(share),
              DoubleStream.of(FACTORS).mapToObj(String::valueOf).collect(joining(" / ")),
              String.join(" / ", rose(some))));
    }
    List<Panel> panels = new ArrayList<>();
    for (int outputs : forks.stream().mapToInt(Fork::outputs).distinct().sorted().toArray()) {
      panels.add(panel(outputs, forks.stream().filter(f -> f.outputs() == outputs).toList()));
    }
    return new Findings(
        sentences,
        List.of(table(forks), batchSizes(forks)),
        List.of(
            new Picture(
                "prediction", "Share of the continuations whose loss rose tenfold", panels)));
  }

  private static long count(List<Fork> forks, Predicate<Fork> condition) {
    return forks.stream().filter(condition).count();
  }

  /** The continuations of each factor. */
  private static List<List<Fork>> byFactor(List<Fork> forks) {
    return DoubleStream.of(FACTORS)
        .mapToObj(factor -> forks.stream().filter(fork -> fork.factor() == factor).toList())
        .toList();
  }

  /** For each factor, in how many continuations the loss rose. */
  private static List<String> rose(List<Fork> forks) {
    return byFactor(forks).stream()
        .map(some -> count(some, Fork::rose) + " of " + some.size())
        .toList();
  }

  /** What continuations have in common; far from a minimum first. */
  private record Place(int outputs, int batchSize, double share, double factor) {
    static final Comparator<Place> ORDER =
        Comparator.comparingInt(Place::outputs)
            .thenComparingInt(Place::batchSize)
            .thenComparing(Place::share, Comparator.reverseOrder())
            .thenComparingDouble(Place::factor);
  }

  private static Map<Place, List<Fork>> by(Function<Fork, Place> place, List<Fork> forks) {
    return forks.stream().collect(groupingBy(place, () -> new TreeMap<>(Place.ORDER), toList()));
  }

  /** All mini-batch sizes together. */
  private static Table table(List<Fork> forks) {
    List<List<String>> rows = new ArrayList<>();
    by(fork -> new Place(fork.outputs(), 0, fork.share(), fork.factor()), forks)
        .forEach(
            (place, some) ->
                rows.add(
                    List.of(
                        String.valueOf(place.outputs()),
                        Descent.brief(place.share()),
                        String.valueOf(place.factor()),
                        String.valueOf(some.size()),
                        String.valueOf(count(some, fork -> fork.lambdaSign() > 0)),
                        String.valueOf(count(some, fork -> fork.meanSquare() > 0)),
                        String.valueOf(count(some, Fork::rose)),
                        String.valueOf(count(some, fork -> fork.highest() > 2 * fork.start())),
                        String.valueOf(count(some, fork -> fork.highest() > fork.first())),
                        String.valueOf(count(some, fork -> fork.end() < fork.start())),
                        Table.cell(Mean.of(some.stream().mapToDouble(Fork::flattening))))));
    return new Table(
        "prediction",
        "Continuations from where the loss was this share of the first loss; η_c at the end as a"
            + " multiple of η_c at the checkpoint, mean ± standard error where the loss was finite",
        List.of(
            "K",
            "loss / first loss",
            "η/η_c",
            "runs",
            "λ > 0",
            "Λ(2) > 0",
            "rose tenfold",
            "twofold",
            "beyond the first loss",
            "ended lower",
            "η_c at the end"),
        rows);
  }

  private static Table batchSizes(List<Fork> forks) {
    List<List<String>> rows = new ArrayList<>();
    by(fork -> new Place(fork.outputs(), fork.batchSize(), fork.share(), 0), forks)
        .forEach(
            (place, some) -> {
              List<String> row =
                  new ArrayList<>(
                      List.of(
                          String.valueOf(place.outputs()),
                          String.valueOf(place.batchSize()),
                          Descent.brief(place.share())));
              row.addAll(rose(some));
              row.add(count(some, Fork::agrees) + " of " + some.size());
              rows.add(row);
            });
    List<String> header = new ArrayList<>(List.of("K", "B", "loss / first loss"));
    for (double factor : FACTORS) {
      header.add(factor + " η_c");
    }
    header.add("foretold");
    return new Table("prediction-B", "Continuations whose loss rose tenfold", header, rows);
  }

  private static Panel panel(int outputs, List<Fork> forks) {
    List<Curve> curves = new ArrayList<>();
    for (int s = 0; s < SHARES.length; s++) {
      double share = SHARES[s];
      double[] rose =
          byFactor(forks.stream().filter(fork -> fork.share() == share).toList()).stream()
              .mapToDouble(some -> (double) count(some, Fork::rose) / some.size())
              .toArray();
      curves.addAll(
          Curve.lineAndDots(
              "from " + Descent.brief(share) + " of the first loss", FACTORS, rose, s));
    }
    return new Panel(
        outputs + (outputs == 1 ? " output" : " outputs"),
        "η/η_c",
        "share whose loss rose tenfold",
        Axes.LINEAR,
        Map.of(),
        curves);
  }
}
