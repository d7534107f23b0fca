// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.util.List;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * How to train.
 *
 * @param hidden widths of the hidden layers
 * @param activation of the hidden layers
 * @param loss of the linear output layer
 * @param type precision
 * @param step learning rate, batch size and sampling
 * @param iterations steps
 * @param interval steps between checkpoints
 * @param tier how much is analysed at a checkpoint
 * @param seed of the initial parameters, the mini-batches and the estimates
 */
record TrainSettings(
    List<Integer> hidden,
    Activation activation,
    LossFunction loss,
    DataType type,
    SgdStep step,
    int iterations,
    int interval,
    Tier tier,
    long seed) {}
