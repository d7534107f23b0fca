// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.Map;
import org.lyapunov4j.step.Momentum;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.AMSGradUpdater;
import org.nd4j.linalg.learning.AdaDeltaUpdater;
import org.nd4j.linalg.learning.AdaGradUpdater;
import org.nd4j.linalg.learning.AdaMaxUpdater;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.NadamUpdater;
import org.nd4j.linalg.learning.RmsPropUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * An updater of Deeplearning4j 1.0.0-M2.1 as a step of rate η with a memory, in weighted
 * coordinates: around a minimum the squares of gradients that adaptive updaters divide by are of
 * second order, so that what they divide by may be held fixed.
 *
 * @param learningRate η; 1 for updaters that have none
 * @param momentum the memory
 * @param parameterWeights what each coordinate of the gradient is multiplied with; null for 1
 */
record UpdaterRule(double learningRate, Momentum momentum, Preconditioner parameterWeights) {

  /** Weights of an updater's parameters. */
  @FunctionalInterface
  interface Preconditioner {
    /**
     * The weights.
     *
     * @param state the updater's state after a step, not modified
     * @return a new array in the order of the state
     */
    INDArray weights(Map<String, INDArray> state);
  }

  static UpdaterRule of(IUpdater updater, String name, int iteration, int epoch) {
    double rate = updater.getLearningRate(iteration, epoch);
    int t = iteration + 1;
    if (updater instanceof Sgd) {
      return new UpdaterRule(rate, Momentum.NONE, null);
    }
    if (updater instanceof NoOp) {
      return new UpdaterRule(1, Momentum.NONE, null);
    }
    if (updater instanceof Nesterovs nesterovs) {
      double coefficient = nesterovs.currentMomentum(iteration, epoch);
      Momentum momentum = coefficient == 0 ? Momentum.NONE : new Momentum.Nesterov(coefficient);
      return new UpdaterRule(rate, momentum, null);
    }
    if (updater instanceof Adam adam) {
      double factor = Math.sqrt(1 - Math.pow(adam.getBeta2(), t)) / corrected(adam.getBeta1(), t);
      return new UpdaterRule(
          orEpsilon(rate, factor, adam.getEpsilon()),
          new Momentum.MovingAverage(adam.getBeta1()),
          state -> inverseRoot(state.get(AdamUpdater.V_STATE), adam.getEpsilon()).muli(factor));
    }
    if (updater instanceof AMSGrad ams) {
      double factor = Math.sqrt(1 - Math.pow(ams.getBeta2(), t)) / corrected(ams.getBeta1(), t);
      return new UpdaterRule(
          orEpsilon(rate, factor, ams.getEpsilon()),
          new Momentum.MovingAverage(ams.getBeta1()),
          state ->
              inverseRoot(state.get(AMSGradUpdater.V_HAT_STATE), ams.getEpsilon()).muli(factor));
    }
    if (updater instanceof AdaMax adaMax) {
      double factor = 1 / corrected(adaMax.getBeta1(), t);
      return new UpdaterRule(
          orEpsilon(rate, factor, adaMax.getEpsilon()),
          new Momentum.MovingAverage(adaMax.getBeta1()),
          state -> state.get(AdaMaxUpdater.U_STATE).rdiv(factor));
    }
    if (updater instanceof Nadam nadam) {
      return new UpdaterRule(
          rate,
          new Momentum.NesterovAverage(nadam.getBeta1()),
          state ->
              inverseRoot(state.get(NadamUpdater.V_STATE), nadam.getEpsilon())
                  .divi(corrected(nadam.getBeta1(), t)));
    }
    if (updater instanceof RmsProp rmsProp) {
      return new UpdaterRule(
          rate,
          Momentum.NONE,
          state -> inverseRoot(state.get(RmsPropUpdater.G_STATE), rmsProp.getEpsilon()));
    }
    if (updater instanceof AdaGrad adaGrad) {
      return new UpdaterRule(
          rate,
          Momentum.NONE,
          state -> inverseRoot(state.get(AdaGradUpdater.GRAD_STATE), adaGrad.getEpsilon()));
    }
    if (updater instanceof AdaDelta adaDelta) {
      return new UpdaterRule(
          1,
          Momentum.NONE,
          state ->
              Transforms.sqrt(
                  state
                      .get(AdaDeltaUpdater.MSDX_STATE)
                      .add(adaDelta.getEpsilon())
                      .divi(state.get(AdaDeltaUpdater.MSG_STATE).add(adaDelta.getEpsilon())),
                  false));
    }
    throw new UnsupportedTrainingException(
        "The updater " + updater.getClass().getSimpleName() + " of " + name,
        "its step is not known here",
        "train with Sgd, Nesterovs, Adam, AMSGrad, AdaMax, Nadam, RmsProp, AdaGrad or AdaDelta");
  }

  /** Whether Deeplearning4j takes the updater's epsilon for a rate of 0. */
  static boolean stepsAtEpsilon(IUpdater updater, int iteration, int epoch) {
    return (updater instanceof Adam || updater instanceof AMSGrad || updater instanceof AdaMax)
        && updater.getLearningRate(iteration, epoch) == 0;
  }

  /** Deeplearning4j 1.0.0-M2.1 replaces a product of rate and factor that is 0 by epsilon. */
  private static double orEpsilon(double rate, double factor, double epsilon) {
    return rate == 0 ? epsilon / factor : rate;
  }

  boolean isAdaptive() {
    return parameterWeights != null;
  }

  /** 1 − βᵗ. */
  private static double corrected(double beta, int t) {
    return 1 - Math.pow(beta, t);
  }

  /** 1/(√v + ε). */
  private static INDArray inverseRoot(INDArray v, double epsilon) {
    return Transforms.sqrt(v, true).addi(epsilon).rdivi(1);
  }
}
