// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Comparator;
import java.util.List;
import org.lyapunov4j.exponent.RateSweep;

/**
 * Where λ(η) leaves zero, from its values at several learning rates: the posterior of c in
 *
 * <pre>
 *   λ(η) = C ((η − c)/c)^γ   for η &gt; c,      λ(η) ≤ 0 for η ≤ c,
 * </pre>
 *
 * with γ between 1 (well-conditioned kernels) and 3 (ill-conditioned ones, whose growth comes in
 * bursts), each equally likely, C fitted, and c equally likely between a lower bound and the lowest
 * rate from which on λ is clearly positive.
 *
 * <p>All candidates are judged by the same points, those up to 12 % beyond that rate; a window that
 * moved with the candidate would let low ones escape. Beside its standard error a point is allowed
 * (0.04 + (η − c)/c)·λ for what the power law misses. One point never costs more than a few units
 * of χ², whatever happened to it. The constants were chosen on a dozen tangent kernels and tested
 * on others.
 */
final class EdgePosterior {
  private static final double[] POWERS = {1, 1.25, 1.5, 1.75, 2, 2.5, 3};
  private static final int CANDIDATES = 160;
  private static final double WINDOW = 1.12;
  private static final int FEWEST_ABOVE = 3;
  private static final double MODEL_ERROR = 0.04;

  /** Standard errors beyond which λ is clearly positive, and below which it is not at all. */
  private static final double CLEAR = 4;

  private static final double DOUBTFUL = 2;

  /** Nats an epoch: less is not told from the slow modes of a short run. */
  private static final double LEAST_GROWTH = 5e-4;

  private static final int FITS = 3;

  private final double[] rates;
  private final double[] growth;
  private final double[] errors;
  private final double lowest;
  private final double toll;
  private final double clear;
  private final double top;
  private final double[] weights = new double[CANDIDATES];
  private double total;

  /**
   * The posterior.
   *
   * @param points at least 8, of one sweep or several
   * @param lowest the least possible c, positive
   * @param stepsPerEpoch of the points
   * @param toll what a point below a candidate costs; 1 is what one above costs a right candidate
   *     on average, without which high candidates have fewer points to pay for
   */
  EdgePosterior(List<RateSweep.Point> points, double lowest, int stepsPerEpoch, double toll) {
    this.toll = toll;
    List<RateSweep.Point> sorted =
        points.stream().sorted(Comparator.comparingDouble(RateSweep.Point::rate)).toList();
    int n = sorted.size();
    rates = new double[n];
    growth = new double[n];
    errors = new double[n];
    for (int i = 0; i < n; i++) {
      rates[i] = sorted.get(i).rate();
      growth[i] = sorted.get(i).exponent() * stepsPerEpoch;
      errors[i] =
          Math.max(sorted.get(i).standardError() * stepsPerEpoch, 1e-6 * Math.abs(growth[i]));
      errors[i] = Math.max(errors[i], 1e-12);
    }
    this.lowest = lowest;
    clear = Math.max(lowestClear(), 1.002 * lowest);
    top = top();
    weigh();
  }

  /** Whether λ is clearly positive at the highest rate, without which nothing is known. */
  boolean isUnstableAtTop() {
    return isClear(rates.length - 1);
  }

  /** Whether λ is clearly positive at the lowest rate as well. */
  boolean isUnstableAtBottom() {
    return clear <= Math.max(rates[0], 1.002 * lowest);
  }

  /** The lowest rate from which on λ is clearly positive. */
  double clear() {
    return clear;
  }

  /** A quantile of c; the weight of a candidate is spread evenly over half a step to both sides. */
  double quantile(double p) {
    double below = 0;
    for (int a = 0; a < CANDIDATES; a++) {
      double share = weights[a] / total;
      if (below + share >= p) {
        double inside = share > 0 ? (p - below) / share : 0;
        return candidate(Math.max(0, Math.min(CANDIDATES - 1, a - 0.5 + inside)));
      }
      below += share;
    }
    return candidate(CANDIDATES - 1);
  }

  /** The distance of the candidates, less than which the power law is not told from others. */
  double resolution() {
    return (clear - lowest) / (CANDIDATES - 1);
  }

  private boolean isClear(int i) {
    return growth[i] > Math.max(CLEAR * errors[i], LEAST_GROWTH);
  }

  /** Downwards from the top; undecided rates are passed over. */
  private double lowestClear() {
    double lowestClear = rates[rates.length - 1];
    for (int i = rates.length - 1; i >= 0; i--) {
      if (isClear(i)) {
        lowestClear = Math.min(lowestClear, rates[i]);
      } else if (growth[i] < DOUBTFUL * errors[i]) {
        break;
      }
    }
    return lowestClear;
  }

  private double top() {
    int above = 0;
    double top = WINDOW * clear;
    for (double rate : rates) {
      if (rate >= clear && ++above == FEWEST_ABOVE) {
        top = Math.max(top, rate);
      }
    }
    return top;
  }

  private double candidate(double index) {
    return lowest + (clear - lowest) * index / (CANDIDATES - 1);
  }

  private void weigh() {
    double[][] chi = new double[CANDIDATES][POWERS.length];
    double least = Double.POSITIVE_INFINITY;
    for (int a = 0; a < CANDIDATES; a++) {
      double below = chiBelow(candidate(a));
      for (int p = 0; p < POWERS.length; p++) {
        chi[a][p] = below + chiAbove(candidate(a), POWERS[p]);
        least = Math.min(least, chi[a][p]);
      }
    }
    for (int a = 0; a < CANDIDATES; a++) {
      for (double value : chi[a]) {
        weights[a] += Math.exp(-0.5 * (value - least));
      }
      total += weights[a];
    }
  }

  /** Below the edge only growth speaks against a candidate, beside the toll. */
  private double chiBelow(double c) {
    double chi = 0;
    for (int i = 0; i < rates.length && rates[i] <= c; i++) {
      double z = Math.max(0, growth[i]) / errors[i];
      chi += Math.max(toll, limited(z * z));
    }
    return chi;
  }

  private double chiAbove(double c, double power) {
    double factor = fit(c, power);
    double chi = 0;
    for (int i = 0; i < rates.length && rates[i] <= top; i++) {
      if (rates[i] > c) {
        double curve = factor * Math.pow(rates[i] / c - 1, power);
        double variance = variance(i, c, curve);
        double deviation = growth[i] - curve;
        chi +=
            limited(deviation * deviation / variance)
                + Math.log(variance / (errors[i] * errors[i]));
      }
    }
    return chi;
  }

  /** C by least squares, whose weights depend on it. */
  private double fit(double c, double power) {
    double factor = 0;
    for (int round = 0; round < FITS; round++) {
      double products = 0;
      double squares = Double.MIN_NORMAL;
      for (int i = 0; i < rates.length && rates[i] <= top; i++) {
        if (rates[i] > c) {
          double shape = Math.pow(rates[i] / c - 1, power);
          double variance = variance(i, c, factor * shape);
          products += shape * growth[i] / variance;
          squares += shape * shape / variance;
        }
      }
      factor = Math.max(1e-12, products / squares);
    }
    return factor;
  }

  private double variance(int i, double c, double curve) {
    double missed = (MODEL_ERROR + rates[i] / c - 1) * curve;
    return errors[i] * errors[i] + missed * missed;
  }

  private static double limited(double square) {
    return Math.min(square, 9 + Math.log1p(square));
  }
}
