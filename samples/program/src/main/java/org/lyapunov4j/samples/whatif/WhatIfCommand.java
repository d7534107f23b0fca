// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.dl4j.step.UnsupportedTrainingException;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.samples.cli.Console;
import org.lyapunov4j.samples.cli.DefaultSeed;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.cli.Interruption;
import org.lyapunov4j.samples.cli.Progress;
import org.lyapunov4j.samples.cli.SamplingConverter;
import org.lyapunov4j.samples.data.ExampleOptions;
import org.lyapunov4j.samples.gram.GramFile;
import org.lyapunov4j.samples.io.ArrayFile;
import org.lyapunov4j.samples.io.BadFileException;
import org.lyapunov4j.samples.io.OutputFile;
import org.lyapunov4j.samples.model.ModelFile;
import org.lyapunov4j.samples.model.NativeThreads;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What another learning rate, batch size or momentum would do to a minimum. */
@Command(
    name = "what-if",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Maps λ, verdict and edge ratio of one Gram matrix over learning rate x batch size, with the"
          + " critical curves.",
      "The matrix is that of a saved model and examples, or comes from a file. It is the same for"
          + " all steps: what is mapped is this minimum, not the one that training would find. All"
          + " learning rates of a batch size draw the same mini-batches. Ctrl-C keeps what is"
          + " complete."
    })
public final class WhatIfCommand implements Callable<Integer> {
  private static final int MOST_STEPS = 5000;

  @Option(
      names = "--gram",
      paramLabel = "G",
      description = "The Gram matrix, square and symmetric: " + ArrayFile.SYNTAX + ".")
  private String gram;

  @Option(
      names = "--outputs",
      defaultValue = "1",
      paramLabel = "K",
      description = "Outputs an example, for --gram.")
  private int outputs;

  @Option(
      names = "--model",
      paramLabel = "MODEL.zip",
      description = "A model written by ModelSerializer, instead of --gram, with examples.")
  private Path model;

  @Mixin private ExampleOptions examples;

  @Option(
      names = "--learning-rates",
      split = ",",
      paramLabel = "ETA",
      description = "By default 13 from below the lowest critical rate to above the highest.")
  private double[] rates = {};

  @Option(
      names = "--batch-sizes",
      split = ",",
      paramLabel = "B",
      description = "By default the powers of 2 up to N, and N.")
  private int[] batches = {};

  @Option(
      names = "--momentum",
      split = ",",
      paramLabel = "BETA",
      description =
          "A map for each, 0 for none; by default that of the model, none for --gram. In"
              + " Deeplearning4j's form of Nesterov unless --heavy-ball is given.")
  private double[] momenta = {};

  @Option(names = "--heavy-ball", description = "Heavy-ball momentum instead of Nesterov's.")
  private boolean heavyBall;

  @Option(
      names = "--sampling",
      defaultValue = "iid",
      converter = SamplingConverter.class,
      paramLabel = "SCHEME",
      description = "How mini-batches are drawn: " + SamplingConverter.SCHEMES + ".")
  private MiniBatchSampling sampling;

  @Option(
      names = "--seed",
      defaultValue = DefaultSeed.OPTION,
      paramLabel = "SEED",
      description = DefaultSeed.OF_ESTIMATES)
  private long seed;

  @Option(
      names = "--max-epochs",
      paramLabel = "E",
      description =
          "Budget of each estimate in epochs of N/B steps; by default 65536 steps, fewer if G is"
              + " large.")
  private Integer maxEpochs;

  @Option(
      names = "--threads",
      paramLabel = "T",
      description = "By default as many as there are processors. Changes no result.")
  private Integer threads;

  @Option(names = "--csv", paramLabel = "FILE.csv", description = "A line for every step.")
  private Path csv;

  @Option(names = "--json", paramLabel = "FILE.json", description = "All numbers of every step.")
  private Path json;

  @Option(names = "--plot", paramLabel = "FILE.png", description = "A heat map of λ.")
  private Path plot;

  @Spec private CommandSpec spec;

  /** The command. */
  public WhatIfCommand() {}

  /** What is asked about. */
  private record Subject(GramMatrix gram, SgdStep step, boolean inUse, String name) {}

  @Override
  public Integer call() throws IOException {
    Input.accept(spec, this::requireOptions);
    NativeThreads.limit(1);
    Subject subject = Input.accept(spec, () -> model == null ? fromFile() : fromModel());
    List<Integer> sizes = Input.accept(spec, () -> batchSizes(subject.gram().examples()));
    List<Momentum> memories = memories(subject.step());
    int steps = StabilityMap.reports(memories.size(), sizes.size(), rates.length);
    Input.accept(spec, () -> requireCount(steps));
    double sharpness =
        Input.accept(spec, () -> requireNonzero(LargestEigenpair.of(subject.gram()).value()))
            / subject.gram().examples();
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%s: %s%n", subject.name(), subject.gram());
    if (subject.inUse()) {
      out.printf(
          "in use: learning rate %s, %s%n",
          MapText.rate(subject.step().learningRate()), subject.step().momentum());
    }
    try (Interruption interruption = new Interruption()) {
      StabilityMap map =
          Input.accept(spec, () -> map(subject, sizes, memories, sharpness, interruption));
      if (!map.isEmpty()) {
        out.print(MapText.tables(map));
        write(map, subject, out);
      }
      if (interruption.requested()) {
        out.println(
            map.isEmpty()
                ? "interrupted before anything was complete"
                : "interrupted: the map holds what was complete");
      }
      out.flush();
      return interruption.requested() ? Interruption.STATUS : 0;
    }
  }

