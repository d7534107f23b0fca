// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Instant;
import java.util.List;
import org.lyapunov4j.dl4j.gram.FixedNorms;
import org.lyapunov4j.dl4j.step.NormalisedGradient;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * All that a checkpoint needs of the live model, copied in the training thread. Whoever computes
 * the checkpoint closes it.
 *
 * @param iteration the model's iteration counter
 * @param epoch the model's epoch counter
 * @param time when it was taken
 * @param loss the model's score
 * @param tier how much to compute
 * @param step the training step
 * @param parameterWeights the weights of the parameters that go with the step, a private array;
 *     null for ones
 * @param decays what l2 shrinks every parameter by where it is preconditioned, a private array; or
 *     null
 * @param fixedNorms the weight vectors that the step holds at their largest norm, or null
 * @param normalised what is divided by its norm in a step
 * @param parameters a private copy of the flat parameters
 * @param tangent how far the tangent vector had come that steps with training, or null
 */
record Snapshot(
    int iteration,
    int epoch,
    Instant time,
    double loss,
    Tier tier,
    TrainingStep step,
    INDArray parameterWeights,
    INDArray decays,
    FixedNorms fixedNorms,
    List<NormalisedGradient> normalised,
    INDArray parameters,
    HessianTracker.Mark tangent)
    implements AutoCloseable {

  @Override
  public void close() {
    parameters.close();
    if (parameterWeights != null) {
      parameterWeights.close();
    }
    if (decays != null) {
      decays.close();
    }
  }
}
