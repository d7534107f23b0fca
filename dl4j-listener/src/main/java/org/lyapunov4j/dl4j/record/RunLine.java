// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.Instant;
import java.util.Objects;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;

/**
 * The first line of a record: what is watched, and with what.
 *
 * @param schema version of the record's format, {@value #SCHEMA} when written by this version; new
 *     fields and new types of line do not change it
 * @param run the name of the run
 * @param started when the first checkpoint was due
 * @param provenance the software
 * @param model class of the model; null if none was seen
 * @param parameters P; 0 if no model was seen
 * @param precision data type of the parameters; null if no model was seen
 * @param examples N of the probe
 * @param outputs K; 0 if no model was seen
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
  public static final int SCHEMA = 2;

  /** {@inheritDoc} */
  public RunLine {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(probe, "probe");
  }

  /** The first line of a record whose model was never seen, for want of an iteration. */
  static RunLine withoutModel(RunInfo run) {
    return new RunLine(
        SCHEMA,
        run.run(),
        run.clock().instant(),
        Provenance.current(),
        null,
        0,
        null,
        run.examples(),
        0,
        run.probe(),
        run.seed(),
        null);
  }

  /** The first line of a record that this process begins. */
  static RunLine of(RunInfo run, ModelInfo model) {
    return new RunLine(
        SCHEMA,
        run.run(),
        run.clock().instant(),
        Provenance.current(),
        model.type(),
        model.parameters(),
        model.precision(),
        run.examples(),
        model.outputs(),
        run.probe(),
        run.seed(),
        model.step().toString());
  }
}
