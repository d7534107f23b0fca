// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.util.List;

/**
 * A question put to the software: runs, each of which stands for itself, and what their results say
 * together.
 */
interface Experiment {
  /** As on the command line. */
  String name();

  /** The question, one line. */
  String question();

  /**
   * The runs, in the order in which they are best begun.
   *
   * @throws IOException if data cannot be read
   * @throws IllegalArgumentException if the settings cannot be used, saying why
   */
  List<Run> runs(Settings settings) throws IOException;

  /** What the results say; some runs may be missing. */
  Findings findings(List<RunResult> results);
}
