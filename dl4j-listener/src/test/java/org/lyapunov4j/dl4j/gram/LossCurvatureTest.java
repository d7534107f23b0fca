// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
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
import org.nd4j.linalg.lossfunctions.impl.LossCosineProximity;
import org.nd4j.linalg.lossfunctions.impl.LossHinge;
import org.nd4j.linalg.lossfunctions.impl.LossKLD;
import org.nd4j.linalg.lossfunctions.impl.LossL1;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMAPE;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossMSLE;
import org.nd4j.linalg.lossfunctions.impl.LossMixtureDensity;
import org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood;
import org.nd4j.linalg.lossfunctions.impl.LossPoisson;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossSquaredHinge;
import org.nd4j.linalg.lossfunctions.impl.LossWasserstein;

/** R Rᵀ is the derivative of the gradient Deeplearning4j computes itself. */
class LossCurvatureTest {
  private static final double[] F = {0.7, -1.3, 0.2};
  private static final double[] POSITIVE = {0.7, 1.3, 0.9};

  static Stream<Arguments> losses() {
    INDArray weights = Nd4j.createFromArray(new double[][] {{0.5, 2, 3}});
    double[] target = {0.3, -0.2, 1.5};
    double[] oneHot = {0, 1, 0};
    double[] soft = {0.2, 0.7, 0.4};
    double[] bits = {1, 0, 1};
    double[] signs = {1, -1, 1};
    return Stream.of(
        Arguments.of(new LossMSE(), Activation.IDENTITY, target, F),
        Arguments.of(new LossMSE(weights), Activation.IDENTITY, target, F),
        Arguments.of(new LossL2(), Activation.IDENTITY, target, F),
        Arguments.of(new LossL2(weights), Activation.IDENTITY, target, F),
        Arguments.of(new LossMCXENT(), Activation.SOFTMAX, oneHot, F),
        Arguments.of(new LossMCXENT(), Activation.SOFTMAX, soft, F),
        Arguments.of(new LossMCXENT(weights), Activation.SOFTMAX, oneHot, F),
        Arguments.of(new LossMCXENT(weights), Activation.SOFTMAX, soft, F),
        Arguments.of(new LossNegativeLogLikelihood(), Activation.SOFTMAX, oneHot, F),
        Arguments.of(new LossSparseMCXENT(), Activation.SOFTMAX, oneHot, F),
        Arguments.of(new LossSparseMCXENT(weights), Activation.SOFTMAX, oneHot, F),
        Arguments.of(new LossKLD(), Activation.SOFTMAX, oneHot, F),
        Arguments.of(new LossKLD(), Activation.SOFTMAX, soft, F),
        Arguments.of(new LossBinaryXENT(), Activation.SIGMOID, bits, F),
        Arguments.of(new LossBinaryXENT(weights), Activation.SIGMOID, bits, F),
        Arguments.of(new LossPoisson(), Activation.IDENTITY, soft, POSITIVE),
        Arguments.of(new LossPoisson(), Activation.IDENTITY, bits, POSITIVE),
        Arguments.of(new LossSquaredHinge(), Activation.IDENTITY, signs, F),
        Arguments.of(new LossSquaredHinge(), Activation.IDENTITY, target, F));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void theFactorSquaresToTheHessian(
      ILossFunction loss, Activation activation, double[] labels, double[] f) {
    IActivation function = activation.getActivationFunction();
    LossCurvature curvature = LossCurvature.of(loss, function);
    double[][] r = new double[3][3];
    curvature.factor(f, labels, LossCurvature.weights(loss), r);
    for (int l = 0; l < 3; l++) {
      double[] column = hessianColumn(loss, function, labels, f, l);
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
  void residualsGiveTheGradient(
      ILossFunction loss, Activation activation, double[] labels, double[] at) {
    IActivation function = activation.getActivationFunction();
    double[] weights = LossCurvature.weights(loss);
    boolean soft = activation == Activation.SOFTMAX && weights == null && labels[0] > 0;
    boolean gradientWithoutCurvature = loss instanceof LossPoisson && labels[1] == 0;
    boolean outsideItsRange = soft || gradientWithoutCurvature;
    if (outsideItsRange) {
      return;
    }
    LossCurvature curvature = LossCurvature.of(loss, function);
    double[][] r = new double[3][3];
    double[] e = new double[3];
    double[] losses = new double[3];
    curvature.factor(at, labels, weights, r);
    curvature.residual(at, labels, weights, e, losses);
    double[] given = loss instanceof LossSparseMCXENT ? new double[] {1} : labels;
    INDArray y = Nd4j.createFromArray(new double[][] {given});
    INDArray f = Nd4j.createFromArray(new double[][] {at});
    double[] gradient = loss.computeGradient(y, f.dup(), function, null).toDoubleVector();
    for (int k = 0; k < 3; k++) {
      double product = r[k][0] * e[0] + r[k][1] * e[1] + r[k][2] * e[2];
      assertThat(product).isCloseTo(gradient[k], within(1e-9));
    }
    assertThat(losses[0] + losses[1] + losses[2])
        .isCloseTo(
            loss.computeScore(y, f.dup(), function, null, false),
            within(loss instanceof LossKLD ? 1e-3 : 1e-9)); // its score clips labels at 1e-5
  }

  /** Central differences of the gradient with respect to the pre-activation. */
  private static double[] hessianColumn(
      ILossFunction loss, IActivation activation, double[] labels, double[] f, int column) {
    double step = 1e-5;
    double[] up = f.clone();
    double[] down = f.clone();
    up[column] += step;
    down[column] -= step;
    double[] given = loss instanceof LossSparseMCXENT ? new double[] {1} : labels;
    INDArray y = Nd4j.createFromArray(new double[][] {given});
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

  /** All loss functions in Deeplearning4j's jar file. */
  static List<Class<?>> classes() throws Exception {
    URL jar = LossMSE.class.getProtectionDomain().getCodeSource().getLocation();
    List<Class<?>> classes = new ArrayList<>();
    try (JarFile file = new JarFile(Path.of(jar.toURI()).toFile())) {
      for (JarEntry entry : Collections.list(file.entries())) {
        String name = entry.getName();
        if (name.matches("org/nd4j/linalg/lossfunctions/impl/[^/$]*[.]class")) {
          classes.add(Class.forName(name.replace(".class", "").replace('/', '.')));
        }
      }
    }
    return classes;
  }

  private static ILossFunction instance(Class<?> type) throws Exception {
    return type == LossMixtureDensity.class
        ? LossMixtureDensity.builder().gaussians(2).labelWidth(1).build()
        : (ILossFunction) type.getConstructor().newInstance();
  }

  @Test
  void everyLossHasACheckedRuleOrARefusalOfItsOwn() throws Exception {
    Set<Class<?>> checked =
        losses().map(arguments -> arguments.get()[0].getClass()).collect(Collectors.toSet());
    assertThat(classes()).hasSizeGreaterThanOrEqualTo(19).containsAll(checked);
    for (Class<?> type : classes()) {
      ILossFunction loss = instance(type);
      if (!checked.contains(type)) {
        assertThatThrownBy(() -> LossCurvature.of(loss, Activation.SOFTMAX.getActivationFunction()))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageStartingWith("no curvature rule for the loss " + type.getSimpleName() + ": ")
            .hasMessageMatching(".*; (use|train|end) .*")
            .hasMessageNotContaining("not one of Deeplearning4j's");
      }
    }
  }

  @Test
  void whatIsRefusedAsNotConvexOrLinearIs() {
    IActivation identity = Activation.IDENTITY.getActivationFunction();
    double[] labels = {0.3, 0.2, 0.5};
    double[] far = {9, 8, 7};
    double[] opposite = {-0.3, -0.2, -0.5};
    assertThat(hessianColumn(new LossMSLE(), identity, labels, far, 0)[0]).isLessThan(-1e-3);
    assertThat(hessianColumn(new LossCosineProximity(), identity, labels, opposite, 0)[0])
        .isLessThan(-1e-3);
    for (ILossFunction loss :
        List.of(
            new LossL1(), new LossMAE(), new LossMAPE(), new LossHinge(), new LossWasserstein())) {
      for (int l = 0; l < 3; l++) {
        assertThat(hessianColumn(loss, identity, labels, F, l))
            .containsExactly(new double[3], within(1e-9));
      }
    }
  }

  @Test
  void theCosineIsTheSquaredErrorOfNormalisedOutputs() {
    INDArray labels = Nd4j.createFromArray(new double[][] {{0.6, 0, 0.8}});
    INDArray outputs = Nd4j.createFromArray(new double[][] {F});
    IActivation identity = Activation.IDENTITY.getActivationFunction();
    double cosine = new LossCosineProximity().computeScore(labels, outputs, identity, null, false);
    INDArray unit = outputs.div(outputs.norm2Number());
    double squares = new LossL2().computeScore(labels, unit, identity, null, false);
    assertThat(squares).isCloseTo(2 + 2 * cosine, within(1e-12));
  }

  @Test
  void refusesLabelsAndOutputsTheLossIsNotConvexFor() {
    double[][] r = new double[1][1];
    double[] one = {1};
    double[] negative = {-0.5};
    assertThatThrownBy(() -> LossCurvature.POISSON.factor(negative, one, null, r))
        .hasMessageContaining("positive outputs only, got -0.5");
    assertThatThrownBy(() -> LossCurvature.POISSON.factor(one, negative, null, r))
        .hasMessageContaining("got -0.5");
    assertThatThrownBy(() -> LossCurvature.SQUARED_ERROR.factor(one, one, negative, r))
        .hasMessageContaining("got -0.5");
    assertThatThrownBy(() -> LossCurvature.SOFTMAX_DIVERGENCE.factor(one, negative, null, r))
        .hasMessageContaining("got -0.5");
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
