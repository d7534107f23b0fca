// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import org.lyapunov4j.dl4j.record.CheckpointLine;
import org.lyapunov4j.dl4j.record.StabilityRecord;
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
   * Its name for the step of a line of a record.
   *
   * @param line of a checkpoint
   * @return the name
   */
  public static String name(CheckpointLine line) {
    StabilityRecord found = line.stability();
    double plain = found.learningRate() * found.sharpness() / 2;
    boolean isPlain = Math.abs(found.classicEdgeRatio() - plain) <= ROUNDING * plain;
    return isPlain && line.step() != null && line.step().startsWith("SGD,") ? PLAIN : GENERAL;
  }
}
