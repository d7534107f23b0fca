// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.io.PrintWriter;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Ends a program with one line on standard error: status 2 for bad input, 1 for a failure of its
 * own.
 */
public final class ErrorLines implements IParameterExceptionHandler, IExecutionExceptionHandler {
  /** Set in the environment, it adds the stack trace of a failure. */
  private static final String TRACE = "LYAPUNOV4J_TRACE";

  /** The handlers. */
  public ErrorLines() {}

  /**
   * Installs the handlers.
   *
   * @param commandLine with its commands already added; modified
   * @return the argument
   */
  public static CommandLine install(CommandLine commandLine) {
    ErrorLines handler = new ErrorLines();
    return commandLine.setParameterExceptionHandler(handler).setExecutionExceptionHandler(handler);
  }

  @Override
  public int handleParseException(ParameterException failure, String[] args) {
    print(failure.getCommandLine(), failure.getMessage());
    return ExitCode.USAGE;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine commandLine, ParseResult parsed) {
    print(commandLine, "failed: " + failure + " (set " + TRACE + "=1 for the stack trace)");
    if (System.getenv(TRACE) != null) {
      failure.printStackTrace(commandLine.getErr());
      commandLine.getErr().flush();
    }
    return ExitCode.SOFTWARE;
  }

  /**
   * Prints a complaint after which the command goes on.
   *
   * @param commandLine the running command
   * @param message becomes one line
   */
  public static void print(CommandLine commandLine, String message) {
    PrintWriter err = commandLine.getErr();
    String line = message.strip().replaceAll("\\s*\\R\\s*", " ");
    err.printf(Locale.ROOT, "%s: %s%n", commandLine.getCommandSpec().qualifiedName(" "), line);
    err.flush();
  }
}
