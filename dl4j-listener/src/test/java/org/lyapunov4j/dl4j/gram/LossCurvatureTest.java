// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossHinge;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood;

/** R Rᵀ is the derivative of the gradient Deeplearning4j computes itself. */
class LossCurvatureTest {
  private static final double[] F = {0.7, -1.3, 0.2};

  static Stream<Arguments> losses() {
    INDArray weights = Nd4j.createFromArray(new double[][] {{0.5, 2, 3}});
    double[] target = {0.3, -0.2, 1.5};
    double[] oneHot = {0, 1, 0};
    double[] soft = {0.2, 0.7, 0.4};
    double[] bits = {1, 0, 1};
    return Stream.of(
        Arguments.of(new LossMSE(), Activation.IDENTITY, target),
        Arguments.of(new LossMSE(weights), Activation.IDENTITY, target),
        Arguments.of(new LossL2(), Activation.IDENTITY, target),
        Arguments.of(new LossL2(weights), Activation.IDENTITY, target),
        Arguments.of(new LossMCXENT(), Activation.SOFTMAX, oneHot),
        Arguments.of(new LossMCXENT(), Activation.SOFTMAX, soft),
        Arguments.of(new LossMCXENT(weights), Activation.SOFTMAX, oneHot),
        Arguments.of(new LossMCXENT(weights), Activation.SOFTMAX, soft),
        Arguments.of(new LossNegativeLogLikelihood(), Activation.SOFTMAX, oneHot),
        Arguments.of(new LossBinaryXENT(), Activation.SIGMOID, bits),
        Arguments.of(new LossBinaryXENT(weights), Activation.SIGMOID, bits));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void theFactorSquaresToTheHessian(ILossFunction loss, Activation activation, double[] labels) {
    IActivation function = activation.getActivationFunction();
    LossCurvature curvature = LossCurvature.of(loss, function);
    double[][] r = new double[3][3];
    curvature.factor(F, labels, LossCurvature.weights(loss), r);
    for (int l = 0; l < 3; l++) {
      double[] column = hessianColumn(loss, function, labels, l);
      for (int k = 0; k < 3; k++) {
        double square = 0;
        for (int j = 0; j < 3; j++) {
          square += r[k][j] * r[l][j];
        }
        assertThat(square).isCloseTo(column[k], within(1e-8));
      }
    }
  }

  /** R e is the gradient Deeplearning4j computes, and the losses add up to its score. */
  @ParameterizedTest
  @MethodSource("losses")
  void residualsGiveTheGradient(ILossFunction loss, Activation activation, double[] labels) {
    IActivation function = activation.getActivationFunction();
    double[] weights = LossCurvature.weights(loss);
    boolean outsideItsRange = activation == Activation.SOFTMAX && weights == null && labels[0] > 0;
    if (outsideItsRange) {
      return;
    }
    LossCurvature curvature = LossCurvature.of(loss, function);
    double[][] r = new double[3][3];
    double[] e = new double[3];
    double[] losses = new double[3];
    curvature.factor(F, labels, weights, r);
    curvature.residual(F, labels, weights, e, losses);
    INDArray y = Nd4j.createFromArray(new double[][] {labels});
    INDArray f = Nd4j.createFromArray(new double[][] {F});
    double[] gradient = loss.computeGradient(y, f.dup(), function, null).toDoubleVector();
    for (int k = 0; k < 3; k++) {
      double product = r[k][0] * e[0] + r[k][1] * e[1] + r[k][2] * e[2];
      assertThat(product).isCloseTo(gradient[k], within(1e-9));
    }
    assertThat(losses[0] + losses[1] + losses[2])
        .isCloseTo(loss.computeScore(y, f.dup(), function, null, false), within(1e-9));
  }

  /** Central differences of the gradient with respect to the pre-activation. */
  private static double[] hessianColumn(
      ILossFunction loss, IActivation activation, double[] labels, int column) {
    double step = 1e-5;
    double[] up = F.clone();
    double[] down = F.clone();
    up[column] += step;
    down[column] -= step;
    INDArray y = Nd4j.createFromArray(new double[][] {labels});
    INDArray difference =
        loss.computeGradient(y, Nd4j.createFromArray(new double[][] {up}), activation, null)
            .sub(
                loss.computeGradient(
                    y, Nd4j.createFromArray(new double[][] {down}), activation, null));
    return difference.div(2 * step).toDoubleVector();
  }

  @Test
  void cannotOverflowForExtremeLogits() {
    double[][] r = new double[2][2];
    LossCurvature.SIGMOID_CROSS_ENTROPY.factor(
        new double[] {800, -800}, new double[] {1, 0}, new double[] {1, 1}, r);
    assertThat(r[0][0]).isBetween(0.0, 1e-100);
    assertThat(r[1][1]).isBetween(0.0, 1e-100);
    LossCurvature.SOFTMAX_CROSS_ENTROPY.factor(
        new double[] {800, -800}, new double[] {1, 0}, new double[] {1, 1}, r);
    assertThat(r[0]).containsExactly(0, -0.0);
  }

  @Test
  void refusesWhatHasNoRule() {
    assertThatThrownBy(
            () -> LossCurvature.of(new LossHinge(), Activation.TANH.getActivationFunction()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("LossHinge")
        .hasMessageContaining("use");
    assertThatThrownBy(
            () -> LossCurvature.of(new LossMCXENT(), Activation.SIGMOID.getActivationFunction()))
        .hasMessageContaining("ActivationSigmoid")
        .hasMessageContaining("use Activation.SOFTMAX");
  }
}
