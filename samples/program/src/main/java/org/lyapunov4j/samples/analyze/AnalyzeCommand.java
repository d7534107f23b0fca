// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.analyze;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.ProbeSet;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.record.RecordSink;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.samples.cli.CheckpointTable;
import org.lyapunov4j.samples.cli.Console;
import org.lyapunov4j.samples.cli.DefaultSeed;
import org.lyapunov4j.samples.cli.ErrorLines;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.cli.Interruption;
import org.lyapunov4j.samples.cli.Progress;
import org.lyapunov4j.samples.cli.SamplingConverter;
import org.lyapunov4j.samples.data.ExampleOptions;
import org.lyapunov4j.samples.io.BadFileException;
import org.lyapunov4j.samples.io.OutputFile;
import org.lyapunov4j.samples.model.ModelFile;
import org.lyapunov4j.samples.model.NativeThreads;
import org.lyapunov4j.samples.report.RunHistory;
import org.lyapunov4j.samples.report.StabilityReportPage;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The stability of saved checkpoints, after the run. */
@Command(
    name = "analyze",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Computes for saved Deeplearning4j models what the listener computes while they train.",
      "The step is read from each model: save with the state of the updater, as CheckpointListener"
          + " does. With --record, models whose iteration is in the record already are left out, so"
          + " that a run that was cut short goes on. Ctrl-C keeps what was done."
    })
public final class AnalyzeCommand implements Callable<Integer> {
  @Parameters(
      arity = "1..*",
      paramLabel = "MODELS",
      description = "Folders of a CheckpointListener, or models as ModelSerializer writes them.")
  private List<Path> places;

  @Mixin private ExampleOptions examples;

  @Option(
      names = {"--batch-size", "--batch"},
      required = true,
      paramLabel = "B",
      description = "Examples in a mini-batch of training, which no model tells.")
  private int batchSize;

  @Option(
      names = "--sampling",
      defaultValue = "iid",
      converter = SamplingConverter.class,
      paramLabel = "SCHEME",
      description = "How training drew mini-batches: " + SamplingConverter.SCHEMES + ".")
  private MiniBatchSampling sampling;

  @Option(
      names = "--tier",
      defaultValue = "standard",
      description =
          "What is asked: economy (is the step surely below the edge? η/η_ms, λ, sharpness),"
              + " standard (how far is it from the edge? also η/η_c), full (what would help? also"
              + " the critical batch size and the sum of exponents).")
  private Tier tier;

  @Option(
      names = "--seed",
      defaultValue = DefaultSeed.OPTION,
      paramLabel = "SEED",
      description = DefaultSeed.OF_ESTIMATES)
  private long seed;

  @Option(
      names = "--threads",
      paramLabel = "T",
      description =
          "Checkpoints at a time, as far as --memory allows; by default as many as there are"
              + " processors. Changes no result.")
  private Integer threads;

  @Option(
      names = "--memory",
      paramLabel = "MiB",
      description =
          "What all checkpoints under way may take; by default three quarters of the heap's limit.")
  private Long memory;

  @Option(
      names = "--run",
      defaultValue = "analyze",
      paramLabel = "NAME",
      description = "Names the run in the record and the report.")
  private String run;

  @Option(
      names = "--record",
      paramLabel = "FILE.jsonl",
      description = "Append every checkpoint as a line of JSON, as the listener does.")
  private Path record;

  @Option(
      names = "--report",
      paramLabel = "FILE.html",
      description = "Turn the record into a page with pictures at the end.")
  private Path report;

  @Spec private CommandSpec spec;

  /** The command. */
  public AnalyzeCommand() {}

  @Override
  public Integer call() throws IOException {
    Input.accept(spec, this::requireOptions);
    NativeThreads.limit(1);
    DataSet data = Input.accept(spec, examples::read);
    ProbeSet probe = ProbeSet.of(data);
    CheckpointQueue queue = Input.accept(spec, () -> CheckpointQueue.of(places));
    AnalyzeSettings settings = new AnalyzeSettings(run, batchSize, sampling, tier, seed);
    List<String> refusals = new ArrayList<>(queue.refusals());
    boolean complete = true;
    try (Interruption interruption = new Interruption();
        RecordSink kept = Input.accept(spec, this::openRecord)) {
      RunRecord before = kept == null ? new RunRecord(List.of(), 0, 0) : kept.before();
      Input.accept(
          spec,
          () -> {
            settings.requireContinues(before, probe.hash(), probe.size());
            return null;
          });
      if (kept != null) {
        kept.begin(
            new RunInfo(run, probe.size(), probe.hash(), settings.seed(), InstantSource.system()));
      }
      List<ModelFile> pending = pending(queue, before);
      if (!pending.isEmpty()) {
        complete = analyse(pending, probe, data, settings, kept, before, refusals, interruption);
      }
    }
    refusals.forEach(complaint -> ErrorLines.print(spec.commandLine(), complaint));
    writeReport();
    if (!complete) {
      return Interruption.STATUS;
    }
    return refusals.isEmpty() ? ExitCode.OK : ExitCode.USAGE;
  }

