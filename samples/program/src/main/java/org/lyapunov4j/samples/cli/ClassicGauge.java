// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.stability.StabilityReport;

/**
 * What the classic gauge of the edge of stability is called: η·sharpness/2 where 2/η is the limit
 * of the full-batch step, sharpness/limit where momentum, decay or an adaptive updater make it
 * another.
 */
public final class ClassicGauge {
  /** The name that is right for every step. */
  public static final String GENERAL = "sharpness/limit";

  private static final String PLAIN = "η·sharpness/2";
  private static final double ROUNDING = 1e-9;

  private ClassicGauge() {}

  /**
   * Its name for the step of a report, which knows of no updater.
   *
   * @param report of any tier
   * @return the name
   */
  public static String name(StabilityReport report) {
    return report.step().isPlain() ? PLAIN : GENERAL;
  }

  /**
   * Its name for the step of a checkpoint of a record.
   *
   * @param checkpoint with λ; of a record of old it tells no name
   * @return the name
   */
  public static String name(CheckpointDocument checkpoint) {
    return checkpoint.text("classicGauge").orElseGet(() -> isPlain(checkpoint) ? PLAIN : GENERAL);
  }

  private static boolean isPlain(CheckpointDocument checkpoint) {
    double plain = checkpoint.number("learningRate") * checkpoint.number("sharpness") / 2;
    return Math.abs(checkpoint.number("classicEdgeRatio") - plain) <= ROUNDING * plain
        && checkpoint.text("step").filter(step -> step.startsWith("SGD,")).isPresent();
  }
}
