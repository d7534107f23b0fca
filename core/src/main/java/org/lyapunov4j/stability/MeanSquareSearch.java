// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.OptionalInt;
import org.hipparchus.analysis.UnivariateFunction;
import org.hipparchus.analysis.solvers.BrentSolver;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.stability.PerronSpace.Perron;
import org.lyapunov4j.stability.PerronSpace.Problem;
import org.lyapunov4j.step.SgdStep;

/** The questions about the second moment of one step, with the trial matrices they share. */
final class MeanSquareSearch {
  /** Residual that is enough while a root still moves by more than {@link #COARSE_CHANGE}. */
  private static final double COARSE_RESIDUAL = 1e-3;

  private static final double COARSE_CHANGE = 1e-2;

  /** Residual at an unstable batch size from which the critical one is extrapolated. */
  private static final double SIZE_RESIDUAL = 1e-2;

  /** Relative change of a root at which its error, of second order too, is negligible. */
  private static final double ROOT_CHANGE = 1e-5;

  /** Residual below which the truncation of a map costs more. */
  private static final double ROUGH_RESIDUAL = 4e-3;

  /**
   * Relative change of a root on the way through truncated maps and for pairs bounded by Kato and
   * Temple.
   */
  private static final double ROUGH_CHANGE = 3e-4;

  /** Relative width of an enclosure; single examples have a small gap, which makes them dear. */
  private static final double WIDTH = 1e-3;

  private static final double WIDTH_OF_SINGLES = 3e-3;

  /** Relative, far below the roundoff of single precision that bounds are widened by. */
  private static final double ROUGH_ROOT = 1e-7;

  /** Relative error of ρ − 1 that is aimed at, ρ the spectral radius of T. */
  private static final double EXPONENT_ACCURACY = 1e-10;

  private static final double ROUGH_EXPONENT_ACCURACY = 1e-3;

  /**
   * Relative error of Λ(2) below the edge that needs no iteration; what the bound leaves open is
   * hardly ever there (7e-5 where it says 7e-3).
   */
  private static final double STABLE_EXPONENT_ACCURACY = 1e-2;

  /** Values of θ that {@link #largestGap} tries. */
  private static final double[] SPLITS = {1.02, 1.05, 1.1, 1.2, 1.4, 2, 4};

  private static final double COARSEST_RESIDUAL = 0.02;
  private static final int MOST_ROUNDS = 50;

  private final SgdStep step;
  private final EigenBasis basis;
  private final int count;
  private final int rank;
  private final double rate;
  private final StepMoments moments;
  private final ReducedMap map;
  private final PerronLadder ladder;
  private final boolean proportional;
  private Perron known;
  private Enclosure edge;
  private Enclosure index;

  /**
   * A search.
   *
   * @param count the number of eigenvectors that matter for the index
   * @param rank the number of nonzero eigenvalues
   */
  MeanSquareSearch(
      SgdStep step, EigenBasis basis, ReducedMap map, PerronLadder ladder, int count, int rank) {
    this.step = step;
    this.basis = basis;
    this.map = map;
    this.ladder = ladder;
    this.count = count;
    this.rank = rank;
    rate = step.learningRate();
    moments = StepMoments.of(step, basis.examples(), step.batchSize());
    proportional = moments.c1() == 0 && moments.decay() == 0;
  }

  Enclosure index() {
    if (index == null) {
      index = computeIndex();
    }
    return index;
  }

  private Enclosure computeIndex() {
    if (rate == 0) {
      return Enclosure.exactly(1);
    }
    if (meanExcess(moments) <= 0) {
      return Enclosure.exactly(Double.POSITIVE_INFINITY);
    }
    if (moments.c2() == 0) {
      return Enclosure.exactly(0);
    }
    if (proportional && !ladder.isExact()) {
      Enclosure critical = criticalLearningRate();
      return new Enclosure(rate / critical.value(), rate / critical.high(), rate / critical.low());
    }
    known = ladder.solve(indexProblem(moments, rate), width());
    return ladder.radius(known);
  }

  private double width() {
    return moments.c1() == 0 ? WIDTH_OF_SINGLES : WIDTH;
  }

  /** 1 − max s_kl; the maximum is at an end of the spectrum. */
  private double meanExcess(StepMoments moments) {
    return Math.min(excess(moments, 0), excess(moments, count - 1));
  }

