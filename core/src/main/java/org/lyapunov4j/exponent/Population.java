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
 * <p>Where single matrices can be preferred under which a clone grows, they are, and its weight
 * makes up for it: one large example in a thousand carries a moment and would be missed by a
 * population of hundreds.
 *
 * <p>Otherwise all clones draw from one sampler, one after the other, which makes them independent:
 * single steps of an i.i.d. scheme, whole epochs of the others.
 *
 * <p>Source: J. Vanneste, Phys. Rev. E 81, 036701 (2010).
 */
final class Population {
  /** Steps after which what is remembered of the clones is formed anew. */
  private static final int LOOK_EVERY = 256;

  private final double order;
  private final LinearCocycle.Realisation realisation;
  private final RandomStream resampling;
  private final LinearCocycle.Tilt tilt;
  private final RandomStream tilting;
  private final double[] draw = new double[1];
  private final int stepsPerUnit;
  private final double[] logWeights;
  private double[][] clones;
  private double[][] spare;
  private double[][] sights;
  private double[][] spareSights;
  private int sinceLook;

  Population(
      LinearCocycle cocycle, LinearCocycle.Tilt tilt, int size, double order, RandomStream random) {
    this.order = order;
    realisation = cocycle.realise(random.split(0));
    resampling = random.split(1);
    RandomStream start = random.split(2);
    this.tilt = tilt;
    tilting = random.split(3);
    int sight = tilt == null ? 0 : tilt.sightLength();
    sights = new double[size][sight];
    spareSights = new double[size][sight];
    stepsPerUnit = cocycle.isIndependent() ? 1 : cocycle.stepsPerEpoch();
    logWeights = new double[size];
    clones = new double[size][];
    spare = new double[size][cocycle.dimension()];
    for (int c = 0; c < size; c++) {
      clones[c] = cocycle.randomDirection(start);
      logWeights[c] = -Math.log(size);
    }
    look();
  }

  /** Starts again with all clones in one direction; the realisations go on. */
  void restart(double[] direction) {
    for (double[] clone : clones) {
      System.arraycopy(direction, 0, clone, 0, clone.length);
    }
    Arrays.fill(logWeights, -Math.log(clones.length));
    look();
  }

  private void look() {
    sinceLook = 0;
    for (int c = 0; c < clones.length && tilt != null; c++) {
      tilt.look(clones[c], sights[c]);
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
    if (++sinceLook > LOOK_EVERY) {
      look();
    }
    for (int c = 0; c < clones.length; c++) {
      if (logWeights[c] != Double.NEGATIVE_INFINITY) {
        logWeights[c] += grow(c);
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

  /** The log of what the weight of a clone is multiplied with. */
  private double grow(int c) {
    if (tilt != null) {
      double growth = tilt.grow(clones[c], sights[c], order, tilting, draw);
      return order == 0 ? 0 : order * growth + draw[0];
    }
    double growth = 0;
    for (int s = 0; s < stepsPerUnit; s++) {
      growth += realisation.next().grow(clones[c]);
    }
    return order * growth;
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
        System.arraycopy(sights[c], 0, spareSights[child], 0, sights[c].length);
        child++;
        position += 1.0 / size;
      }
    }
    double[][] held = clones;
    clones = spare;
    spare = held;
    double[][] heldSights = sights;
    sights = spareSights;
    spareSights = heldSights;
    Arrays.fill(logWeights, -Math.log(size));
  }
}
