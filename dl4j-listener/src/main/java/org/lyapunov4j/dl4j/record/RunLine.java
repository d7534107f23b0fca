// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.Instant;
import java.util.Objects;

/**
 * The first line of a record: what is watched, and with what.
 *
 * @param schema version of the record's format, {@value #SCHEMA} when written by this version; new
 *     fields and new types of line do not change it
 * @param run the name of the run
 * @param started when the first checkpoint was due
 * @param provenance the software
 * @param model class of the model
 * @param parameters P
 * @param precision data type of the parameters
 * @param examples N of the probe
 * @param outputs K
 * @param probe SHA-256 of the probe, in hexadecimal
 * @param seed of the estimates
 * @param step the training step at the start, in one sentence
 */
public record RunLine(
    int schema,
    String run,
    Instant started,
    Provenance provenance,
    String model,
    long parameters,
    String precision,
    int examples,
    int outputs,
    String probe,
    long seed,
    String step)
    implements RecordLine {
  /** The version of the format. */
  public static final int SCHEMA = 1;

  /** {@inheritDoc} */
  public RunLine {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(probe, "probe");
  }
}