  private double excess(StepMoments moments, int k) {
    return moments.excess(rate, basis.eigenvalue(k));
  }

  private Problem indexProblem(StepMoments moments, double rate) {
    return new Problem(moments.indexKernel(rate), count);
  }

  Enclosure criticalLearningRate() {
    if (edge == null) {
      edge = computeCriticalLearningRate();
    }
    return edge;
  }

  private Enclosure computeCriticalLearningRate() {
    double guard =
        Math.min(moments.guard(basis.eigenvalue(0)), moments.guard(basis.eigenvalue(count - 1)));
    if (moments.c2() == 0) {
      return Enclosure.exactly(guard);
    }
    double first = rate > 0 ? rate : basis.examples() / basis.eigenvalue(0);
    double eta = Math.min(first, 0.9 * guard);
    for (int level = 0; level < ladder.levels() - 1; level++) {
      eta = truncatedRoot(level, eta, guard);
    }
    return ladder.isExact() ? exactRoot(eta, guard) : boundedRoot(eta, guard);
  }

  private double truncatedRoot(int level, double start, double guard) {
    double eta = start;
    for (int round = 0; round < MOST_ROUNDS; round++) {
      double rough = level == 0 && round == 0 ? COARSEST_RESIDUAL : ROUGH_RESIDUAL;
      Perron perron = ladder.roughly(level, indexProblem(moments, eta), rough);
      double next = rateOfIndexOne(perron, eta, guard, ROUGH_CHANGE);
      double change = Math.abs(next - eta) / next;
      eta = next;
      if (rough == ROUGH_RESIDUAL && (proportional || change <= COARSE_CHANGE)) {
        break;
      }
    }
    return eta;
  }

  private Enclosure boundedRoot(double start, double guard) {
    double eta = start;
    for (int round = 0; round < MOST_ROUNDS; round++) {
      // what rounding and the step to the root add fits into the rest
      known = ladder.solve(ladder.levels() - 1, indexProblem(moments, eta), 0.9 * width());
      Enclosure bounds = enclosure(eta, rateOfIndexOne(known, eta, guard, ROUGH_ROOT));
      if (bounds.high() <= bounds.low() * (1 + width())) {
        return bounds;
      }
      eta = bounds.value();
    }
    throw new IllegalStateException("the critical learning rate did not converge: " + step);
  }

  private Enclosure exactRoot(double start, double guard) {
    double eta = start;
    double residual = proportional ? PerronLadder.RESIDUAL : COARSE_RESIDUAL;
    for (int round = 0; round < MOST_ROUNDS; round++) {
      Problem problem = indexProblem(moments, eta);
      Perron perron =
          residual == PerronLadder.RESIDUAL
              ? ladder.exactly(problem)
              : ladder.space().solve(problem, residual);
      double next = rateOfIndexOne(perron, eta, guard, 1e-14);
      double change = Math.abs(next - eta) / next;
      if (residual == PerronLadder.RESIDUAL && (proportional || change <= ROOT_CHANGE)) {
        known = perron;
        return enclosure(eta, next);
      }
      residual = change < COARSE_CHANGE ? PerronLadder.RESIDUAL : COARSE_RESIDUAL;
      eta = next;
    }
    throw new IllegalStateException("the critical learning rate did not converge: " + step);
  }

  /** index(η)/η does not fall with η, so that index(η/u) ≤ 1 if index(η) ≤ u and u ≥ 1. */
  private Enclosure enclosure(double eta, double root) {
    double high = ladder.radius(known).high();
    double low = Math.min(root, eta / (proportional ? high : Math.max(1, high)));
    return new Enclosure(root, low * (1 - ladder.rounding()), root * (1 + ladder.rounding()));
  }

  /** By the same monotonicity the root lies between η, whose index is known, and η/index(η). */
  private double rateOfIndexOne(Perron perron, double eta, double guard, double accuracy) {
    double other = Math.min(eta / perron.quotient(), guard * (1 - 1e-15));
    if (proportional) {
      return other;
    }
    double start = Math.log(eta);
    UnivariateFunction logIndex =
        x ->
            Math.log(
                x == start
                    ? perron.quotient()
                    : perron.quotient(indexProblem(moments, Math.exp(x))));
    return Math.exp(root(logIndex, start, Math.log(other), accuracy));
  }

