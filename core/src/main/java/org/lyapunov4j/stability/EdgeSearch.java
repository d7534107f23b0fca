// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.lyapunov4j.exponent.ParameterSweep;
import org.lyapunov4j.exponent.RateSweep;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * One search for the critical learning rate: a coarse sweep from a lower bound upwards, then sweeps
 * around the edge that start in the unstable direction, until the interval is narrow or the budget
 * is used up. All sweeps are judged together.
 */
final class EdgeSearch {
  private static final double[] COARSE = {1, 1.03, 1.07, 1.12, 1.18, 1.26, 1.36, 1.5};

  /** Ratio of neighbouring rates where nothing is known yet. */
  private static final double CLIMB = 1.2;

  private static final int MOST_CLIMBS = 40;

  /** Where an edge may lie below the lowest clearly unstable rate, if nothing is certified. */
  private static final double LOWEST_EDGE = 1.3;

  /** How far below the lowest rate of a sweep an edge is looked for, if nothing is certified. */
  private static final double SLACK = 1.1;

  private static final int COARSE_WARM_UP = 20;
  private static final int WARM_UP = 8;

  /** In flops: a sweep of a small matrix, and what all sweeps after the coarse one may cost. */
  private static final double WORK_OF_A_SWEEP = 4e8;

  private static final double WORK = 4.3e9;

  /** Learning rates of a sweep. */
  static final int RATES = COARSE.length;

  private static final int FEWEST_EPOCHS = 200;
  private static final int MOST_EPOCHS = 1024;
  private static final int COARSE_EPOCHS = 40;
  private static final int MOST_SWEEPS = 5;

  /** Relative width of an interval that is worth half as many sweeps again. */
  private static final double WIDE = 0.04;

  /** Rows from which on even the fewest epochs become dear. */
  private static final double LARGE = 2048;

  /** Below this share of η_c at η_ms growth comes in bursts too rare for a sweep of this length. */
  private static final double BURSTS = 0.86;

  /** Where the edge is searched for by a single sweep, which leans high. */
  private static final double TOLL = 1;

  private static final double LOW_QUANTILE = 0.025;
  private static final double HIGH_QUANTILE = 0.975;

  private final Sweep sweep;
  private final int stepsPerEpoch;
  private final int epochs;
  private final int mostSweeps;
  private final int moreSweeps;
  private final double tolerance;
  private final double certified;
  private final double meanSquare;
  private final RandomStream random;
  private final List<RateSweep.Point> points = new ArrayList<>();
  private final List<CriticalLearningRate.Evaluation> evaluations = new ArrayList<>();
  private Optional<Tangent> direction = Optional.empty();
  private double lowest;
  private int sweeps;

  /** Measures growth at several learning rates. */
  @FunctionalInterface
  interface Sweep {
    /** As {@link RateSweep#run}. */
    List<RateSweep.Point> run(
        double[] rates, Optional<Tangent> start, RateSweep.Length length, RandomStream random);
  }

  /**
   * A search by sweeps of any kind, without a certified rate.
   *
   * @param stepsPerEpoch the steps that lengths of sweeps are counted in
   * @param epochs of a sweep
   * @param mostSweeps at least 2
   * @param meanSquare an upper bound of η_ms
   */
  EdgeSearch(
      Sweep sweep,
      int stepsPerEpoch,
      int epochs,
      int mostSweeps,
      double tolerance,
      double meanSquare,
      RandomStream random) {
    this.sweep = sweep;
    this.stepsPerEpoch = stepsPerEpoch;
    this.epochs = epochs;
    this.mostSweeps = mostSweeps;
    moreSweeps = 0;
    this.tolerance = tolerance;
    certified = 0;
    this.meanSquare = meanSquare;
    this.random = random;
  }

