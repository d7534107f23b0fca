// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.RmsProp;

/**
 * How many gradients an adaptive updater needs before its state describes the steps to come. At
 * first each gradient moves what it divides by, and the corrections of its moving averages make the
 * steps unlike the later ones; a linearisation with the state held fixed then is that of no step
 * but one.
 */
final class WarmUp {
  /** What a memory β may still lack: βᵗ. */
  private static final double MISSING = 0.1;

  /**
   * What the newest squared gradient may weigh among all; or, if more, 1.25 of its final weight.
   */
  private static final double NEWEST = 0.05;

  private static final double NEAR_FINAL = 1.25;

  private WarmUp() {}

  /** The number of gradients; 1 for updaters that keep no squares. */
  static int gradients(IUpdater updater) {
    if (updater instanceof Adam adam) {
      return Math.max(filled(adam.getBeta1()), settled(adam.getBeta2()));
    }
    if (updater instanceof AMSGrad ams) {
      return Math.max(filled(ams.getBeta1()), settled(ams.getBeta2()));
    }
    if (updater instanceof AdaMax adaMax) {
      return Math.max(filled(adaMax.getBeta1()), settled(adaMax.getBeta2()));
    }
    if (updater instanceof Nadam nadam) {
      return Math.max(filled(nadam.getBeta1()), settled(nadam.getBeta2()));
    }
    if (updater instanceof RmsProp rmsProp) {
      return settled(rmsProp.getRmsDecay());
    }
    if (updater instanceof AdaDelta adaDelta) {
      return settled(adaDelta.getRho());
    }
    // the t-th of t equal weights
    return updater instanceof AdaGrad ? (int) Math.ceil(1 / NEWEST) : 1;
  }

  /** The least t with βᵗ ≤ {@value #MISSING}. */
  private static int filled(double beta) {
    return beta > 0 ? Math.max(1, (int) Math.ceil(Math.log(MISSING) / Math.log(beta))) : 1;
  }

  /** The least t at which the newest of t squares weighs (1 − ρ)/(1 − ρᵗ) no more than allowed. */
  private static int settled(double rho) {
    if (!(rho > 0)) {
      return 1;
    }
    double share = (1 - rho) / Math.max(NEWEST, NEAR_FINAL * (1 - rho));
    return Math.max(1, (int) Math.ceil(Math.log1p(-share) / Math.log(rho)));
  }
}
