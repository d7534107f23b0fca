// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Optional;
import org.lyapunov4j.exponent.KrylovSpace;
import org.lyapunov4j.exponent.ParameterSweep;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * η_c of a step in Krylov spaces of G that double, from one to the next, until η_c settles. Steps
 * are so cheap there that sweeps are long enough to see bursts, which few steps of the Jacobian
 * itself do not. What η_c fell by in the last doubling counts as not yet known: the interval
 * reaches further down by as much.
 */
final class KrylovEdge {
  /** Blocks of a sweep at least and at most. */
  private static final int FEWEST_BLOCKS = 128;

  private static final int MOST_BLOCKS = 16_384;
  private static final int SWEEPS = 3;

  /** How many times longer sweeps are in the end, and how many there may be. */
  private static final int LONGER = 8;

  private static final int LONG_SWEEPS = 5;

  /** Relative width of an interval that is worth longer sweeps, and of one that ends them. */
  private static final double WIDE = 0.04;

  private static final double ENOUGH = 0.03;

  /** Of η_c, in the last doubling: LeNet's falls by 7, 0.5 and 1 % to 128, 256 and 512. */
  private static final double SETTLED = 0.02;

  private static final double UNSETTLED = 0.04;

  /** Of spaces, from one to the next; usually it is 2. */
  private static final double LEAST_STEP = 1.4;

  /** How far the next η_c may be below an interval. */
  private static final double FALL = 0.9;

  private final KrylovSpace space;
  private final SgdStep step;
  private final Settings settings;
  private final RandomStream random;

  /**
   * How it is done.
   *
   * @param first dimensions of the first space
   * @param most dimensions of the last
   * @param work flops of a sweep of eight rates
   * @param meanSquare an upper bound of η_ms
   * @param others as for any analysis
   */
  record Settings(
      int first, int most, double work, double meanSquare, OperatorAnalysis.Settings others) {
    private static final int FIRST = 64;
    private static final int MOST = 512;

    /** Outputs at most, which are the vectors that a space starts with. */
    private static final int MOST_OUTPUTS = 32;

    /**
     * Examples for each dimension of the first space, and of the last. With 5000 examples η_c of a
     * dense network is 6.5 % too high at 128 dimensions and 3 % at 236, where it falls by less.
     */
    private static final int FIRST_SHARE = 4;

    private static final int LAST_SHARE = 2;

    /** A second or two. */
    private static final double WORK = 1e10;

    /** 256 MB, and an eighth of the heap. */
    private static final double BYTES = 2.56e8;

    private static final double SHARE_OF_HEAP = 0.125;

    /**
     * As it is done by default.
     *
     * @param affordable how many products with G are worth it
     * @return empty where there are too many examples or outputs for the dimensions, the heap or
     *     the price
     */
    static Optional<Settings> of(
        TangentOperator operator,
        SgdStep step,
        double affordable,
        double meanSquare,
        OperatorAnalysis.Settings others) {
      int examples = operator.examples();
      int outputs = operator.outputs();
      int rows = Math.multiplyExact(examples, outputs);
      int most = Math.min(MOST, rows);
      int first = Math.max(FIRST, examples / FIRST_SHARE);
      double products = (double) others.threads() * step.batchSize() * outputs;
      double bytes = Double.BYTES * most * (3.0 * rows + products);
      boolean fits = bytes <= Math.min(BYTES, SHARE_OF_HEAP * Runtime.getRuntime().maxMemory());
      return outputs <= MOST_OUTPUTS && LAST_SHARE * most >= examples && most <= affordable && fits
          ? Optional.of(
              new Settings(
                  most < LEAST_STEP * first ? most : first, most, WORK, meanSquare, others))
          : Optional.empty();
    }
  }

  KrylovEdge(KrylovSpace space, SgdStep step, Settings settings, RandomStream random) {
    this.space = space;
    this.step = step;
    this.settings = settings;
    this.random = random;
  }

  /**
   * The search.
   *
   * @param guess a rate below which the edge hardly lies
   * @return empty if η_c has not settled in the largest space
   */
  Optional<CriticalLearningRate> find(double guess) {
    CriticalLearningRate before = null;
    int size = settings.first();
    while (true) {
      space.extend(size);
      boolean isWhole = space.isWhole();
      TangentOperator operator = space.operator();
      CriticalLearningRate found = near(operator, before, 1).orElseGet(() -> cold(operator, guess));
      double fall = isWhole ? 0 : fall(before, found);
      boolean isLast = settings.most() < LEAST_STEP * size;
      if (fall <= (isLast ? UNSETTLED : SETTLED)) {
        CriticalLearningRate last =
            isWide(found) ? near(operator, found, LONGER).orElse(found) : found;
        return Optional.of(fall > 0 ? lowered(last, fall * last.value()) : last);
      }
      if (isLast) {
        return Optional.empty();
      }
      before = found;
      size = Math.min(2 * size, settings.most());
    }
  }

  private static double fall(CriticalLearningRate before, CriticalLearningRate now) {
    return before == null || Double.isInfinite(now.high())
        ? Double.POSITIVE_INFINITY
        : Math.max(0, before.value() / now.value() - 1);
  }

  private static boolean isWide(CriticalLearningRate found) {
    return found.high() - found.low() > WIDE * found.value();
  }

  private CriticalLearningRate cold(TangentOperator operator, double guess) {
    return search(operator, 1, SWEEPS).cold(guess, Optional.empty());
  }

  /** Near what was found before, by sweeps so many times longer; empty if there is nothing. */
  private Optional<CriticalLearningRate> near(
      TangentOperator operator, CriticalLearningRate before, int longer) {
    return before == null || Double.isInfinite(before.high())
        ? Optional.empty()
        : search(operator, longer, longer > 1 ? LONG_SWEEPS : SWEEPS)
            .near(before.value(), FALL * before.low(), before.high(), Optional.empty());
  }

  private EdgeSearch search(TangentOperator operator, int longer, int sweeps) {
    ParameterSweep sweep =
        new ParameterSweep(
            operator, step, settings.others().threads(), settings.others().cancelled());
    double work = EdgeSearch.workOfABlock(operator, step);
    double blocks = Math.max(FEWEST_BLOCKS, Math.min(MOST_BLOCKS, settings.work() / work));
    return new EdgeSearch(
        sweep::run,
        ParameterSweep.BLOCK,
        longer * (int) blocks,
        sweeps,
        longer > 1
            ? Math.max(ENOUGH, settings.others().tolerance())
            : settings.others().tolerance(),
        settings.meanSquare(),
        random);
  }

  private static CriticalLearningRate lowered(CriticalLearningRate found, double by) {
    return new CriticalLearningRate(
        found.value(), Math.max(0, found.low() - by), found.high(), false, found.evaluations());
  }
}