  /**
   * A search.
   *
   * @param maxEpochs of a sweep; 0 for as many as the size of the matrix allows
   * @param tolerance the relative width at which the search ends
   * @param certified a learning rate known to be stable, 0 if none is
   * @param meanSquare the same, or if none is known an upper bound of η_ms
   */
  EdgeSearch(
      GramMatrix gram,
      SgdStep step,
      RateSweep sweep,
      int maxEpochs,
      double tolerance,
      double certified,
      double meanSquare,
      RandomStream random) {
    this.sweep = sweep::run;
    this.tolerance = tolerance;
    this.certified = certified;
    this.meanSquare = meanSquare;
    this.random = random;
    stepsPerEpoch = MiniBatchSampler.stepsPerEpoch(gram.examples(), step.batchSize());
    double work = 2.0 * RATES * gram.size() * gram.size();
    epochs = maxEpochs > 0 ? maxEpochs : affordable(work, gram.size());
    mostSweeps = (int) Math.max(1, Math.min(MOST_SWEEPS, WORK / (work * epochs)));
    moreSweeps = mostSweeps / 2;
  }

  /** Flops of a block of steps of a sweep with an operator. */
  static double workOfABlock(TangentOperator operator, SgdStep step) {
    return operator.flopsPerExample() * step.batchSize() * ParameterSweep.BLOCK * RATES;
  }

  /** What a sweep is worth grows with its length: few long ones beat many short ones. */
  private static int affordable(double workOfAnEpoch, int size) {
    double fewest = FEWEST_EPOCHS * Math.min(1, LARGE / size);
    return (int) Math.max(fewest, Math.min(MOST_EPOCHS, WORK_OF_A_SWEEP / workOfAnEpoch));
  }

  /** From nothing but a rate below which the edge hardly lies. */
  CriticalLearningRate cold(double guess, Optional<Tangent> start) {
    direction = start;
    // short sweeps miss bursts, and find too high a bracket where growth comes in them
    double from = certified > 0 ? certified : Math.min(bracket(guess), meanSquare);
    for (int climb = 0; climb < MOST_CLIMBS; climb++) {
      points.clear();
      lowest = certified > 0 ? certified : Math.min(from, meanSquare) / SLACK;
      int coarse = mostSweeps > 1 ? epochs : Math.min(epochs, COARSE_EPOCHS);
      take(scaled(COARSE, from), COARSE_WARM_UP, 8, coarse);
      EdgePosterior posterior = posterior();
      if (!posterior.isUnstableAtTop()) {
        from *= COARSE[RATES - 2];
      } else if (certified == 0 && posterior.isUnstableAtBottom()) {
        from /= LOWEST_EDGE;
      } else {
        return refined(posterior, mostSweeps, moreSweeps);
      }
      direction = Optional.empty();
    }
    return new CriticalLearningRate(
        Double.POSITIVE_INFINITY, certified, Double.POSITIVE_INFINITY, false, evaluations);
  }

  /**
   * Near an expected edge.
   *
   * @return empty if the edge is not there
   */
  Optional<CriticalLearningRate> near(
      double expected, double low, double high, Optional<Tangent> start) {
    direction = start;
    double from = Math.max(certified, Math.min(0.985 * expected, low));
    lowest = certified > 0 ? certified : from / SLACK;
    int length = mostSweeps > 1 ? epochs : epochs / 2;
    take(around(from, Math.max(high, 1.05 * expected)), WARM_UP, length / 8, length - length / 8);
    EdgePosterior posterior = posterior();
    boolean isInside =
        posterior.isUnstableAtTop()
            && !(posterior.isUnstableAtBottom() && from > certified)
            && posterior.quantile(0.5) < 1.1 * expected;
    if (!isInside) {
      return Optional.empty();
    }
    CriticalLearningRate found = refined(posterior, (mostSweeps - 1) / 2, 0);
    boolean overlaps = found.low() <= 1.02 * high && found.high() >= low / 1.02;
    return overlaps ? Optional.of(found) : Optional.empty();
  }

  /** Whether the edge lies above a rate beyond doubt, from one sweep. */
  boolean isBelowEdge(double rate) {
    lowest = 0.9 * rate;
    double[] rates = scaled(new double[] {0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3, 1.5}, rate);
    take(rates, COARSE_WARM_UP, 8, epochs);
    EdgePosterior posterior = posterior();
    return !posterior.isUnstableAtTop() || posterior.quantile(LOW_QUANTILE) > rate;
  }

  /** The direction nearest to where it is unstable but not much. */
  Optional<Tangent> direction() {
    return direction;
  }

