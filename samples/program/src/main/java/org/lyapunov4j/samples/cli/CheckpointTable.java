// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.util.Locale;
import java.util.OptionalDouble;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.StabilityReport;

/** Checkpoints as lines of a table for the terminal, the edge ratio first. */
public final class CheckpointTable {
  private CheckpointTable() {}

  /**
   * The names of the columns.
   *
   * @return a line
   */
  public static String header() {
    return String.format(
        "%9s  %9s  %-21s  %-24s  %15s  %s",
        "iteration",
        "loss",
        "η/η_c [95 % interval]",
        "λ (nats/step)",
        "sharpness/limit",
        "verdict");
  }

  /**
   * A checkpoint, with the iteration at which its trend reaches the edge, if it has one.
   *
   * @param checkpoint what was found
   * @return a line
   */
  public static String row(Checkpoint checkpoint) {
    if (!(checkpoint.findings() instanceof StabilityReport stability)) {
      return checkpoint.toString();
    }
    return String.format(
        Locale.ROOT,
        "%9d  %9.3e  %-21s  %-24s  %15.3f  %s%s",
        checkpoint.iteration(),
        checkpoint.probeLoss(),
        EdgeRatio.of(stability).map(EdgeRatio::toString).orElseGet(() -> bound(stability)),
        stability.exponent(),
        stability.classicEdgeRatio(),
        checkpoint.verdict().orElseThrow().kind(),
        checkpoint
            .forecast()
            .map(
                coming ->
                    String.format(
                        Locale.ROOT,
                        ", edge at about %.0f (%.0f–%.0f)",
                        coming.iteration(),
                        coming.low(),
                        coming.high()))
            .orElse(""));
  }

  private static String bound(StabilityReport stability) {
    OptionalDouble ratio = stability.meanSquareEdgeRatio();
    return ratio.isPresent() ? String.format(Locale.ROOT, "≤ %.3f", ratio.getAsDouble()) : "–";
  }
}
