// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.lyapunov4j.exponent.KrylovSpace;
import org.lyapunov4j.exponent.ParameterSweep;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * η_c of a step in Krylov spaces of G that double, from one to the next, until η_c settles. Steps
 * are so cheap there that sweeps are long enough to see bursts, which few steps of the Jacobian
 * itself do not. What η_c changed by in the last doubling, with the same mini-batches, counts as
 * not yet known: the interval reaches further by as much to both sides, and upwards by what
 * different examples may share of G outside the space, without which η_c is a little too low.
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

  /**
   * How much η_c may be too low for a share of tr G that is outside the space: 0 to 0.19 times the
   * share for twelve kernels with shares of 0.04 to 0.29, 0.04 for a dense network of 1000
   * examples.
   */
  private static final double LEAN = 0.1;

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
   * @param sizes of the spaces
   * @param mostLeft share of tr G that may be outside the last space
   * @param work flops of a sweep of eight rates
   * @param certified a learning rate known to be stable, 0 if none is
   * @param meanSquare the same, or if none is known an upper bound of η_ms
   * @param tolerance the relative width at which the search ends
   * @param threads at least 1; never changes a result
   * @param cancelled asked every block of steps
   */
  record Settings(
      Sizes sizes,
      double mostLeft,
      double work,
      double certified,
      double meanSquare,
      double tolerance,
      int threads,
      BooleanSupplier cancelled) {
    /** The largest error of those kernels was 5.5 % where 0.29 were left, else 1.7 %. */
    static final double LITTLE_LEFT = 0.2;

    /** A second or two; and half of one. */
    static final double WORK = 1e10;

    static final double LITTLE_WORK = 2.5e9;
  }

  /**
   * Dimensions of the first space and of the last.
   *
   * @param first at least 1
   * @param most at least as many
   */
  record Sizes(int first, int most) {
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

    /** Dimensions of the first of two spaces that tell how far down η_c may be beyond that. */
    private static final int FEW = 32;

    private static final double SHARE_OF_HEAP = 0.125;

    /**
     * As they are by default.
     *
     * @param affordable how many products with G are worth it
     * @return empty where there are too many examples or outputs for the dimensions, the heap or
     *     the price
     */
    static Optional<Sizes> of(int examples, int outputs, double affordable) {
      int most = (int) Math.min(Math.min(MOST, Math.multiplyExact(examples, outputs)), affordable);
      int first = Math.min(Math.max(FIRST, examples / SHARE), Math.max(FIRST, most / 2));
      return SHARE * most >= examples ? checked(first, most, examples, outputs) : Optional.empty();
    }

    /**
     * Of two small spaces, whose edge is too low by some per cent where there are many examples.
     *
     * @return empty where there are too many outputs for them, or examples for the heap
     */
    static Optional<Sizes> small(int examples, int outputs) {
      int most = Math.min(2 * FEW, Math.multiplyExact(examples, outputs));
      return checked(Math.min(FEW, most), most, examples, outputs);
    }

    private static Optional<Sizes> checked(int first, int most, int examples, int outputs) {
      // Q, F and their rows by batches; blocks and their factors; walks
      double columns = 3.0 * most + 2.0 * outputs + 2.0 * RATES;
      double bytes = Double.BYTES * columns * examples * outputs;
      boolean fits = bytes <= SHARE_OF_HEAP * Runtime.getRuntime().maxMemory();
      return outputs <= MOST_OUTPUTS && first <= most && fits
          ? Optional.of(new Sizes(most < LEAST_STEP * first ? most : first, most))
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
   * @param expected where it may be expected, if that is known
   * @return empty if η_c has not settled in the largest space
   */
  Optional<CriticalLearningRate> find(double guess, Optional<CriticalLearningRate> expected) {
    CriticalLearningRate before = null;
    int size = settings.sizes().first();
    while (true) {
      space.extend(size);
      boolean isWhole = space.isWhole();
      TangentOperator operator = space.operator();
      CriticalLearningRate start =
          before == null ? expected.orElseGet(() -> cold(operator, guess)) : before;
      CriticalLearningRate found = near(operator, start, 1).orElseGet(() -> cold(operator, guess));
      double change = isWhole ? 0 : change(before, found);
      double left = space.shareLeft();
      boolean isLast = settings.sizes().most() < LEAST_STEP * size;
      if (change <= (isLast ? UNSETTLED : SETTLED) && left <= settings.mostLeft()) {
        CriticalLearningRate last =
            isWide(found) ? near(operator, found, LONGER).orElse(found) : found;
        return Optional.of(widened(last, change, Math.max(change, LEAN * left)));
      }
      if (isLast) {
        return Optional.empty();
      }
      before = found;
      size = Math.min(2 * size, settings.sizes().most());
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
        new ParameterSweep(operator, step, settings.threads(), settings.cancelled());
    double work = EdgeSearch.workOfABlock(operator, step);
    double blocks = Math.max(FEWEST_BLOCKS, Math.min(MOST_BLOCKS, settings.work() / work));
    double tolerance = settings.tolerance();
    return new EdgeSearch(
        sweep::run,
        ParameterSweep.BLOCK,
        longer * (int) blocks,
        sweeps,
        longer > 1 ? Math.max(ENOUGH, tolerance) : tolerance,
        settings.certified(),
        settings.meanSquare(),
        random);
  }

  private CriticalLearningRate widened(CriticalLearningRate found, double below, double above) {
    if (Double.isInfinite(found.high())) {
      return found;
    }
    double low = Math.max(settings.certified(), found.low() - below * found.value());
    return new CriticalLearningRate(
        found.value(),
        Math.max(0, low),
        found.high() + above * found.value(),
        false,
        found.evaluations());
  }
}
