// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * An output of a network with its loss.
 *
 * @param node index of the node, whose output is a matrix with the variable of the loss in its rows
 * @param loss Deeplearning4j's loss function, or null if the layer is its own
 * @param curvature its curvature rule
 * @param labelRows brings labels into the rows of the output
 * @param mask Deeplearning4j's mask of the loss, or null
 */
record Output(
    int node,
    ILossFunction loss,
    Curvature curvature,
    TimeStepsRule.Split labelRows,
    INDArray mask) {}
