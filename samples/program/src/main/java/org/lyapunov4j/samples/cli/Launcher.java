// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.util.Locale;
import picocli.CommandLine;

/** Starts a program: streams, numbers and errors are the same for every one. */
public final class Launcher {
  private Launcher() {}

  /**
   * Runs a program and exits with its status.
   *
   * @param program annotated for picocli
   * @param args the command line
   */
  public static void run(Object program, String[] args) {
    // numbers are for programs too: no digits or commas of the country
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    System.exit(commandLine(program).setOut(Console.out()).setErr(Console.err()).execute(args));
  }

  /**
   * A program that is not yet run.
   *
   * @param program annotated for picocli
   * @return ends with one line on standard error where the input is bad
   */
  public static CommandLine commandLine(Object program) {
    return ErrorLines.install(new CommandLine(program)).setCaseInsensitiveEnumValuesAllowed(true);
  }
}
