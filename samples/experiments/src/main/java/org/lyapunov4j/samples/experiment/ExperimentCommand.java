// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.lyapunov4j.samples.cli.Console;
import org.lyapunov4j.samples.cli.ErrorLines;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.cli.Interruption;
import org.lyapunov4j.samples.cli.Launcher;
import org.lyapunov4j.samples.cli.Progress;
import org.lyapunov4j.samples.data.DataSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs an experiment. */
@Command(
    name = "experiments",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Runs a published or an open question as an experiment: many seeded runs, their records, a"
          + " table and pictures.",
      "Runs that are over are kept and not repeated, so that Ctrl-C and the same command again go"
          + " on where it was.",
      "Without a name, lists the experiments."
    })
public final class ExperimentCommand implements Callable<Integer> {
  @Parameters(arity = "0..1", paramLabel = "NAME", description = "One of the list.")
  private String name;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where the results go; by default experiments/NAME.")
  private Path out;

  @Option(
      names = "--data",
      description =
          DataSource.SYNTAX
              + "; most experiments have a default, where there is none it is asked for.")
  private String data;

  @Option(
      names = "--seeds",
      defaultValue = "3",
      paramLabel = "COUNT",
      description = "Seeds 1, 2, … of every setting.")
  private int seeds;

  @Option(
      names = "--length",
      defaultValue = "1",
      paramLabel = "FACTOR",
      description = "Factor for the number of steps of every run; less than 1 for a quick look.")
  private double length;

  @Option(
      names = "--only",
      paramLabel = "GLOB",
      description = "Execute only the runs whose names match, for example '*-B16-*'.")
  private String only;

  @Option(
      names = "--jobs",
      defaultValue = "1",
      paramLabel = "RUNS",
      description = "Runs at a time, one for each core that is free.")
  private int jobs;

  @Spec private CommandSpec spec;

  /** The program. */
  public ExperimentCommand() {}

  /**
   * Runs the program and exits with its status.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    Launcher.run(new ExperimentCommand(), args);
  }

  @Override
  public Integer call() throws IOException {
    // Hundreds of runs cross the edge on purpose; what they say is in their records.
    System.setProperty("org.slf4j.simpleLogger.log.org.lyapunov4j", "error");
    PrintWriter terminal = spec.commandLine().getOut();
    if (name == null) {
      for (Experiment experiment : Experiments.ALL) {
        terminal.printf("%-16s %s%n", experiment.name(), experiment.question());
      }
      terminal.flush();
      return ExitCode.OK;
    }
    Experiment experiment = Input.accept(spec, this::experiment);
    Settings settings = Input.accept(spec, this::settings);
    PathMatcher wanted = Input.accept(spec, this::wanted);
    List<Run> all = Input.accept(spec, () -> experiment.runs(settings));
    ResultFolder folder = Input.accept(spec, () -> folder(experiment));
    try (Interruption interruption = new Interruption()) {
      Campaign campaign = new Campaign(folder, jobs, interruption::requested);
      List<Run> chosen = all.stream().filter(run -> wanted.matches(Path.of(run.id()))).toList();
      Input.accept(spec, () -> requireSome(chosen, all));
      List<Run> pending = campaign.pending(chosen);
      Input.accept(
          spec,
          () -> {
            folder.requireOwn(pending);
            return null;
          });
      List<String> failures = execute(campaign, chosen, terminal);
      List<RunResult> results = campaign.results(all);
      if (!results.isEmpty()) {
        Findings findings = experiment.findings(results);
        findings.sentences().forEach(terminal::println);
        terminal.printf("findings  %s%n", folder.write(experiment, findings));
      }
      terminal.flush();
      failures.forEach(failure -> ErrorLines.print(spec.commandLine(), failure));
      if (interruption.requested()) {
        return Interruption.STATUS;
      }
      return failures.isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }
  }

  private List<String> execute(Campaign campaign, List<Run> chosen, PrintWriter terminal)
      throws IOException {
    List<Run> pending = campaign.pending(chosen);
    terminal.printf("%d runs, %d of them to do%n", chosen.size(), pending.size());
    try (Progress progress = new Progress(terminal, Console.isTerminal(), "runs", pending.size())) {
      return campaign.execute(pending, progress);
    }
  }

  private Experiment experiment() {
    String names = Experiments.ALL.stream().map(Experiment::name).collect(Collectors.joining(", "));
    return Experiments.ALL.stream()
        .filter(experiment -> experiment.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the experiment must be one of " + names + ", got '" + name + "'"));
  }

  private Settings settings() {
    Input.require(seeds >= 1, "--seeds must be at least 1, got %d; try 3", seeds);
    Input.require(jobs >= 1, "--jobs must be at least 1, got %d; try 1", jobs);
    Input.require(
        length > 0 && Double.isFinite(length),
        "--length must be positive and finite, got %s; try 1",
        length);
    return new Settings(Optional.ofNullable(data).map(DataSource::parse), seeds, length);
  }

  private PathMatcher wanted() {
    return FileSystems.getDefault().getPathMatcher("glob:" + (only == null ? "*" : only));
  }

  private Void requireSome(List<Run> chosen, List<Run> all) {
    Input.require(
        !chosen.isEmpty(),
        "--only must match a run, got '%s'; runs are named like %s",
        only,
        all.get(0).id());
    return null;
  }

  private ResultFolder folder(Experiment experiment) throws IOException {
    Path folder = out == null ? Path.of("experiments", experiment.name()) : out;
    Input.require(
        !Files.exists(folder) || Files.isDirectory(folder),
        "--out must be a folder, got the file %s; name another",
        folder);
    return new ResultFolder(folder);
  }
}
