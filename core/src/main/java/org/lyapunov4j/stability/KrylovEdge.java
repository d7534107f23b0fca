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
 * itself do not. What η_c changed by in the last doubling, with the same mini-batches, counts as
 * not yet known: the interval reaches further by as much to both sides.
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

  /** Of η_c, in the last doubling. */
  private static final double SETTLED = 0.02;

  private static final double UNSETTLED = 0.04;

  /** Of spaces, from one to the next; usually it is 2. */
  private static final double LEAST_STEP = 1.4;

  /** Of a sweep. */
  private static final int RATES = 8;

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
     * Examples for each dimension of the spaces that are compared, at most: η_c of a dense network
     * of 1000 examples is 1.8, 1, 0.6 and 0.3 % too low at 64, 128, 256 and 512 dimensions, of 5000
     * 4 and 3 % at 64 and 128.
     */
    private static final int SHARE = 8;

    /** Dimensions of two spaces that tell how far down η_c may be, with more examples. */
    private static final int FEW = 32;

    /** A second or two; and half of one. */
    private static final double WORK = 1e10;

    private static final double LITTLE_WORK = 2.5e9;

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
        double affordable,
        double meanSquare,
        OperatorAnalysis.Settings others) {
      int examples = operator.examples();
      int most = (int) Math.min(Math.min(MOST, size(operator)), affordable);
      int first = Math.min(Math.max(FIRST, examples / SHARE), Math.max(FIRST, most / 2));
      return SHARE * most >= examples
          ? sized(operator, first, most, WORK, meanSquare, others)
          : Optional.empty();
    }

    /**
     * Two small spaces, whose edge is too low by some per cent where there are many examples.
     *
     * @return empty where there are too many outputs for them, or examples for the heap
     */
    static Optional<Settings> small(
        TangentOperator operator, double meanSquare, OperatorAnalysis.Settings others) {
      int most = Math.min(2 * FEW, size(operator));
      return sized(operator, Math.min(FEW, most), most, LITTLE_WORK, meanSquare, others);
    }

    private static Optional<Settings> sized(
        TangentOperator operator,
        int first,
        int most,
        double work,
        double meanSquare,
        OperatorAnalysis.Settings others) {
      // Q, F and their rows by batches; blocks and their factors; walks. The same for any threads
      double columns = 3.0 * most + 2.0 * operator.outputs() + 2.0 * RATES;
      double bytes = Double.BYTES * columns * size(operator);
      boolean fits = bytes <= SHARE_OF_HEAP * Runtime.getRuntime().maxMemory();
      return operator.outputs() <= MOST_OUTPUTS && first <= most && fits
          ? Optional.of(
              new Settings(
                  most < LEAST_STEP * first ? most : first, most, work, meanSquare, others))
          : Optional.empty();
    }

    private static int size(TangentOperator operator) {
      return Math.multiplyExact(operator.examples(), operator.outputs());
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
      CriticalLearningRate start = before == null ? cold(operator, guess) : before;
      CriticalLearningRate found = near(operator, start, 1).orElseGet(() -> cold(operator, guess));
      double change = isWhole ? 0 : change(before, found);
      boolean isLast = settings.most() < LEAST_STEP * size;
      if (change <= (isLast ? UNSETTLED : SETTLED)) {
        CriticalLearningRate last =
            isWide(found) ? near(operator, found, LONGER).orElse(found) : found;
        return Optional.of(widened(last, change * last.value()));
      }
      if (isLast) {
        return Optional.empty();
      }
      before = found;
      size = Math.min(2 * size, settings.most());
    }
  }

  private static double change(CriticalLearningRate before, CriticalLearningRate now) {
    return before == null || Double.isInfinite(now.high()) || Double.isInfinite(before.high())
        ? Double.POSITIVE_INFINITY
        : Math.abs(before.value() / now.value() - 1);
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
    return Double.isInfinite(before.high())
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

  private static CriticalLearningRate widened(CriticalLearningRate found, double by) {
    return new CriticalLearningRate(
        found.value(),
        Math.max(0, found.low() - by),
        found.high() + by,
        false,
        found.evaluations());
  }
}
