// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.lyapunov4j.step.Momentum;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * How one parameter array of a layer moves at one iteration.
 *
 * @param name for messages
 * @param bias whether Deeplearning4j counts it as a bias
 * @param learningRate η
 * @param momentum the memory of its updater
 * @param l2 coefficient in the gradient
 * @param weightDecay coefficient after the updater, times η
 */
record ParameterRule(
    String name,
    boolean bias,
    double learningRate,
    Momentum momentum,
    double l2,
    double weightDecay) {

  static ParameterRule read(
      Layer layer, String layerName, String parameter, int iteration, int epoch) {
    String name = parameter + " of " + layerName;
    IUpdater updater = layer.getConfig().getUpdaterByParam(parameter);
    Momentum momentum = momentum(updater, name, iteration, epoch);
    double learningRate = updater.getLearningRate(iteration, epoch);
    List<Regularization> regularizations = layer.getConfig().getRegularizationByParam(parameter);
    double l2 = 0;
    double weightDecay = 0;
    if (regularizations != null) {
      for (Regularization regularization : regularizations) {
        if (regularization instanceof L2Regularization penalty) {
          l2 += penalty.getL2().valueAt(iteration, epoch);
        } else if (regularization instanceof WeightDecay decay) {
          double coefficient = decay.getCoeff().valueAt(iteration, epoch);
          weightDecay += decay.isApplyLR() ? coefficient : coefficient / learningRate;
        } else {
          throw unsupported(regularization, name);
        }
      }
    }
    var initializer = layer.conf().getLayer().initializer();
    boolean bias = initializer.isBiasParam(layer.conf().getLayer(), parameter);
    return new ParameterRule(name, bias, learningRate, momentum, l2, weightDecay);
  }

  private static Momentum momentum(IUpdater updater, String name, int iteration, int epoch) {
    if (updater instanceof Sgd) {
      return Momentum.NONE;
    }
    if (updater instanceof Nesterovs nesterovs) {
      double coefficient = nesterovs.currentMomentum(iteration, epoch);
      return coefficient == 0 ? Momentum.NONE : new Momentum.Nesterov(coefficient);
    }
    throw new UnsupportedTrainingException(
        "The updater " + updater.getClass().getSimpleName() + " of " + name,
        "its step depends on the history of the gradients",
        "train with Sgd or Nesterovs");
  }

  private static UnsupportedTrainingException unsupported(
      Regularization regularization, String name) {
    return new UnsupportedTrainingException(
        "The regularisation " + regularization.getClass().getSimpleName() + " of " + name,
        "it has no linear step around a minimum",
        "use l2 or weightDecay");
  }
}
