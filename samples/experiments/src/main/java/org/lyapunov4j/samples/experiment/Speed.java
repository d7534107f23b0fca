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
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
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
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Does the loss near convergence fall at 2λ? Few examples, so that training gets to its end, where
 * the slowest direction is all that is left of the residual.
 */
final class Speed implements Experiment {
  private static final int STEPS = 10_000;
  private static final int INTERVAL = 50;
  private static final List<Integer> EXAMPLES = List.of(8, 32);
  private static final List<Integer> BATCH_SIZES = List.of(1, 4);

  @Override
  public String name() {
    return "speed";
  }

  @Override
  public String question() {
    return "Does the loss near convergence fall at 2λ?";
  }

  @Override
  public List<Run> runs(Settings settings) throws IOException {
    DataSource source = settings.data().orElse(DataSource.parse("digits"));
    List<Run> runs = new ArrayList<>();
    for (int seed = 1; seed <= settings.seeds(); seed++) {
      for (Targets targets : List.of(Targets.SCALAR, Targets.ONE_HOT)) {
        for (int count : EXAMPLES) {
          Examples examples =
              source.load(count, targets, new RandomStream(seed).split(Seeds.EXAMPLES));
          DataSet data = examples.toDataSet(DataType.DOUBLE);
          for (int batch : BATCH_SIZES) {
            runs.add(run(source, examples, data, batch, seed, settings));
          }
          runs.add(run(source, examples, data, count, seed, settings));
        }
      }
    }
    return runs;
  }

  private static Run run(
      DataSource source, Examples examples, DataSet data, int batch, int seed, Settings settings) {
    double rate = examples.outputs() == 1 ? 0.05 : 0.5;
    int count = data.numExamples();
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("data", source + ", " + count + " examples");
    labels.put("examples", String.valueOf(count));
    labels.put("outputs", String.valueOf(examples.outputs()));
    labels.put("batch size", String.valueOf(batch));
    labels.put("learning rate", String.valueOf(rate));
    labels.put("seed", String.valueOf(seed));
    return new NetworkRun(
        String.format(Locale.ROOT, "K%d-N%d-B%d-seed%d", examples.outputs(), count, batch, seed),
        labels,
        new DenseNetwork(List.of(64, 64), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
            .configuration(examples.inputWidth(), examples.outputs(), new Sgd(rate), seed),
        data,
        data,
        new Plan(
            SgdStep.of(rate, batch),
            settings.steps(STEPS),
            Tier.STANDARD,
            Schedule.everyIterations(INTERVAL),
            INTERVAL,
            false,
            0,
            seed));
  }

  /** What runs that differ in their seeds have in common. */
  private record Setting(int outputs, int examples, int batchSize) {
    static final Comparator<Setting> ORDER =
        Comparator.comparingInt(Setting::outputs)
            .thenComparingInt(Setting::examples)
            .thenComparingInt(Setting::batchSize);

    static Setting of(RunResult result) {
      return new Setting(
          Integer.parseInt(result.setting("outputs")),
          Integer.parseInt(result.setting("examples")),
          Integer.parseInt(result.setting("batch size")));
    }
  }

  /** A run and the speed of its loss at the end. */
  private record Timed(RunResult run, LossRate rate) {
    static List<Timed> of(List<RunResult> runs) {
      List<Timed> timed = new ArrayList<>();
      runs.forEach(
          run -> LossRate.of(run, INTERVAL).ifPresent(rate -> timed.add(new Timed(run, rate))));
      return timed;
    }
  }

  @Override
  public Findings findings(List<RunResult> results) {
    List<Timed> all = Timed.of(results);
    List<String> sentences = new ArrayList<>();
    for (int count : EXAMPLES) {
      List<Timed> some = all.stream().filter(t -> Setting.of(t.run()).examples() == count).toList();
      sentences.add(
          String.format(
              Locale.ROOT,
              "N = %d: over the second half until 1e-22 the loss fell at 2λ to within a quarter in %d"
                  + " of %d runs, at what the residual of each checkpoint foretold for the next %d"
                  + " steps, to within a quarter or twice its error, in %d; it fell %.3g times as fast as 2λ in the median.",
              count,
              count(some, LossRate::followsExponent),
              some.size(),
              INTERVAL,
              count(some, LossRate::followsResidual),
              LossRate.median(some.stream().mapToDouble(t -> t.rate().overExponent()))));
    }
    return new Findings(sentences, List.of(table(results)), List.of(picture(all)));
  }

  private static long count(List<Timed> runs, Predicate<LossRate> condition) {
    return runs.stream().map(Timed::rate).filter(condition).count();
  }

  private static Table table(List<RunResult> results) {
    List<List<String>> rows = new ArrayList<>();
    for (Group<Setting> group : Group.of(results, Setting::of, Setting.ORDER)) {
      List<Timed> timed = Timed.of(group.runs());
      Setting setting = group.setting();
      rows.add(
          List.of(
              String.valueOf(setting.outputs()),
              String.valueOf(setting.examples()),
              String.valueOf(setting.batchSize()),
              timed.size() + " of " + group.runs().size(),
              cell(timed, LossRate::measured),
              cell(timed, LossRate::exponent),
              cell(timed, LossRate::residual),
              count(timed, LossRate::followsExponent) + " of " + timed.size(),
              count(timed, LossRate::followsResidual) + " of " + timed.size(),
              Table.cell(group.late("edgeRatio")),
              Table.cell(group.loss())));
    }
    return new Table(
        "speed",
        "The slope of log L over the second half of the steps until 1e-22, per step; mean over seeds"
            + " ± standard error",
        List.of(
            "K",
            "N",
            "B",
            "runs",
            "measured",
            "2λ",
            "of the residual",
            "fell at 2λ",
            "as the residual foretold",
            "η/η_c",
            "loss at the end"),
        rows);
  }

  private static String cell(List<Timed> timed, ToDoubleFunction<LossRate> value) {
    return Table.cell(Mean.of(timed.stream().map(Timed::rate).mapToDouble(value)));
  }

  /** Every run; on the diagonal the loss falls at 2λ. */
  private static Picture picture(List<Timed> all) {
    List<Curve> curves = new ArrayList<>();
    double[] ends =
        all.stream()
            .flatMapToDouble(t -> DoubleStream.of(-t.rate().measured(), -t.rate().exponent()))
            .filter(rate -> rate > 0)
            .sorted()
            .toArray();
    if (ends.length > 0) {
      double[] diagonal = {ends[0], ends[ends.length - 1]};
      curves.add(new Curve("the loss falls at 2λ", diagonal, diagonal, 0, Stroke.DASHES));
    }
    Map<String, List<Timed>> byBatch = new LinkedHashMap<>();
    for (Timed timed : all) {
      Setting setting = Setting.of(timed.run());
      String batch =
          setting.batchSize() == setting.examples() ? "N" : String.valueOf(setting.batchSize());
      byBatch.computeIfAbsent("B = " + batch, key -> new ArrayList<>()).add(timed);
    }
    byBatch.forEach(
        (name, some) ->
            curves.add(
                new Curve(
                    name,
                    some.stream().mapToDouble(t -> -t.rate().exponent()).toArray(),
                    some.stream().mapToDouble(t -> -t.rate().measured()).toArray(),
                    curves.size(),
                    Stroke.DOTS)));
    return new Picture(
        "speed",
        "How fast the loss falls at the end, over what λ says; a point for every run",
        List.of(
            new Panel(
                "",
                "−2λ, per step",
                "−slope of log L, per step",
                Axes.LOG_BOTH,
                Map.of(),
                curves)));
  }
}
