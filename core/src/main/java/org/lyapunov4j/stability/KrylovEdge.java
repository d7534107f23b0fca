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

  /** How many times dearer than it is meant to be a sweep of the fewest may be. */
  private static final int DEARER = 4;

  /**
   * Flops that take as long as a number of a vector of m does, at the end of a block, and at each
   * step with memory, which moves all of them.
   */
  private static final double AT_THE_END = 6;

  private static final double WITH_MEMORY = 24;

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
   * share where it is at most 0.12, 0.04 for a dense network of 1000 examples.
   */
  private static final double LEAN = 0.2;

  /** Of spaces, from one to the next; usually it is 2. */
  private static final double LEAST_STEP = 1.4;

  /** How far the next η_c may be below an interval. */
  private static final double FALL = 0.9;

  private final KrylovSpace space;
  private final SgdStep step;
  private final Sizes sizes;
  private final Settings settings;
  private final RandomStream random;

  /**
   * How it is done.
   *
   * @param mostLeft share of tr G that may be outside the last space
   * @param work flops of a sweep of eight rates
   * @param certified a learning rate known to be stable, 0 if none is
   * @param meanSquare the same, or if none is known an upper bound of η_ms
   * @param tolerance the relative width at which the search ends
   * @param threads at least 1; never changes a result
   * @param cancelled asked every block of steps
   */
  record Settings(
      double mostLeft,
      double work,
      double certified,
      double meanSquare,
      double tolerance,
      int threads,
      BooleanSupplier cancelled) {
    /** A kernel of 300 × 8 rows and 400 columns was 5.5 and 4 % too low at 0.29 and 0.12. */
    static final double LITTLE_LEFT = 0.12;

    /** For a lower end alone; two fifths for a dense network at 64 dimensions. */
    static final double MUCH_LEFT = 0.5;

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
     * @return empty where there are too many examples or outputs for the dimensions, or for the
     *     price
     */
    static Optional<Sizes> of(int examples, int outputs, double affordable) {
      int rows = Math.multiplyExact(examples, outputs);
      int most = (int) Math.min(Math.min(MOST, rows), affordable);
      int first = Math.min(Math.max(FIRST, examples / SHARE), Math.max(FIRST, most / 2));
      boolean isOne = most < LEAST_STEP * first;
      return outputs <= MOST_OUTPUTS && SHARE * most >= examples && (!isOne || most == rows)
          ? Optional.of(new Sizes(isOne ? most : first, most))
          : Optional.empty();
    }

    /**
     * Of two small spaces, whose edge is usually too low by some per cent where there are many
     * examples.
     *
     * @return empty where there are too many outputs for them, too few rows, or for the price
     */
    static Optional<Sizes> small(int examples, int outputs, double affordable) {
      double most = Math.min(affordable, (double) examples * outputs);
      return outputs <= MOST_OUTPUTS && 2 * FEW <= most
          ? Optional.of(new Sizes(FEW, 2 * FEW))
          : Optional.empty();
    }

    /** Whether the spaces take little of the heap. */
    boolean fit(int examples, int outputs) {
      return bytes(examples, outputs) <= SHARE_OF_HEAP * Runtime.getRuntime().maxMemory();
    }

    /** Of Q, F and their rows by batches; blocks and their factors; walks. */
    double bytes(int examples, int outputs) {
      double columns = 3.0 * most + 2.0 * outputs + 2.0 * EdgeSearch.RATES;
      return Double.BYTES * columns * examples * outputs;
    }
  }

  KrylovEdge(KrylovSpace space, SgdStep step, Sizes sizes, Settings settings, RandomStream random) {
    this.space = space;
    this.step = step;
    this.sizes = sizes;
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
    int size = sizes.first();
    while (true) {
      space.extend(size);
      boolean isWhole = space.isWhole();
      TangentOperator operator = space.operator();
      if (before == null && DEARER * blocks(operator) < FEWEST_BLOCKS) {
        return Optional.empty();
      }
      CriticalLearningRate found =
          Optional.ofNullable(before)
              .or(() -> expected)
              .flatMap(known -> near(operator, known, 1))
              .orElseGet(() -> afresh(operator, guess));
      double change = isWhole ? 0 : change(before, found);
      double left = space.shareLeft();
      boolean isLast = sizes.most() < LEAST_STEP * size;
      if (change <= (isLast ? UNSETTLED : SETTLED) && left <= settings.mostLeft()) {
        CriticalLearningRate last =
            isWide(found) ? near(operator, found, LONGER).orElse(found) : found;
        return Optional.of(widened(last, change, Math.max(change, LEAN * left)));
      }
      if (isLast) {
        return Optional.empty();
      }
      before = found;
      size = Math.min(2 * size, sizes.most());
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

  /** From nothing, and then near it, with the mini-batches of the next space. */
  private CriticalLearningRate afresh(TangentOperator operator, double guess) {
    CriticalLearningRate found = search(operator, 1, SWEEPS).cold(guess, Optional.empty());
    return near(operator, found, 1).orElse(found);
  }

  /** Near what was found before, by sweeps so many times longer; empty if there is nothing. */
  private Optional<CriticalLearningRate> near(
      TangentOperator operator, CriticalLearningRate before, int longer) {
    return Double.isInfinite(before.high())
        ? Optional.empty()
        : search(operator, longer, longer > 1 ? LONG_SWEEPS : SWEEPS)
            .near(before.value(), FALL * before.low(), before.high(), Optional.empty());
  }

  /** Of a sweep, as many as its flops pay for. */
  private double blocks(TangentOperator operator) {
    boolean hasMemory = step.momentum().coefficient() > 0;
    double perNumber = AT_THE_END + (hasMemory ? WITH_MEMORY * ParameterSweep.BLOCK : 0);
    double work =
        EdgeSearch.workOfABlock(operator, step)
            + EdgeSearch.RATES * perNumber * operator.dimension();
    return settings.work() / work;
  }

  private EdgeSearch search(TangentOperator operator, int longer, int sweeps) {
    ParameterSweep sweep =
        new ParameterSweep(operator, step, settings.threads(), settings.cancelled());
    double blocks = Math.max(FEWEST_BLOCKS, longer * Math.min(MOST_BLOCKS, blocks(operator)));
    double tolerance = settings.tolerance();
    return new EdgeSearch(
        sweep::run,
        ParameterSweep.BLOCK,
        (int) blocks,
        sweeps,
        longer > 1 ? Math.max(ENOUGH, tolerance) : tolerance,
        settings.meanSquare(),
        random);
  }

  /** A space says nothing against what is certified of G. */
  private CriticalLearningRate widened(CriticalLearningRate found, double below, double above) {
    if (Double.isInfinite(found.high())) {
      return found;
    }
    double least = settings.certified();
    double value = found.value();
    return new CriticalLearningRate(
        Math.max(least, value),
        Math.max(least, found.low() - below * value),
        Math.max(least, found.high()) + above * value,
        false,
        found.evaluations());
  }
}
