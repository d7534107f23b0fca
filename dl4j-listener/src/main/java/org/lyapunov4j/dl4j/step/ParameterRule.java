// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.L1Regularization;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * How one parameter array moves at one iteration.
 *
 * @param name for messages
 * @param bias whether Deeplearning4j counts it as a bias
 * @param array the parameters, a view of the model's
 * @param gradientFactor what Deeplearning4j's gradient is of the true one
 * @param updaterName of its updater's class
 * @param updater its updater
 * @param warmUp after how many gradients the updater's state describes the steps to come
 * @param atEpsilon whether its rate is 0 but Deeplearning4j steps at the updater's epsilon
 * @param l1 coefficient of the sign in the gradient
 * @param l2 coefficient in the gradient
 * @param weightDecay coefficient of a decay after the updater, times η
 * @param absoluteDecay coefficient of a decay after the updater, not times η
 */
record ParameterRule(
    String name,
    boolean bias,
    INDArray array,
    double gradientFactor,
    String updaterName,
    UpdaterRule updater,
    int warmUp,
    boolean atEpsilon,
    double l1,
    double l2,
    double weightDecay,
    double absoluteDecay) {

  static ParameterRule read(
      Trainable owner,
      String ownerName,
      String parameter,
      double factor,
      int iteration,
      int epoch) {
    String name = parameter + " of " + ownerName;
    IUpdater updater = owner.getConfig().getUpdaterByParam(parameter);
    UpdaterRule rule = UpdaterRule.of(updater, name, iteration, epoch);
    boolean atEpsilon = UpdaterRule.stepsAtEpsilon(updater, iteration, epoch);
    List<Regularization> regularizations = owner.getConfig().getRegularizationByParam(parameter);
    double l1 = 0;
    double l2 = 0;
    double weightDecay = 0;
    double absoluteDecay = 0;
    for (Regularization regularization :
        regularizations == null ? List.<Regularization>of() : regularizations) {
      if (regularization instanceof L1Regularization penalty) {
        l1 += penalty.getL1().valueAt(iteration, epoch);
      } else if (regularization instanceof L2Regularization penalty) {
        l2 += penalty.getL2().valueAt(iteration, epoch);
      } else if (regularization instanceof WeightDecay decay) {
        double coefficient = decay.getCoeff().valueAt(iteration, epoch);
        weightDecay += decay.isApplyLR() && !atEpsilon ? coefficient : 0;
        absoluteDecay += decay.isApplyLR() ? 0 : coefficient;
      } else {
        throw unsupported(regularization, name);
      }
    }
    return new ParameterRule(
        name,
        isBias(owner, parameter),
        owner.paramTable(false).get(parameter),
        factor,
        updater.getClass().getSimpleName(),
        rule,
        WarmUp.gradients(updater),
        atEpsilon,
        l1,
        l2,
        weightDecay,
        absoluteDecay);
  }

  private static boolean isBias(Trainable owner, String parameter) {
    return owner instanceof Layer layer
        && layer.conf().getLayer().initializer().isBiasParam(layer.conf().getLayer(), parameter);
  }

  /** The rate of this parameter over that of another. */
  double relativeRate(ParameterRule reference) {
    return updater.learningRate() == reference.updater.learningRate()
        ? 1
        : updater.learningRate() / reference.updater.learningRate();
  }

  /**
   * The l2 coefficient of a step at the rate of the reference that shrinks this parameter alike.
   */
  double l2(ParameterRule reference) {
    return l2 * relativeRate(reference);
  }

  /** The same for the decay after the updater. */
  double weightDecay(ParameterRule reference) {
    double share = weightDecay * relativeRate(reference);
    return absoluteDecay == 0 ? share : share + absoluteDecay / reference.updater.learningRate();
  }

  /** How many of its numbers l1 carries over 0 in a step, where they rattle. */
  long rattling() {
    double reach = updater.learningRate() * l1;
    return l1 == 0
        ? 0
        : Transforms.abs(array, true).lte(reach).castTo(array.dataType()).sumNumber().longValue();
  }

  /** Whether its weight in the parameterWeights of a step at the rate of the reference is 1. */
  boolean hasWeightOne(ParameterRule reference) {
    return !updater.isAdaptive() && gradientFactor == 1 && relativeRate(reference) == 1;
  }

  /** Whether it moves at all where the reference does. */
  boolean moves(ParameterRule reference) {
    return relativeRate(reference) != 0 || absoluteDecay != 0;
  }

  boolean decays() {
    return l2 != 0 || weightDecay != 0 || absoluteDecay != 0;
  }

  private static UnsupportedTrainingException unsupported(
      Regularization regularization, String name) {
    return new UnsupportedTrainingException(
        "The regularisation " + regularization.getClass().getSimpleName() + " of " + name,
        "it has no linear step around a minimum",
        "use l1, l2 or weightDecay");
  }
}
