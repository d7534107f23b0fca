// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.run;

import java.time.Instant;

/**
 * A line of a record file: the network after a step.
 *
 * @param type {@code "checkpoint"}
 * @param iteration steps taken before this one
 * @param time when the parameters were copied
 * @param loss mean loss of all N training examples at these parameters
 * @param batchLoss mean loss of the mini-batch, just before the step
 * @param gramMillis cost of the Gram matrix
 * @param analysisMillis cost of its analysis
 * @param stability exponents and verdict
 */
public record CheckpointRecord(
    String type,
    int iteration,
    Instant time,
    double loss,
    double batchLoss,
    long gramMillis,
    long analysisMillis,
    StabilityRecord stability) {}
