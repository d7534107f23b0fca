// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;

/** Growth of a series of epochs or blocks, without what a covariate of mean zero explains. */
final class ControlledGrowth {
  static final int BATCHES = 16;

  private ControlledGrowth() {}

  /**
   * The growth less its regression on the covariate.
   *
   * @param growth changed in place
   * @param covariate as many numbers, whose expectation is 0
   * @return the growth
   */
  static double[] adjusted(double[] growth, double[] covariate) {
    double meanX = Arrays.stream(covariate).average().orElseThrow();
    double meanY = Arrays.stream(growth).average().orElseThrow();
    double products = 0;
    double squares = 0;
    for (int i = 0; i < growth.length; i++) {
      products += (covariate[i] - meanX) * (growth[i] - meanY);
      squares += (covariate[i] - meanX) * (covariate[i] - meanX);
    }
    double slope = squares > 0 ? products / squares : 0;
    for (int i = 0; i < growth.length; i++) {
      growth[i] -= slope * covariate[i];
    }
    return growth;
  }

  /** The standard error of the mean from {@link #BATCHES} batch means; at least as many numbers. */
  static double error(double[] growth) {
    int length = growth.length / BATCHES;
    double[] means = new double[BATCHES];
    for (int b = 0; b < BATCHES; b++) {
      for (int i = b * length; i < (b + 1) * length; i++) {
        means[b] += growth[i] / length;
      }
    }
    double mean = Arrays.stream(means).average().orElseThrow();
    double squares = 0;
    for (double value : means) {
      squares += (value - mean) * (value - mean);
    }
    return Math.sqrt(squares / (BATCHES - 1) / BATCHES);
  }
}
