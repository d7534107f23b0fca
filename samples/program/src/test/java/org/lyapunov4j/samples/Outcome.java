// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import picocli.CommandLine;

/**
 * What a command did, run inside this JVM as {@link Main} runs it.
 *
 * @param status of the process
 * @param out standard output
 * @param err standard error
 */
public record Outcome(int status, String out, String err) {
  static Outcome of(String... args) {
    return of(Main.commandLine(), args);
  }

  /** Of any program. */
  public static Outcome of(CommandLine program, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        program.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true)).execute(args);
    return new Outcome(status, out.toString(), err.toString());
  }

  /** Of standard output. */
  public List<String> lines() {
    return out.lines().toList();
  }
}
