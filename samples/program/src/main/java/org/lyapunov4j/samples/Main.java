// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import org.lyapunov4j.samples.analyze.AnalyzeCommand;
import org.lyapunov4j.samples.cli.Launcher;
import org.lyapunov4j.samples.doctor.DoctorCommand;
import org.lyapunov4j.samples.exponent.ExponentCommand;
import org.lyapunov4j.samples.gram.GramCommand;
import org.lyapunov4j.samples.report.ReportCommand;
import org.lyapunov4j.samples.train.TrainCommand;
import org.lyapunov4j.samples.whatif.WhatIfCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Entry point of the command line program. */
@Command(
    name = "lyapunov4j",
    description =
        "Watches the dynamical stability of SGD: Lyapunov exponents from tangent kernels.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.ManifestVersion.class,
    subcommands = {
      TrainCommand.class,
      ExponentCommand.class,
      GramCommand.class,
      AnalyzeCommand.class,
      WhatIfCommand.class,
      ReportCommand.class,
      DoctorCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:success",
      "1:failure of the program itself; of doctor, a routine that is wrong",
      "2:bad input, explained in one line on standard error",
      "130:ended by Ctrl-C, what was done is kept"
    })
public final class Main implements Runnable {

  @Spec private CommandSpec spec;

  private Main() {}

  /**
   * Runs the program and exits with its status.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    Launcher.run(new Main(), args);
  }

  static CommandLine commandLine() {
    return Launcher.commandLine(new Main());
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** Reads the version from the manifest of the jar that holds this class. */
  static final class ManifestVersion implements IVersionProvider {

    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"lyapunov4j " + (version == null ? "(not packaged)" : version)};
    }
  }
}
