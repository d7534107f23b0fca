// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.step.RandomStream;

/**
 * The cloning method for E ‖M⋯M x‖^p: clones of a vector are driven by independent realisations of
 * the product and weighted by their growth to the power p; when the weights have become uneven, the
 * population is drawn anew from them. It finds the rare growth that carries the moment, which an
 * average over independent trajectories never meets.
 *
 * <p>All clones draw from one sampler, one after the other, which makes them independent: single
 * steps of an i.i.d. scheme, whole epochs of the others.
 *
 * <p>Source: J. Vanneste, Phys. Rev. E 81, 036701 (2010).
 */
final class Population {
  private final double order;
  private final LinearCocycle.Realisation realisation;
  private final RandomStream resampling;
  private final int stepsPerUnit;
  private final double[] logWeights;
  private double[][] clones;
  private double[][] spare;

  Population(LinearCocycle cocycle, int size, double order, RandomStream random) {
    this.order = order;
    realisation = cocycle.realise(random.split(0));
    resampling = random.split(1);
    RandomStream start = random.split(2);
    stepsPerUnit = cocycle.isIndependent() ? 1 : cocycle.stepsPerEpoch();
    logWeights = new double[size];
    clones = new double[size][];
    spare = new double[size][cocycle.dimension()];
    for (int c = 0; c < size; c++) {
      clones[c] = cocycle.randomDirection(start);
      logWeights[c] = -Math.log(size);
    }
  }

  /** Steps taken by {@link #advance}. */
  int stepsPerUnit() {
    return stepsPerUnit;
  }

  /**
   * Takes one step, or one epoch if steps depend on each other.
   *
   * @return log of the weighted mean of ‖M x‖^p; −∞ once all clones are annihilated, +∞ once one is
   *     and p is negative
   */
  double advance() {
    for (int c = 0; c < clones.length; c++) {
      if (logWeights[c] != Double.NEGATIVE_INFINITY) {
        logWeights[c] += order * grow(clones[c]);
      }
    }
    double logMean = logSum();
    if (Double.isFinite(logMean)) {
      double squares = normalise(logMean);
      if (squares * clones.length > 2) {
        resample();
      }
    }
    return logMean;
  }

  private double grow(double[] clone) {
    double growth = 0;
    for (int s = 0; s < stepsPerUnit; s++) {
      growth += realisation.next().grow(clone);
    }
    return growth;
  }

  private double logSum() {
    double largest = Double.NEGATIVE_INFINITY;
    for (double logWeight : logWeights) {
      largest = Math.max(largest, logWeight);
    }
    if (Double.isInfinite(largest)) {
      return largest;
    }
    double sum = 0;
    for (double logWeight : logWeights) {
      sum += Math.exp(logWeight - largest);
    }
    return largest + Math.log(sum);
  }

  /** Makes the weights add up to one and returns the sum of their squares. */
  private double normalise(double logSum) {
    double squares = 0;
    for (int c = 0; c < logWeights.length; c++) {
      logWeights[c] -= logSum;
      double weight = Math.exp(logWeights[c]);
      squares += weight * weight;
    }
    return squares;
  }

  /** Systematic resampling: equally spaced positions with one random offset. */
  private void resample() {
    int size = clones.length;
    double position = resampling.nextDouble() / size;
    double cumulated = 0;
    int child = 0;
    for (int c = 0; c < size && child < size; c++) {
      cumulated += Math.exp(logWeights[c]);
      boolean last = c == size - 1;
      while (child < size && (last || position < cumulated)) {
        System.arraycopy(clones[c], 0, spare[child], 0, clones[c].length);
        child++;
        position += 1.0 / size;
      }
    }
    double[][] held = clones;
    clones = spare;
    spare = held;
    Arrays.fill(logWeights, -Math.log(size));
  }
}
