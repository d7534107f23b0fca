// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.io.PrintWriter;
import java.util.Locale;

/**
 * How much of a task of equal parts is done and how long the rest will take, on a last line of the
 * terminal that is rewritten in place; where nobody watches, nothing is printed.
 */
public final class Progress implements AutoCloseable {
  private static final String CLEAR_LINE = "\r\u001b[2K";

  private final PrintWriter out;
  private final boolean terminal;
  private final String what;
  private final int total;
  private final long start = System.nanoTime();
  private int done;

  /**
   * Begins.
   *
   * @param out where to
   * @param terminal whether someone watches
   * @param what is counted, in the plural
   * @param total how many, at least 0
   */
  public Progress(PrintWriter out, boolean terminal, String what, int total) {
    this.out = out;
    this.terminal = terminal;
    this.what = what;
    this.total = total;
    draw();
  }

  /** One more is done. */
  public synchronized void step() {
    done++;
    draw();
  }

  /**
   * Prints a line above.
   *
   * @param line without its end
   */
  public synchronized void println(String line) {
    clear();
    out.println(line);
    draw();
  }

  private void draw() {
    if (terminal && done < total) {
      double left = (System.nanoTime() - start) * 1e-9 * (total - done) / Math.max(1, done);
      out.printf(
          Locale.ROOT,
          "%s%d of %d %s%s",
          CLEAR_LINE,
          done,
          total,
          what,
          done == 0 ? "" : ", " + seconds(left) + " left");
      out.flush();
    }
  }

  private void clear() {
    if (terminal) {
      out.print(CLEAR_LINE);
    }
  }

  /**
   * A duration for people.
   *
   * @param seconds at least 0
   * @return in minutes and seconds
   */
  public static String seconds(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60
        ? whole + " s"
        : String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
  }

  @Override
  public synchronized void close() {
    clear();
    out.flush();
  }
}
