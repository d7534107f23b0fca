// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.OutputFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Turns the records of runs into a page. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Turns the record of a run into one HTML page, with pictures; several records are compared.",
      "A record may be reported while the run goes on."
    })
public final class ReportCommand implements Callable<Integer> {
  enum Format {
    PNG,
    SVG
  }

  @Parameters(
      arity = "1..*",
      paramLabel = "RUN.jsonl",
      description = "Records, as train --out and the listener write them.")
  private List<Path> records;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE.html",
      description = "Where the page goes.")
  private Path out;

  @Option(
      names = "--pictures",
      paramLabel = "FOLDER",
      description = "Write every picture as a file of its own too.")
  private Path pictures;

  @Option(names = "--format", defaultValue = "png", description = "Of the pictures: png or svg.")
  private Format format;

  @Spec private CommandSpec spec;

  /** The command. */
  public ReportCommand() {}

  @Override
  public Integer call() throws IOException {
    List<RunHistory> runs = new ArrayList<>();
    for (Path record : records) {
      runs.add(Input.accept(spec, () -> RunHistory.read(record)));
    }
    Input.accept(spec, this::requireFiles);
    StabilityReportPage page = StabilityReportPage.of(runs);
    page.write(out);
    PrintWriter terminal = spec.commandLine().getOut();
    terminal.printf("report    %s%n", out);
    if (pictures != null) {
      for (Path picture : page.writePictures(pictures, format == Format.SVG)) {
        terminal.printf("picture   %s%n", picture);
      }
    }
    terminal.flush();
    return 0;
  }

  private Void requireFiles() throws IOException {
    OutputFile.require("--out", out, ".html", ".htm");
    OutputFile.requireFolder("--pictures", pictures);
    return null;
  }
}
