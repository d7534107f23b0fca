// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.time.InstantSource;
import java.util.Objects;

/**
 * What is known of a run before its model is seen.
 *
 * @param run the name of the run
 * @param examples N of the probe
 * @param probe SHA-256 of the probe, in hexadecimal
 * @param seed of the estimates
 * @param clock of all times
 */
public record RunInfo(String run, int examples, String probe, long seed, InstantSource clock) {
  /** {@inheritDoc} */
  public RunInfo {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(probe, "probe");
    Objects.requireNonNull(clock, "clock");
    if (run.isBlank()) {
      throw new IllegalArgumentException("the run needs a name, got '" + run + "'");
    }
  }
}
