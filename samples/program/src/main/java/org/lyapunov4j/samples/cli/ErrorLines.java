// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.util.List;
import org.lyapunov4j.samples.io.BadFileException;
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
  /** Characters of a line; longer ones lose their middle, since the remedy is at the end. */
  private static final int LONGEST = 300;

  /** Set in the environment, it adds the stack trace of a failure. */
  private static final String TRACE = "LYAPUNOV4J_TRACE";

  private static final String OUT_OF_MEMORY =
      "what was asked for must fit into memory, got none left; ask for less or start java with a"
          + " larger -Xmx";

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
    return commandLine
        .setParameterExceptionHandler(handler)
        .setExecutionExceptionHandler(handler)
        .setExecutionStrategy(ErrorLines::executeInMemory);
  }

  /** Too little memory for what was asked is no failure of the program. */
  private static int executeInMemory(ParseResult parsed) {
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (OutOfMemoryError e) {
      List<CommandLine> commands = parsed.asCommandLineList();
      print(commands.get(commands.size() - 1), OUT_OF_MEMORY);
      return ExitCode.USAGE;
    }
  }

  @Override
  public int handleParseException(ParameterException failure, String[] args) {
    print(failure.getCommandLine(), failure.getMessage());
    return ExitCode.USAGE;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine commandLine, ParseResult parsed) {
    if (failure instanceof BadFileException || failure instanceof FileSystemException) {
      print(commandLine, reason(failure));
      return ExitCode.USAGE;
    }
    if (isOutOfMemory(failure)) {
      print(commandLine, OUT_OF_MEMORY);
      return ExitCode.USAGE;
    }
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
    String line =
        commandLine.getCommandSpec().qualifiedName(" ")
            + ": "
            + message.strip().replaceAll("\\s*\\R\\s*", " ").replaceAll("\\p{Cntrl}", "?");
    if (line.length() > LONGEST) {
      int head = LONGEST / 2;
      line = line.substring(0, head) + "…" + line.substring(line.length() - LONGEST + head + 1);
    }
    err.println(line);
    err.flush();
  }

  /**
   * What a failure says of itself.
   *
   * @param failure any
   * @return its message, or its name if it has none
   */
  public static String reason(Throwable failure) {
    String message = failure.getMessage();
    return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
  }

  /** Native code throws exceptions of its own where it gets no memory. */
  private static boolean isOutOfMemory(Throwable failure) {
    return failure != null
        && (failure instanceof OutOfMemoryError
            || String.valueOf(failure.getMessage()).contains("bad_alloc")
            || isOutOfMemory(failure.getCause()));
  }
}