  private Void requireOptions() throws IOException {
    Input.require(batchSize >= 1, "--batch-size must be at least 1, got %d; use 1 to N", batchSize);
    Input.require(
        threads == null || threads >= 1, "--threads must be at least 1, got %s; try 1", threads);
    Input.require(
        memory == null || memory >= 1,
        "--memory must be at least 1 MiB, got %s; leave it out for the usual",
        memory);
    Input.require(!run.isBlank(), "--run must not be blank, got '%s'; give a name", run);
    Input.require(
        report == null || record != null,
        "--report must come with --record, which it is made of, got %s alone; add --record",
        report);
    OutputFile.require("--report", report, ".html", ".htm");
    return null;
  }

  /** The record, new or to be continued; null if none is kept. */
  private RecordSink openRecord() throws IOException {
    if (record == null) {
      return null;
    }
    OutputFile.require("--record", record);
    RecordSink sink = RecordSink.ofAnalysis(record);
    sink.before();
    return sink;
  }

  /** Those whose iteration is not in the record. */
  private List<ModelFile> pending(CheckpointQueue queue, RunRecord before) {
    Set<Integer> done =
        Stream.concat(before.checkpoints().stream(), before.observations().stream())
            .map(CheckpointDocument::iteration)
            .collect(Collectors.toSet());
    List<ModelFile> pending =
        queue.models().stream().filter(model -> !done.contains(model.iteration())).toList();
    int skipped = queue.models().size() - pending.size();
    if (skipped > 0) {
      spec.commandLine().getOut().printf("%d of these are in the record already%n", skipped);
    }
    return new ArrayList<>(pending);
  }

  private boolean analyse(
      List<ModelFile> pending,
      ProbeSet probe,
      DataSet data,
      AnalyzeSettings settings,
      RecordSink kept,
      RunRecord before,
      List<String> refusals,
      Interruption interruption)
      throws IOException {
    Model first = firstModel(pending, refusals);
    if (first == null) {
      return true;
    }
    Architecture architecture = Architecture.of(first);
    int outputs = Input.accept(spec, () -> outputs(first, data));
    Input.accept(
        spec,
        () -> {
          AnalyzeSettings.requireModel(before, architecture, outputs);
          return null;
        });
    int wanted = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    int workers =
        Input.accept(
            spec,
            () ->
                Memory.of(pending.get(0), (long) probe.size() * outputs, tier)
                    .workers(budget(), Math.min(wanted, pending.size())));
    first.params().close();
    PrintWriter out = spec.commandLine().getOut();
    OfflineRun offline =
        new OfflineRun(settings, probe, architecture, workers, wanted, interruption::requested);
    out.println(CheckpointTable.header());
    try (Progress progress =
        new Progress(out, Console.isTerminal(), "checkpoints", pending.size())) {
      Results results = new Results(kept, progress, refusals);
      boolean complete = offline.run(pending, results);
      if (complete) {
        results.end(run);
      }
      return complete;
    }
  }

  /** Rows of the table, lines of the record, and once each what nobody may miss. */
  private static final class Results implements OfflineRun.Results {
    private final RecordSink kept;
    private final Progress progress;
    private final List<String> refusals;
    private final Set<String> cautions = new LinkedHashSet<>();
    private long found;

    Results(RecordSink kept, Progress progress, List<String> refusals) {
      this.kept = kept;
      this.progress = progress;
      this.refusals = refusals;
    }

    @Override
    public void found(Checkpoint checkpoint, ModelInfo model) throws IOException {
      if (kept != null) {
        if (found == 0) {
          kept.watch(model);
        }
        kept.accept(checkpoint);
      }
      found++;
      cautions.addAll(CheckpointDocument.of(checkpoint).cautions());
      progress.println(CheckpointTable.row(checkpoint));
      progress.step();
    }

    @Override
    public void refused(String complaint) {
      refusals.add(complaint);
      progress.step();
    }

    void end(String run) throws IOException {
      cautions.forEach(caution -> progress.println("note: " + caution));
      if (kept != null) {
        kept.end(
            new ListenerStatus(
                run, ListenerStatus.State.CLOSED, "", found, 0, 0, refusals.size(), 0));
      }
    }
  }

  /** The first that can be restored; those before it are taken out. */
  private static Model firstModel(List<ModelFile> pending, List<String> refusals)
      throws IOException {
    while (!pending.isEmpty()) {
      try {
        return pending.get(0).restore(true);
      } catch (BadFileException e) {
        refusals.add(e.getMessage());
        pending.remove(0);
      }
    }
    return null;
  }

  private static int outputs(Model model, DataSet data) {
    try (NtkGram gram = NtkGram.builder(model).probe(data).matrixFree().build()) {
      return gram.outputs();
    }
  }

  private long budget() {
    return memory == null ? Runtime.getRuntime().maxMemory() / 4 * 3 : memory << 20;
  }

  private void writeReport() throws IOException {
    if (report != null && Files.isRegularFile(record)) {
      StabilityReportPage.of(List.of(Input.accept(spec, () -> RunHistory.read(record))))
          .write(report);
      spec.commandLine().getOut().printf("report    %s%n", report);
    }
    spec.commandLine().getOut().flush();
  }
}