  /**
   * Rayleigh quotients prove sizes to be unstable, many at a time; the first size that they leave
   * open and that turns out stable is the answer.
   */
  OptionalInt criticalBatchSize() {
    if (!isStable(basis.examples())) {
      return OptionalInt.empty();
    }
    int size = known == null ? 1 : firstOpen(known, 1);
    while (!isStable(size)) {
      size = firstOpen(known, size + 1);
    }
    return OptionalInt.of(size);
  }

  private boolean isStable(double size) {
    StepMoments moments = StepMoments.of(step, basis.examples(), size);
    if (meanExcess(moments) <= 0) {
      return false;
    }
    if (moments.c2() == 0) {
      return true;
    }
    Problem problem = indexProblem(moments, rate);
    for (int level = 0; level < ladder.levels() - 1; level++) {
      ladder.solve(level, problem, width());
    }
    known = ladder.remember(ladder.space().compareWithOne(problem, SIZE_RESIDUAL));
    return isBelowOne(known.quotient());
  }

  private boolean isBelowOne(double index) {
    return index * (1 + Perron.ROUNDING) < 1;
  }

  /** The first size from the given one on that is not proved unstable. */
  private int firstOpen(Perron perron, int from) {
    UnivariateFunction excess =
        b -> perron.quotient(indexProblem(StepMoments.of(step, basis.examples(), b), rate)) - 1;
    if (isBelowOne(1 + excess.value(from))) {
      return from;
    }
    double root = root(excess, from, basis.examples(), 1e-14);
    return Math.max(from, (int) Math.ceil(root - 1e-9));
  }

  double exponent() {
    if (rate == 0) {
      return 0;
    }
    int slowest = excess(moments, 0) < excess(moments, rank - 1) ? 0 : rank - 1;
    double excess = excess(moments, slowest);
    double gap = moments.c2() == 0 ? 0 : gap(slowest, excess);
    return Math.log1p(gap - excess);
  }

  /** ρ − max s_kl for the spectral radius ρ of T; the iteration increases towards it. */
  private double gap(int slowest, double excess) {
    double shift = basis.eigenvalue(slowest);
    double[] block = map.block(slowest);
    double least = rate * rate * moments.c2() * shift * shift * Vectors.dot(block, block);
    if (!ladder.isExact() && index().value() >= 1) {
      return Math.max(unstableGap(Math.max(least, excess), shift, excess), excess);
    }
    if (!ladder.isExact() && largestGap(excess) <= STABLE_EXPONENT_ACCURACY * excess) {
      return least;
    }
    ladder.space().add(block);
    double gap = iteratedGap(least, shift, excess);
    return ladder.isExact() ? gap : Math.min(gap, Math.nextDown(excess));
  }

  /**
   * A bound of the gap. With x_kl = 1 − s_kl and a gap γ, a pair answers as in the index and
   * η²c₂κ_kκ_l·excess/(x(x − excess)) more at most. Where x ≥ θ·excess that is little. The
   * eigenvectors of the other pairs span a space with projector P, and R of these is at most η²c₂
   * max(κ_k κ_l)/γ times D ↦ bd(PDP), whose norm is that of bd(P). R grows with every factor and bd
   * is a projection, so γ is large enough as soon as the three add up to 1.
   */
  private double largestGap(double excess) {
    double[] products = new double[SPLITS.length + 1];
    double[] answers = new double[SPLITS.length + 1];
    basis.forEach(rank, k -> addPairs(k, excess, products, answers));
    double least = Double.POSITIVE_INFINITY;
    double near = 0;
    for (int t = 0; t < SPLITS.length; t++) {
      near = Math.max(near, products[t]);
      double far = 0;
      for (int bin = t + 1; bin <= SPLITS.length; bin++) {
        far = Math.max(far, answers[bin]);
      }
      double factor = rate * rate * moments.c2();
      double room = 1 - index().high() - factor * far;
      if (room > 0) {
        least = Math.min(least, factor * near * share(SPLITS[t] * excess) / room);
      }
    }
    return least;
  }

  /**
   * The largest κ_kκ_l of the pairs of k by x_kl, and the largest κ_kκ_l·excess/(x(x − excess)).
   */
  private void addPairs(int k, double excess, double[] products, double[] answers) {
    double[] product = new double[products.length];
    double[] answer = new double[answers.length];
    for (int l = k; l < rank; l++) {
      double both = basis.eigenvalue(k) * basis.eigenvalue(l);
      double x = pairExcess(k, l);
      int bin = 0;
      while (bin < SPLITS.length && x >= SPLITS[bin] * excess) {
        bin++;
      }
      product[bin] = Math.max(product[bin], both);
      answer[bin] = Math.max(answer[bin], both * excess / (x * (x - excess)));
    }
    synchronized (products) {
      for (int bin = 0; bin < product.length; bin++) {
        products[bin] = Math.max(products[bin], product[bin]);
        answers[bin] = Math.max(answers[bin], answer[bin]);
      }
    }
  }

