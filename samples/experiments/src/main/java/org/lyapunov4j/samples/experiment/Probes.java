// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.gram.FactorSweep;
import org.lyapunov4j.dl4j.gram.NtkFactors;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.samples.train.MiniBatches;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network that is trained on all examples and analysed at several moments with all of them as
 * probe and with probes of many sizes. The examples are shuffled once, and the probes of a size are
 * the blocks of that length in a row, so that probes of one size have no example in common and
 * every probe is made of two of half its size.
 *
 * <p>Found are series with one entry for each moment, probe and batch size: {@code moment}, {@code
 * iteration}, {@code loss} of all examples, {@code size}, {@code draw} (the number of the block),
 * {@code batchSize}, {@code sharpness}, {@code criticalRate}; and, of the first probe of a size and
 * of all examples, {@code meanSquareRate} (NaN where it is not known), {@code lambda} (NaN where it
 * is only bounded) with {@code lambdaLow}, {@code lambdaHigh} and {@code lambdaSign}.
 *
 * @param id unique
 * @param labels what the experiment calls it by
 * @param configuration of the network, with its seed and updater
 * @param examples to train on
 * @param step of training
 * @param plan what is analysed
 * @param seed of mini-batches, probes and estimates
 */
record Probes(
    String id,
    Map<String, String> labels,
    MultiLayerConfiguration configuration,
    DataSet examples,
    SgdStep step,
    Plan plan,
    long seed)
    implements Run {
  /** More rows than these take seconds without a spectrum and minutes with it. */
  private static final int MOST_ROWS_OF_A_SPECTRUM = 2048;

  /** Where the edge alone is wanted; it does not change η_c. */
  private static final double FACTOR = 1.1;

  /**
   * What is analysed.
   *
   * @param moments numbers of steps of training, ascending
   * @param batchSizes of the analysed steps; the smallest probe holds the largest of them
   * @param smallest size of a probe; the next ones are twice as large each, up to half of all
   * @param mostDraws probes of one size
   * @param rowsOfASize of the probes of a size together; at least one probe is taken up to {@code
   *     mostRows}
   * @param mostRows of a Gram matrix
   */
  record Plan(
      List<Integer> moments,
      List<Integer> batchSizes,
      int smallest,
      int mostDraws,
      int rowsOfASize,
      int mostRows) {}

  @Override
  public Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>(labels);
    settings.put("plan", plan.toString());
    settings.put("step", step.toString());
    settings.put("exponent", CheckpointSeries.EXPONENT);
    settings.put(
        "network",
        UUID.nameUUIDFromBytes(configuration.toJson().getBytes(StandardCharsets.UTF_8)).toString());
    return settings;
  }

  @Override
  public Measurements execute(Path record, Path state, BooleanSupplier stop) throws IOException {
    MultiLayerNetwork network = DenseNetwork.initialised(configuration.clone());
    MiniBatches batches =
        new MiniBatches(examples, step, new RandomStream(seed).split(Seeds.BATCHES));
    Map<String, List<Double>> series = new HashMap<>();
    int iteration = 0;
    int done = 0;
    Optional<RunState> before = RunState.read(state, settings(), network);
    if (before.isPresent()) {
      series.putAll(before.get().position().curves());
      iteration = before.get().position().iterations();
      batches.skip(iteration);
      done = plan.moments().indexOf(iteration) + 1;
    }
    for (int moment = done; moment < plan.moments().size(); moment++) {
      while (iteration < plan.moments().get(moment) && !stop.getAsBoolean()) {
        network.fit(batches.next());
        iteration++;
      }
      Map<String, Double> at =
          Map.of(
              "moment", (double) moment,
              "iteration", (double) iteration,
              "loss", network.score(examples));
      analyse(network, at, series, stop);
      if (!stop.getAsBoolean()) {
        RunState.withoutRecord(network, settings(), iteration, series).write(state);
      }
    }
    Map<String, double[]> curves = new TreeMap<>();
    series.forEach(
        (name, values) ->
            curves.put(name, values.stream().mapToDouble(Double::doubleValue).toArray()));
    return new Measurements(Map.of(), curves);
  }

  private void analyse(
      MultiLayerNetwork network,
      Map<String, Double> at,
      Map<String, List<Double>> series,
      BooleanSupplier stop) {
    int all = examples.numExamples();
    int[] order = new int[all];
    new MiniBatchSampler(
            all, all, MiniBatchSampling.SHUFFLED_EPOCHS, new RandomStream(seed).split(Seeds.PROBES))
        .next(order);
    for (int size = plan.smallest(); 2 * size <= all; size *= 2) {
      int rows = size * (int) examples.getLabels().size(1);
      int draws = Math.min(all / size, Math.max(1, plan.rowsOfASize() / rows));
      for (int draw = 0; draw < Math.min(draws, plan.mostDraws()); draw++) {
        if (rows <= plan.mostRows() && !stop.getAsBoolean()) {
          DataSet probe = rows(Arrays.copyOfRange(order, draw * size, (draw + 1) * size));
          add(series, at, draw, size, analyses(network, probe, draw == 0));
        }
      }
    }
    add(series, at, 0, all, analyses(network, examples, true));
  }

  private DataSet rows(int[] chosen) {
    return new DataSet(
        Nd4j.pullRows(examples.getFeatures(), 1, chosen),
        Nd4j.pullRows(examples.getLabels(), 1, chosen));
  }

  /** One for each batch size; the edge alone unless all is wanted. */
  private List<Findings> analyses(MultiLayerNetwork network, DataSet probe, boolean all) {
    StabilityAnalyzer.Builder builder = StabilityAnalyzer.builder().seed(seed);
    Function<SgdStep, Findings> analysis;
    if (probe.numExamples() * (int) probe.getLabels().size(1) > plan.mostRows()) {
      NtkFactors factors = factors(network, probe);
      analysis = analysed -> builder.build().analyze(factors, analysed);
    } else {
      GramMatrix gram = StabilityAnalysis.of(network, probe).gram().gram();
      StabilityAnalyzer analyzer = builder.spectrumLimit(all ? MOST_ROWS_OF_A_SPECTRUM : 0).build();
      analysis =
          all
              ? analyzer.on(gram)::apply
              : at -> analyzer.trackEdge(gram, at, Optional.empty(), FACTOR).report();
    }
    return plan.batchSizes().stream().map(b -> analysis.apply(step.withBatchSize(b))).toList();
  }

  private static NtkFactors factors(MultiLayerNetwork network, DataSet probe) {
    long budget = Runtime.getRuntime().maxMemory() / 2;
    try (FactorSweep sweep = FactorSweep.of(network, probe.toMultiDataSet(), budget, () -> false)) {
      return sweep.compute(network.params(), null);
    }
  }

  private void add(
      Map<String, List<Double>> series,
      Map<String, Double> at,
      int draw,
      int size,
      List<Findings> analyses) {
    for (int b = 0; b < analyses.size(); b++) {
      Findings analysis = analyses.get(b);
      Map<String, Double> found = new TreeMap<>(at);
      found.put("size", (double) size);
      found.put("draw", (double) draw);
      found.put("batchSize", (double) plan.batchSizes().get(b));
      found.put("sharpness", analysis.measuredSharpness().orElseThrow());
      found.put(
          "criticalRate",
          analysis.criticalLearningRate().map(CriticalLearningRate::value).orElse(Double.NaN));
      Optional<StabilityReport> report =
          analysis instanceof StabilityReport all ? Optional.of(all) : Optional.empty();
      found.put(
          "meanSquareRate",
          report
              .flatMap(StabilityReport::meanSquare)
              .map(known -> known.criticalLearningRate().low())
              .orElse(Double.NaN));
      Optional<LyapunovExponent> exponent = report.map(StabilityReport::exponent);
      found.put("lambda", exponent.map(e -> e.point().orElse(Double.NaN)).orElse(Double.NaN));
      found.put("lambdaLow", exponent.map(LyapunovExponent::low).orElse(Double.NaN));
      found.put("lambdaHigh", exponent.map(LyapunovExponent::high).orElse(Double.NaN));
      found.put("lambdaSign", exponent.map(CheckpointSeries::sign).orElse(Double.NaN));
      found.forEach(
          (name, value) -> series.computeIfAbsent(name, key -> new ArrayList<>()).add(value));
    }
  }
}
