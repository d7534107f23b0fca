// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.samples.train.MiniBatches;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Does the verdict at a checkpoint foretell? Where the loss has come down to a share of what it
 * was, far from a minimum and close to one, η_c is computed, and training goes on from there four
 * times, at 0.5, 0.9, 1.1 and 2 times η_c. Stable is foretold below η_c and unstable above; it was
 * unstable if the loss of all examples rose to ten times what it was.
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
      return settings;
    }

    @Override
    public Measurements execute(Path record, BooleanSupplier stop) {
      MultiLayerNetwork network = network(rate);
      RandomStream random = new RandomStream(seed).split(Seeds.CONTINUATION);
      MiniBatches batches = new MiniBatches(data, SgdStep.of(rate, batchSize), random.split(0));
      double first = network.score(data);
      Map<String, List<Double>> series = new TreeMap<>();
      int next = 0;
      for (int t = 1; t <= mostSteps && next < SHARES.length && !stop.getAsBoolean(); t++) {
        network.fit(batches.next());
        if (t % 20 == 0 && network.score(data) <= SHARES[next] * first) {
          fork(network, SHARES[next], t, random.split(1 + next), series, stop);
          next++;
        }
      }
      Map<String, double[]> curves = new TreeMap<>();
      series.forEach(
          (name, values) ->
              curves.put(name, values.stream().mapToDouble(Double::doubleValue).toArray()));
      return new Measurements(Map.of("levels", (double) next), curves);
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
      Optional<CriticalLearningRate> found =
          analyse(network, Tier.STANDARD).stability().criticalLearningRate();
      if (found.isEmpty()) {
        return; // nothing is foretold
      }
      double critical = found.get().value();
      for (double factor : FACTORS) {
        MultiLayerNetwork fork = network(factor * critical);
        fork.setParams(network.params());
        double start = network.score(data);
        double lambda = analyse(fork, Tier.ECONOMY).stability().exponent().value();
        double[] losses =
            losses(fork, new MiniBatches(data, SgdStep.of(1, batchSize), random.split(0)), stop);
        add(series, "share", share);
        add(series, "iteration", iteration);
        add(series, "criticalRate", critical);
        add(series, "factor", factor);
        add(series, "lambda", lambda);
        add(series, "start", start);
        int end = firstRise(losses, start);
        add(series, "steps", (end + 1) * (double) stepsOfALook());
        add(series, "end", losses[end]);
      }
    }

    private Checkpoint analyse(MultiLayerNetwork network, Tier tier) {
      return StabilityAnalysis.of(network, data)
          .batchSize(batchSize)
          .tier(tier)
          .seed(seed)
          .compareProbeSizes(false)
          .run();
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

    /** The first look at a loss that rose, the last one if none did. */
    private static int firstRise(double[] losses, double start) {
      return IntStream.range(0, losses.length)
          .filter(look -> losses[look] > RISE * start)
          .findFirst()
          .orElse(losses.length - 1);
    }

    private static void add(Map<String, List<Double>> series, String name, double value) {
      series.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
    }
  }

  /** One continuation. */
  private record Fork(
      int outputs, int batchSize, double share, double factor, double start, double end) {
    static List<Fork> of(RunResult run) {
      return IntStream.range(0, run.curve("factor").length)
          .mapToObj(
              i ->
                  new Fork(
                      Integer.parseInt(run.setting("outputs")),
                      Integer.parseInt(run.setting("batch size")),
                      run.curve("share")[i],
                      run.curve("factor")[i],
                      run.curve("start")[i],
                      run.curve("end")[i]))
          .toList();
    }

    boolean rose() {
      return end > RISE * start;
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
            "%d continuations of %d runs: the verdict foretold %d.",
            forks.size(), results.size(), forks.stream().filter(Fork::agrees).count()));
    for (double share : SHARES) {
      List<Fork> some = forks.stream().filter(fork -> fork.share() == share).toList();
      sentences.add(
          String.format(
              "From %s of the first loss: at %s η_c the loss rose tenfold in %s.",
              Descent.brief(share),
              DoubleStream.of(FACTORS).mapToObj(String::valueOf).collect(joining(" / ")),
              String.join(" / ", rose(some))));
    }
    return new Findings(sentences, List.of(table(forks)), List.of(picture(forks)));
  }

  private static List<List<Fork>> byFactor(List<Fork> forks) {
    return DoubleStream.of(FACTORS)
        .mapToObj(factor -> forks.stream().filter(fork -> fork.factor() == factor).toList())
        .toList();
  }

  /** For each factor, in how many continuations the loss rose. */
  private static List<String> rose(List<Fork> forks) {
    return byFactor(forks).stream()
        .map(some -> some.stream().filter(Fork::rose).count() + " of " + some.size())
        .toList();
  }

  private static Table table(List<Fork> forks) {
    List<List<String>> rows = new ArrayList<>();
    for (int outputs : forks.stream().mapToInt(Fork::outputs).distinct().sorted().toArray()) {
      for (int batch : forks.stream().mapToInt(Fork::batchSize).distinct().sorted().toArray()) {
        for (double share : SHARES) {
          List<Fork> some =
              forks.stream()
                  .filter(
                      fork ->
                          fork.outputs() == outputs
                              && fork.batchSize() == batch
                              && fork.share() == share)
                  .toList();
          if (!some.isEmpty()) {
            rows.add(row(outputs, batch, share, some));
          }
        }
      }
    }
    List<String> header = new ArrayList<>(List.of("K", "B", "loss / first loss"));
    for (double factor : FACTORS) {
      header.add(factor + " η_c");
    }
    header.add("foretold");
    return new Table("prediction", "Continuations whose loss rose tenfold", header, rows);
  }

  private static List<String> row(int outputs, int batch, double share, List<Fork> forks) {
    List<String> row =
        new ArrayList<>(
            List.of(String.valueOf(outputs), String.valueOf(batch), Descent.brief(share)));
    row.addAll(rose(forks));
    row.add(forks.stream().filter(Fork::agrees).count() + " of " + forks.size());
    return row;
  }

  private static Picture picture(List<Fork> forks) {
    List<Curve> curves = new ArrayList<>();
    for (int s = 0; s < SHARES.length; s++) {
      double share = SHARES[s];
      double[] rose =
          byFactor(forks.stream().filter(fork -> fork.share() == share).toList()).stream()
              .mapToDouble(
                  some ->
                      some.stream().mapToInt(f -> f.rose() ? 1 : 0).average().orElse(Double.NaN))
              .toArray();
      curves.addAll(
          Curve.lineAndDots(
              "from " + Descent.brief(share) + " of the first loss", FACTORS, rose, s));
    }
    return new Picture(
        "prediction",
        "Share of the continuations whose loss rose tenfold",
        List.of(
            new Panel(
                "", "η/η_c", "share whose loss rose tenfold", Axes.LINEAR, Map.of(), curves)));
  }
}
