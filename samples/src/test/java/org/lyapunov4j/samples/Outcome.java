// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/** What a command did, run inside this JVM as {@link Main} runs it. */
record Outcome(int status, String out, String err) {
  static Outcome of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        Main.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute(args);
    return new Outcome(status, out.toString(), err.toString());
  }

  List<String> lines() {
    return out.lines().toList();
  }
}
