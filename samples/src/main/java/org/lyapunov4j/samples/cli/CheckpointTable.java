// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.util.Locale;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.StabilityReport;

/** Checkpoints as lines of a table for the terminal. */
public final class CheckpointTable {
  private CheckpointTable() {}

  /**
   * The names of the columns.
   *
   * @return a line
   */
  public static String header() {
    return String.format(
        "%9s  %9s  %20s  %9s  %6s  %s",
        "iteration", "loss", "λ ± se (nats/step)", "μ", "η·S/2", "verdict");
  }

  /**
   * A checkpoint.
   *
   * @param checkpoint what was found
   * @return a line
   */
  public static String row(Checkpoint checkpoint) {
    StabilityReport stability = checkpoint.stability();
    return String.format(
        Locale.ROOT,
        "%9d  %9.3e  %+10.3e ± %7.1e  %+9.2e  %6.3f  %s",
        checkpoint.iteration(),
        checkpoint.probeLoss(),
        stability.exponent().value(),
        stability.exponent().standardError(),
        stability.gdExponent(),
        stability.classicEdgeRatio(),
        stability.verdict().kind());
  }
}
