// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lyapunov4j.step.RandomStream;

/**
 * Benettin's method: q orthonormal columns are carried through a realisation of a cocycle and made
 * orthonormal again from time to time; log R_jj adds up to the growth of the j-th exponent.
 *
 * <p>In exact arithmetic the sums do not depend on when columns are made orthonormal; in floating
 * point a block whose columns differ by s nats in growth loses e^s in accuracy. The next interval
 * is chosen from the spread seen before, to stay below {@value #SPREAD} nats, and is never longer
 * than {@value #LONGEST_INTERVAL} steps. An interval that turns out far worse than foreseen is run
 * again with the same matrices, one step at a time. So a column is found to be annihilated only in
 * a single step, where a factor with a singular value below 2⁻⁴⁴ of the largest is taken for
 * singular; the column is then removed for good: its exponent is −∞.
 *
 * <p>Source: Benettin, Galgani, Giorgilli and Strelcyn, Meccanica 15 (1980); Geist, Parlitz and
 * Lauterborn, Prog. Theor. Phys. 83 (1990).
 */
final class QrIteration {
  private static final int LONGEST_INTERVAL = 256;
  private static final double SPREAD = 10;
  private static final double INTOLERABLE_SPREAD = 2 * SPREAD;
  private static final double FORGET = 0.9;

  /** A vector of a frame of which less is outside the columns at hand adds nothing to them. */
  private static final double LEAST_NEW = 1e-6;

  private final LinearCocycle.Realisation realisation;
  private final Orthonormalisation orthonormalisation;
  private final double[][] columns;
  private final double[][] saved;
  private final double[] diagonal;
  private final double[] growth;
  private int alive;
  private int interval = 1;
  private double spreadPerStep;

  /**
   * Starts with a random orthonormal frame.
   *
   * @param count q, 1 … dimension
   */
  QrIteration(LinearCocycle cocycle, int count, RandomStream random) {
    realisation = cocycle.realise(random.split(0));
    orthonormalisation = new Orthonormalisation(count);
    columns = new double[count][];
    saved = new double[count][cocycle.dimension()];
    diagonal = new double[count];
    growth = new double[count];
    alive = count;
    RandomStream start = random.split(1);
    for (int j = 0; j < count; j++) {
      columns[j] = cocycle.randomDirection(start);
    }
    orthonormalisation.apply(columns, count, diagonal);
  }

  /**
   * Keeps the first columns and replaces the others, in this order, by what is new in a frame; the
   * realisation goes on.
   *
   * @param kept how many columns stay
   * @param frame orthonormal vectors, as many as there are dimensions
   */
  void continueWith(int kept, double[][] frame) {
    int filled = Math.min(kept, alive);
    for (int j = 0; j < frame.length && filled < columns.length; j++) {
      columns[filled] = frame[j].clone();
      orthonormalisation.apply(columns, filled + 1, diagonal);
      if (diagonal[filled] > LEAST_NEW) {
        filled++;
      }
    }
    alive = filled;
    interval = 1;
    Arrays.fill(growth, 0);
  }

  /** A copy of the columns that no factor has annihilated. */
  double[][] frame() {
    double[][] frame = new double[alive][];
    for (int j = 0; j < alive; j++) {
      frame[j] = columns[j].clone();
    }
    return frame;
  }

  /** Columns that no factor has annihilated. */
  int alive() {
    return alive;
  }

  /** Takes so many steps; the columns are orthonormal afterwards. */
  void advance(int steps) {
    int left = steps;
    while (left > 0 && alive > 0) {
      int length = Math.min(interval, left);
      advanceInterval(length);
      left -= length;
    }
  }

  /** The growth of each column in nats since the last call; −∞ for those annihilated. */
  double[] takeGrowth() {
    double[] taken = growth.clone();
    Arrays.fill(taken, alive, taken.length, Double.NEGATIVE_INFINITY);
    Arrays.fill(growth, 0);
    return taken;
  }

  private void advanceInterval(int length) {
    List<LinearCocycle.Factor> factors = new ArrayList<>(length);
    for (int s = 0; s < length; s++) {
      factors.add(realisation.next());
    }
    if (length > 1) {
      copy(columns, saved);
    }
    apply(factors);
    double spread = spread();
    if (length > 1 && !(spread < INTOLERABLE_SPREAD)) {
      copy(saved, columns);
      for (LinearCocycle.Factor factor : factors) {
        apply(List.of(factor));
        record();
      }
    } else {
      record();
    }
    chooseInterval(spread / length);
  }

  private void apply(List<LinearCocycle.Factor> factors) {
    for (int j = 0; j < alive; j++) {
      for (LinearCocycle.Factor factor : factors) {
        factor.apply(columns[j]);
      }
    }
    orthonormalisation.apply(columns, alive, diagonal);
  }

  private void record() {
    int kept = 0;
    for (int j = 0; j < alive; j++) {
      if (diagonal[j] > 0) {
        growth[kept] = growth[j] + Math.log(diagonal[j]);
        double[] column = columns[j];
        columns[j] = columns[kept];
        columns[kept] = column;
        kept++;
      }
    }
    alive = kept;
  }

  /** The largest |log R_jj|, or the range of log R_jj if that is larger; ∞ if a column vanished. */
  private double spread() {
    double least = 0;
    double most = 0;
    for (int j = 0; j < alive; j++) {
      double log = Math.log(diagonal[j]);
      least = Math.min(least, log);
      most = Math.max(most, log);
    }
    return most - least;
  }

  private void chooseInterval(double observed) {
    double bounded = Math.min(observed, INTOLERABLE_SPREAD);
    spreadPerStep = Math.max(bounded, FORGET * spreadPerStep);
    int longest = Math.min(LONGEST_INTERVAL, 2 * interval);
    interval = (int) Math.max(1, Math.min(longest, SPREAD / spreadPerStep));
  }

  private void copy(double[][] from, double[][] to) {
    for (int j = 0; j < alive; j++) {
      System.arraycopy(from[j], 0, to[j], 0, from[j].length);
    }
  }
}