  private StabilityMap map(
      Subject subject,
      List<Integer> sizes,
      List<Momentum> memories,
      double sharpness,
      Interruption interruption) {
    StabilityAnalyzer.Builder settings =
        StabilityAnalyzer.builder()
            .seed(seed)
            .threads(threads == null ? Runtime.getRuntime().availableProcessors() : threads)
            .cancelled(interruption::requested);
    if (maxEpochs != null) {
      settings.maxEpochs(maxEpochs);
    }
    Function<SgdStep, StabilityReport> analysis = settings.build().on(subject.gram());
    int steps = StabilityMap.reports(memories.size(), sizes.size(), rates.length);
    PrintWriter out = spec.commandLine().getOut();
    try (Progress progress = new Progress(out, Console.isTerminal(), "steps", steps)) {
      return StabilityMap.of(
          step -> {
            StabilityReport report = analysis.apply(step);
            if (interruption.requested()) {
              throw new CancellationException("its estimates may be cut short");
            }
            progress.step();
            return report;
          },
          subject.step(),
          memories,
          sizes,
          Arrays.stream(rates).sorted().distinct().boxed().toList(),
          FullBatchExponent.criticalLearningRate(sharpness, subject.step()));
    }
  }

  private void write(StabilityMap map, Subject subject, PrintWriter out) throws IOException {
    if (csv != null) {
      OutputFile.write(csv, MapText.csv(map));
      out.printf("csv       %s%n", csv);
    }
    if (json != null) {
      OutputFile.write(json, Json.pretty(MapText.MapRecord.of(map, seed)) + "\n");
      out.printf("json      %s%n", json);
    }
    if (plot != null) {
      String title =
          String.format(
              Locale.ROOT,
              "%s, %d examples, %d %s",
              subject.name(),
              subject.gram().examples(),
              subject.gram().outputs(),
              subject.gram().outputs() == 1 ? "output" : "outputs");
      new HeatMap(map, title, subject.inUse() ? subject.step() : null).write(plot);
      out.printf("plot      %s%n", plot);
    }
  }

  private Subject fromFile() throws IOException {
    SgdStep step = SgdStep.of(1, 1).withSampling(sampling);
    return new Subject(
        GramFile.read(gram, outputs), step, false, Path.of(gram).getFileName().toString());
  }

  private Subject fromModel() throws IOException {
    DataSet data = examples.read();
    Model network = ModelFile.open(model).restore(true);
    try {
      AnalysisSettings settings =
          AnalysisSettings.standard()
              .withBatchSize((int) data.getFeatures().size(0))
              .withSampling(sampling);
      StabilityAnalysis analysis = StabilityAnalysis.of(network, data, settings);
      SgdStep step = analysis.step().sgd();
      return new Subject(analysis.gram().gram(), step, true, model.getFileName().toString());
    } catch (UnsupportedTrainingException | IllegalArgumentException | IllegalStateException e) {
      throw new BadFileException(model, e.getMessage());
    }
  }

  private Void requireOptions() throws IOException {
    Input.require(
        (gram == null) != (model == null),
        "give --gram or --model, got %s",
        gram == null ? "neither" : "both");
    Input.require(outputs >= 1, "--outputs must be at least 1, got %d; use 1 to m", outputs);
    for (double rate : rates) {
      Input.require(
          rate >= 0 && Double.isFinite(rate),
          "--learning-rates must be finite and at least 0, got %s; leave them out for the usual"
              + " ones",
          rate);
    }
    for (double momentum : momenta) {
      Input.require(
          momentum >= 0 && momentum < 1,
          "--momentum must be at least 0 and below 1, got %s; try 0,0.9",
          momentum);
    }
    Input.require(
        maxEpochs == null || maxEpochs >= 2,
        "--max-epochs must be at least 2, got %d; try 1024",
        maxEpochs);
    Input.require(
        threads == null || threads >= 1, "--threads must be at least 1, got %s; try 1", threads);
    OutputFile.require("--csv", csv, ".csv");
    OutputFile.require("--json", json, ".json");
    OutputFile.require("--plot", plot, ".png");
    return null;
  }

  private List<Integer> batchSizes(int most) {
    if (batches.length == 0) {
      return IntStream.concat(
              IntStream.iterate(1, size -> size < most, size -> 2 * size), IntStream.of(most))
          .boxed()
          .toList();
    }
    for (int batch : batches) {
      Input.require(
          batch >= 1 && batch <= most,
          "--batch-sizes must be 1 to the number of examples %d, got %d; check --outputs too",
          most,
          batch);
    }
    return Arrays.stream(batches).sorted().distinct().boxed().toList();
  }

  private List<Momentum> memories(SgdStep step) {
    if (momenta.length == 0) {
      return List.of(step.momentum());
    }
    List<Momentum> memories = new ArrayList<>();
    for (double coefficient : Arrays.stream(momenta).distinct().toArray()) {
      memories.add(
          coefficient == 0
              ? Momentum.NONE
              : heavyBall
                  ? new Momentum.HeavyBall(coefficient)
                  : new Momentum.Nesterov(coefficient));
    }
    return memories;
  }

  private static Void requireCount(int steps) {
    Input.require(
        steps <= MOST_STEPS,
        "a map must have at most %d steps, got %d; give fewer --learning-rates or --batch-sizes",
        MOST_STEPS,
        steps);
    return null;
  }

  private double requireNonzero(double largest) {
    Input.require(
        largest > 0 && Double.isFinite(largest),
        "a Gram matrix must have a positive eigenvalue, got %s: there is no curvature on these"
            + " examples; take others",
        largest);
    return largest;
  }
}
