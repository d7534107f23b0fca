// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.SgdStep;

/**
 * How to train.
 *
 * @param network what is trained
 * @param step learning rate, batch size and sampling
 * @param iterations steps
 * @param interval steps between checkpoints
 * @param tier how much is analysed at a checkpoint
 * @param seed of the initial parameters, the mini-batches and the estimates
 */
record TrainSettings(
    DenseNetwork network, SgdStep step, int iterations, int interval, Tier tier, long seed) {}