  /** By sweeps around the edge, and more of them where the interval is wide and not by bursts. */
  private CriticalLearningRate refined(EdgePosterior start, int sweeps, int more) {
    EdgePosterior posterior = start;
    for (int s = 0; s < sweeps + more; s++) {
      double median = posterior.quantile(0.5);
      double low = posterior.quantile(LOW_QUANTILE);
      double high = posterior.quantile(HIGH_QUANTILE);
      boolean isWide = high - low >= WIDE * median && !isBurstDriven(median);
      if (high - low < tolerance * median || (s >= sweeps && !isWide)) {
        break;
      }
      turnTo(1.08 * median);
      int dropped = mostSweeps > 1 ? 4 : epochs * 3 / 20;
      double from = Math.max(lowest, 0.995 * low);
      take(around(from, Math.max(1.015 * high, 1.05 * median)), WARM_UP, dropped, epochs - dropped);
      posterior = posterior();
    }
    turnTo(1.08 * posterior.quantile(0.5));
    return result(posterior);
  }

  private CriticalLearningRate result(EdgePosterior posterior) {
    double value = posterior.quantile(0.5);
    double low = Math.max(certified, posterior.quantile(LOW_QUANTILE) - posterior.resolution());
    if (isBurstDriven(value)) {
      low = Math.min(low, 0.5 * (low + meanSquare));
    }
    double high = posterior.quantile(HIGH_QUANTILE) + posterior.resolution();
    return new CriticalLearningRate(value, Math.min(low, value), high, false, evaluations);
  }

  private boolean isBurstDriven(double edge) {
    return meanSquare < BURSTS * edge;
  }

  /**
   * A rate below the edge, but not far, found upwards or downwards from a guess by short sweeps of
   * widely spaced rates.
   */
  private double bracket(double guess) {
    double[] ladder = new double[RATES];
    for (int j = 0; j < RATES; j++) {
      ladder[j] = Math.pow(CLIMB, j);
    }
    double from = guess;
    for (int climb = 0; climb < MOST_CLIMBS; climb++) {
      points.clear();
      lowest = from / SLACK;
      take(scaled(ladder, from), COARSE_WARM_UP, 8, Math.min(epochs, COARSE_EPOCHS));
      EdgePosterior posterior = posterior();
      if (!posterior.isUnstableAtTop()) {
        from *= ladder[RATES - 2];
      } else if (posterior.isUnstableAtBottom()) {
        from /= ladder[RATES - 2];
      } else {
        return posterior.clear() / LOWEST_EDGE;
      }
      direction = Optional.empty();
    }
    return from;
  }

  private static double[] scaled(double[] factors, double rate) {
    double[] rates = factors.clone();
    for (int j = 0; j < rates.length; j++) {
      rates[j] *= rate;
    }
    return rates;
  }

  /** Six equally spaced rates and two further up, which hold the curve. */
  private static double[] around(double from, double to) {
    double[] rates = new double[RATES];
    double last = Math.max(to, 1.02 * from);
    for (int j = 0; j < 6; j++) {
      rates[j] = from + (last - from) * j / 5;
    }
    rates[6] = 1.03 * last;
    rates[7] = 1.07 * last;
    return rates;
  }

  private void take(double[] rates, int warmUp, int dropped, int measured) {
    RateSweep.Length length = new RateSweep.Length(warmUp, dropped, Math.max(16, measured));
    List<RateSweep.Point> found = sweep.run(rates, direction, length, random.split(sweeps++));
    for (RateSweep.Point point : found) {
      points.add(point);
      evaluations.add(
          new CriticalLearningRate.Evaluation(
              point.rate(),
              point.exponent(),
              point.standardError(),
              point.exponent() > 4 * point.standardError(),
              point.exponent() < -4 * point.standardError()));
    }
  }

  private EdgePosterior posterior() {
    return new EdgePosterior(points, lowest, stepsPerEpoch, mostSweeps > 1 ? 0 : TOLL);
  }

  private void turnTo(double rate) {
    RateSweep.Point nearest = null;
    for (RateSweep.Point point : points) {
      if (point.direction().isPresent()
          && (nearest == null
              || Math.abs(point.rate() - rate) <= Math.abs(nearest.rate() - rate))) {
        nearest = point;
      }
    }
    direction = nearest == null ? Optional.empty() : nearest.direction();
  }
}
