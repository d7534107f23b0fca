// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * A loss without a curvature here, for the plain kernel: f is the pre-activation, and the residuals
 * are Deeplearning4j's own derivative ∂ℓ/∂f, so that a gradient is Jᵀe.
 *
 * @param loss the loss function
 * @param activation of the layer that holds it
 */
record GradientOnly(ILossFunction loss, IActivation activation) implements Curvature {
  @Override
  public boolean overLogits() {
    return true;
  }

  @Override
  public boolean labelsFitOutputs() {
    return false;
  }

  @Override
  public Rows at(double[][] f, double[][] y, double[] w) {
    INDArray z = Nd4j.createFromArray(f);
    INDArray labels = Nd4j.createFromArray(y);
    double[][] gradient =
        loss.computeGradient(labels.dup(), z.dup(), activation, null).toDoubleMatrix();
    return new Rows() {
      @Override
      public void factor(int row, double[][] r) {
        throw new IllegalStateException(loss.getClass().getSimpleName() + " has no curvature");
      }

      @Override
      public void residual(int row, double[] e, double[] losses) {
        System.arraycopy(gradient[row], 0, e, 0, e.length);
        losses[0] =
            loss.computeScore(
                Nd4j.createFromArray(new double[][] {y[row]}),
                Nd4j.createFromArray(new double[][] {f[row]}),
                activation,
                null,
                false);
      }
    };
  }
}
