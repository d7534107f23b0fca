// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Entry point of the command line program. */
@Command(
    name = "lyapunov4j",
    description = "Sample experiments of lyapunov4j.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.ManifestVersion.class)
public final class Main implements Runnable {

  @Spec private CommandSpec spec;

  private Main() {}

  /**
   * Runs the program and exits with its status.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
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
