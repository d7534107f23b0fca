// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.Instant;

/**
 * Training went on after the program had ended. Checkpoints of lines before this one whose
 * iteration is not before {@code iteration} belong to steps that were lost with the parameters.
 *
 * @param iteration the first iteration seen
 * @param time when
 * @param provenance the software, which may have changed
 * @param step the training step, in one sentence
 */
public record ResumeLine(int iteration, Instant time, Provenance provenance, String step)
    implements RecordLine {}
