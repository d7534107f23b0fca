// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.samples.cli.CheckpointTable;
import org.lyapunov4j.samples.cli.Progress;
import org.lyapunov4j.stability.StabilityReport;

/**
 * A table of checkpoints as plain lines and, on a terminal only, a last line that is rewritten in
 * place: progress, time left, loss, the last edge ratio as a gauge. A terminal that is too narrow
 * shows its beginning.
 */
final class TerminalDisplay implements RunObserver {
  private static final String CLEAR_LINE = "\r\u001b[2K";
  private static final String WRAP_OFF = "\u001b[?7l";
  private static final String WRAP_ON = "\u001b[?7h";
  private static final long REDRAW_NANOS = Duration.ofMillis(200).toNanos();

  private final PrintWriter out;
  private final boolean terminal;
  private final LongSupplier nanoseconds;
  private String gauge = "";
  private RunDescription run;
  private long start;
  private long drawn;

  /**
   * A display.
   *
   * @param terminal whether a line may be rewritten
   * @param nanoseconds a clock that starts anywhere
   */
  TerminalDisplay(PrintWriter out, boolean terminal, LongSupplier nanoseconds) {
    this.out = out;
    this.terminal = terminal;
    this.nanoseconds = nanoseconds;
  }

  @Override
  public void started(RunDescription run) {
    this.run = run;
    start = nanoseconds.getAsLong();
    drawn = start;
    out.printf(Locale.ROOT, "data     %s, %d examples%n", run.description(), run.examples());
    out.printf(
        Locale.ROOT,
        "network  %s %s, %d parameters, loss %s, %s%n",
        run.layers().stream().map(String::valueOf).collect(Collectors.joining("-")),
        run.activation(),
        run.parameters(),
        run.loss(),
        run.precision().toLowerCase(Locale.ROOT));
    out.printf(Locale.ROOT, "step     %s%n", run.step());
    out.printf(
        Locale.ROOT,
        "run      %d iterations, a checkpoint every %d, seed %d%n%n",
        run.iterations(),
        run.interval(),
        run.seed());
    out.println(CheckpointTable.header());
    out.flush();
  }

  @Override
  public void stepped(int iteration, double loss) {
    long now = nanoseconds.getAsLong();
    if (!terminal || now - drawn < REDRAW_NANOS) {
      return;
    }
    drawn = now;
    int done = iteration + 1;
    double left = (now - start) * 1e-9 * (run.iterations() - done) / done;
    out.printf(
        Locale.ROOT,
        "%s%s%d/%d %3.0f %%  %s left  loss %.2e%s%s",
        CLEAR_LINE,
        WRAP_OFF,
        done,
        run.iterations(),
        100.0 * done / run.iterations(),
        Progress.seconds(left),
        loss,
        gauge,
        WRAP_ON);
    out.flush();
  }

  @Override
  public void checkpoint(Checkpoint checkpoint) {
    gauge = gauge(checkpoint);
    clear();
    out.println(CheckpointTable.row(checkpoint));
    out.flush();
  }

  /** The edge ratio; without one its bound η/η_ms, or the classic gauge, by its own name. */
  private static String gauge(Checkpoint checkpoint) {
    if (!(checkpoint.findings() instanceof StabilityReport stability)) {
      return "  " + checkpoint.level().kind();
    }
    boolean isBound =
        stability.edgeRatio().isEmpty() && stability.meanSquareEdgeRatio().isPresent();
    String other = isBound ? "η/η_ms" : checkpoint.classicGauge();
    String name = stability.edgeRatio().isPresent() ? "η/η_c" : other;
    double ratio =
        stability
            .edgeRatio()
            .orElseGet(
                () -> stability.meanSquareEdgeRatio().orElseGet(stability::classicEdgeRatio));
    String coming =
        checkpoint
            .forecast()
            .map(forecast -> String.format(Locale.ROOT, " 1 at about %.0f", forecast.iteration()))
            .orElse("");
    return String.format(Locale.ROOT, "  %s %.3f %s%s", name, ratio, Gauge.of(ratio), coming);
  }

  @Override
  public void ended(RunEnd end) {
    clear();
    out.printf(
        Locale.ROOT,
        "%n%s after %d iterations in %s, loss %.3e%n",
        end.reason().name().toLowerCase(Locale.ROOT),
        end.iterations(),
        Progress.seconds(end.seconds()),
        end.loss());
    out.flush();
  }

  private void clear() {
    if (terminal) {
      out.print(CLEAR_LINE);
    }
  }
}