  /** ‖bd(P)‖ at most, P of the eigenvectors in a pair with x_kl below a limit. */
  private double share(double limit) {
    int slowOnes = rank;
    while (slowOnes > 0 && isNearAny(slowOnes - 1, limit)) {
      slowOnes--;
    }
    int fastOnes = 0;
    while (fastOnes < slowOnes && isNearAny(fastOnes, limit)) {
      fastOnes++;
    }
    return Math.min(
        1, basis.largestBlockTrace(0, fastOnes) + basis.largestBlockTrace(slowOnes, rank));
  }

  /** 1 − s_kl is affine in the other eigenvalue, so that its minimum is at an end. */
  private boolean isNearAny(int k, double limit) {
    return Math.min(pairExcess(k, 0), pairExcess(k, rank - 1)) < limit;
  }

  /** 1 − s_kl. */
  private double pairExcess(int k, int l) {
    return moments.excess(rate, basis.eigenvalue(k), basis.eigenvalue(l));
  }

  private double unstableGap(double start, double shift, double excess) {
    double gap = start;
    for (int level = 0; level < ladder.levels() - 1; level++) {
      double before;
      do {
        before = gap;
        Perron perron = ladder.solve(level, growthProblem(shift, gap), width());
        gap = gapOfRadiusOne(perron, shift, gap);
      } while (gap > before * (1 + COARSE_CHANGE));
    }
    return iteratedGap(gap, shift, excess);
  }

  private double iteratedGap(double start, double shift, double excess) {
    double gap = start;
    double residual = Math.max(accuracy(gap, excess), COARSE_RESIDUAL);
    for (int round = 0; round < MOST_ROUNDS; round++) {
      Perron perron = ladder.space().solve(growthProblem(shift, gap), residual);
      double next = gapOfRadiusOne(perron, shift, gap);
      double change = (next - gap) / next;
      double accuracy = accuracy(next, excess);
      if (change <= accuracy && residual <= accuracy) {
        return next;
      }
      residual = change < COARSE_CHANGE ? accuracy : Math.max(accuracy, COARSE_RESIDUAL);
      gap = next;
    }
    throw new IllegalStateException("the second moment exponent did not converge: " + step);
  }

  /**
   * In the stable phase the gap is a small correction to the excess and may be rough; its error is
   * of second order in this.
   */
  private double accuracy(double gap, double excess) {
    double goal = ladder.isExact() ? EXPONENT_ACCURACY : ROUGH_EXPONENT_ACCURACY;
    double relative = goal * Math.abs(gap - excess) / gap;
    return Math.max(
        ladder.isExact() ? PerronLadder.RESIDUAL : COARSE_RESIDUAL,
        Math.min(COARSEST_RESIDUAL, Math.sqrt(relative)));
  }

  private Problem growthProblem(double shift, double gap) {
    return new Problem(moments.growthKernel(rate, shift, gap), rank);
  }

  private double gapOfRadiusOne(Perron perron, double shift, double gap) {
    UnivariateFunction logRadius =
        x -> Math.log(perron.quotient(growthProblem(shift, Math.exp(x))));
    if (perron.quotient() <= 1) {
      return gap;
    }
    double high = gap;
    while (logRadius.value(Math.log(high)) > 0) {
      high *= 16;
    }
    return Math.exp(
        root(
            logRadius,
            Math.log(gap),
            Math.log(high),
            ladder.isExact() ? 1e-14 : ROUGH_CHANGE / 30));
  }

  private static double root(UnivariateFunction f, double a, double b, double accuracy) {
    double low = Math.min(a, b);
    double high = Math.max(a, b);
    double atLow = f.value(low);
    double atHigh = f.value(high);
    if (atLow * atHigh >= 0 || high - low <= 4 * Math.ulp(high)) {
      return Math.abs(atLow) < Math.abs(atHigh) ? low : high;
    }
    return new BrentSolver(accuracy, accuracy).solve(200, f, low, high);
  }
}
