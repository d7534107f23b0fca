// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * A loss function that takes its labels for its derivative with respect to the network's output, or
 * its logits: with it, Deeplearning4j's gradient is a row of the Jacobian.
 */
final class DerivativeLoss implements ILossFunction {
  private static final long serialVersionUID = 1L;
  private final boolean logits;

  DerivativeLoss(boolean logits) {
    this.logits = logits;
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray z, IActivation activation, INDArray mask, boolean average) {
    return 0;
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray z, IActivation activation, INDArray mask) {
    throw new UnsupportedOperationException("has derivatives only");
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray z, IActivation activation, INDArray mask) {
    INDArray derivatives = labels.castTo(z.dataType()).dup();
    return logits ? derivatives : activation.backprop(z.dup(), derivatives).getFirst();
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray z, IActivation activation, INDArray mask, boolean average) {
    return new Pair<>(0.0, computeGradient(labels, z, activation, mask));
  }

  @Override
  public String name() {
    return "derivatives";
  }
}
