// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.lang.reflect.Method;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** The standard streams as the commands write to them. */
public final class Console {
  private Console() {}

  /**
   * Standard output.
   *
   * @return flushed at line ends
   */
  public static PrintWriter out() {
    return writer(FileDescriptor.out, "stdout.encoding");
  }

  /**
   * Standard error.
   *
   * @return flushed at line ends
   */
  public static PrintWriter err() {
    return writer(FileDescriptor.err, "stderr.encoding");
  }

  /**
   * Whether someone is watching, so that a line may be rewritten in place.
   *
   * @return true if standard input and output are a terminal
   */
  @SuppressWarnings("SystemConsoleNull") // null up to JDK 21, asked below from JDK 22
  public static boolean isTerminal() {
    java.io.Console console = System.console();
    if (console == null || "dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      // JDK 22 and later hand out a console even where there is no terminal, and say so here.
      Method isTerminal = java.io.Console.class.getMethod("isTerminal");
      return (boolean) isTerminal.invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }

  private static PrintWriter writer(FileDescriptor descriptor, String encodingProperty) {
    return new PrintWriter(
        new OutputStreamWriter(new FileOutputStream(descriptor), charset(encodingProperty)), true);
  }

  /**
   * A process without a locale is told that the world is ASCII; terminals and files today are
   * UTF-8.
   */
  private static Charset charset(String encodingProperty) {
    String name =
        System.getProperty(encodingProperty, System.getProperty("native.encoding", "UTF-8"));
    Charset charset = Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.UTF_8;
    return charset.newEncoder().canEncode('λ') ? charset : StandardCharsets.UTF_8;
  }
}
