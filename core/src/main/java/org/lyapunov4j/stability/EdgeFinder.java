// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import org.lyapunov4j.exponent.EstimatorBuilder;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.GroupedFullBatch;
import org.lyapunov4j.exponent.KrylovSpace;
import org.lyapunov4j.exponent.RateSweep;
import org.lyapunov4j.exponent.Tangent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * Finds where λ changes sign: over the learning rate at a given batch size, and over the batch size
 * at a given learning rate.
 *
 * <p>Below the edge λ is the rate of the slowest mode, a tiny negative number that says nothing of
 * the distance to the edge; above, it leaves zero like a power of the distance. So λ is measured at
 * eight learning rates at a time, with the same mini-batches ({@link RateSweep}), and the zero is
 * what a power law through the positive values says it is, with a 95 % interval from the posterior
 * of that fit. η_ms, where it is known, bounds η_c from below.
 *
 * <p>Where η_ms is below 0.86 η_c, growth just above the edge comes in bursts too rare to be met,
 * and the interval reaches half the way down to η_ms. On a matrix of 1000 rows a search takes about
 * 5·10⁹ flops, on a small one up to 2·10⁹, and half as much again where the interval would else be
 * wider than 4 %.
 *
 * <p>Matrices of more than 2048 rows are searched in Krylov spaces that keep what each example has
 * with itself ({@link KrylovSpace}), if spaces of few dimensions have most of them: where η_c
 * settles there, its interval is wider by what is not in them.
 *
 * <p>A single crossing is assumed; the paper proves none, and none other was ever seen. The seed
 * fixes the result bit for bit, whatever the number of threads. Immutable and safe for several
 * threads.
 */
public final class EdgeFinder {
  /** Rows from which on a sweep has so few epochs that it may miss bursts. */
  private static final int LARGE = 2048;

  /** Of the first space, so that a step in the second is 8 times cheaper than with the matrix. */
  private static final int ROWS_PER_DIMENSION = 32;

  /**
   * Share of tr G outside the first space with which it is too far to where η_c settles: a dense
   * network of 5000 rows has 0.35 and needs 512 dimensions, which take twice as long as the matrix;
   * LeNet has 0.06.
   */
  private static final double MOST_LEFT = 0.24;

  /** Key of random streams. */
  private static final long SPACES = 0x7370;

  private final Builder settings;

  private EdgeFinder(Builder settings) {
    this.settings = settings;
  }

  /**
   * Starts a configuration.
   *
   * @return a builder with the defaults
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The critical learning rate, from the bounds that need no eigenvectors.
   *
   * @param gram G ≠ 0
   * @param step the step; its learning rate does not matter
   * @return η_c
   */
  public CriticalLearningRate criticalLearningRate(GramMatrix gram, SgdStep step) {
    return criticalLearningRate(gram, step, 0, Optional.empty());
  }

  /**
   * The critical learning rate.
   *
   * @param gram G ≠ 0
   * @param step the step; its learning rate does not matter
   * @param certified a learning rate known to be stable, such as the mean-square critical one; 0 if
   *     none is known
   * @param start a direction to start from; without effect in Krylov spaces
   * @return η_c
   * @throws CancellationException if cancelled
   */
  public CriticalLearningRate criticalLearningRate(
      GramMatrix gram, SgdStep step, double certified, Optional<Tangent> start) {
    if (step.isFullBatch(gram.examples())) {
      return CriticalLearningRate.exactly(fullBatch(gram, step));
    }
    Scale scale = scale(gram, step, certified);
    return inKrylovSpaces(gram, step, certified, scale, Optional.empty())
        .orElseGet(() -> search(gram, step, certified, scale).cold(scale.guess(), start));
  }

  /**
   * The critical learning rate of groups of parameters.
   *
   * @param gram G ≠ 0 and its parts
   * @param step the groups; its learning rate does not matter
   * @return η_c
   * @throws CancellationException if cancelled
   */
  public CriticalLearningRate criticalLearningRate(GroupedGram gram, GroupedStep step) {
    double fullBatch = GroupedFullBatch.criticalLearningRate(gram, step);
    SgdStep common = step.common();
    if (common.isFullBatch(gram.whole().examples())) {
      return CriticalLearningRate.exactly(fullBatch);
    }
    int examples = gram.whole().examples();
    LargestEigenpair top = LargestEigenpair.of(gram.whole());
    double sharpness = top.value() / examples;
    double guess = Math.min(fullBatch, fullBatch * sharpness / largestDiagonalEntry(gram.whole()));
    Scale scale =
        new Scale(
            guess, DirectionalBound.of(gram.whole()::multiply, top, examples, common, fullBatch));
    RateSweep sweep = settings.sweep(gram, step);
    return search(gram.whole(), common, sweep, 0, scale).cold(guess, Optional.empty());
  }

  /**
   * The critical learning rate, searched for where that of the checkpoint before lets it be
   * expected: at the same multiple of η_ms, from the same direction, with the same mini-batches,
   * which takes about half the time and makes the curve over checkpoints smooth. If it is not there
   * (a catapult, another kind of step) it is searched for afresh.
   *
   * <p>A function of its arguments: a run that is resumed with a saved track goes on as if it had
   * never ended.
   *
   * @param gram G ≠ 0
   * @param step the step; its learning rate does not matter
   * @param certified η_ms; 0 if it is not known
   * @param before the track of the checkpoint before; empty at the first
   * @return the track, with η_c
   * @throws CancellationException if cancelled
   */
  public EdgeTrack track(
      GramMatrix gram, SgdStep step, double certified, Optional<EdgeTrack> before) {
    if (step.isFullBatch(gram.examples())) {
      double exact = fullBatch(gram, step);
      return new EdgeTrack(
          CriticalLearningRate.exactly(exact), step, exact, false, Optional.empty());
    }
    boolean isCertified = certified > 0;
    Scale scale = scale(gram, step, certified);
    Optional<EdgeTrack> known =
        before.filter(track -> track.leadsTo(step, scale.guess(), isCertified, gram.size()));
    Optional<CriticalLearningRate> expected =
        known.map(track -> scaled(track.edge(), scale.guess() / track.scale()));
    return inKrylovSpaces(gram, step, certified, scale, expected)
        .map(found -> new EdgeTrack(found, step, scale.guess(), isCertified, Optional.empty()))
        .or(() -> known.flatMap(track -> follow(gram, certified, scale, track, expected.get())))
        .orElseGet(
            () -> {
              EdgeSearch search = search(gram, step, certified, scale);
              CriticalLearningRate edge = search.cold(scale.guess(), Optional.empty());
              return new EdgeTrack(edge, step, scale.guess(), isCertified, search.direction());
            });
  }

  private Optional<EdgeTrack> follow(
      GramMatrix gram,
      double certified,
      Scale scale,
      EdgeTrack known,
      CriticalLearningRate expected) {
    SgdStep step = known.step();
    EdgeSearch search = search(gram, step, certified, scale);
    return search
        .near(expected.value(), expected.low(), expected.high(), known.direction())
        .map(
            found ->
                new EdgeTrack(found, step, scale.guess(), known.isCertified(), search.direction()));
  }

  private static CriticalLearningRate scaled(CriticalLearningRate edge, double by) {
    return new CriticalLearningRate(
        edge.value() * by, edge.low() * by, edge.high() * by, false, List.of());
  }

  /**
   * Where the matrix is too large for sweeps that see bursts, and spaces are small beside it.
   *
   * @return empty where they are not, or where η_c does not settle
   */
  private Optional<CriticalLearningRate> inKrylovSpaces(
      GramMatrix gram,
      SgdStep step,
      double certified,
      Scale scale,
      Optional<CriticalLearningRate> expected) {
    if (gram.size() <= LARGE || settings.maxEpochs > 0) {
      return Optional.empty();
    }
    RandomStream random = settings.stream().split(SPACES);
    Optional<KrylovEdge.Sizes> sizes =
        KrylovEdge.Sizes.of(gram.examples(), gram.outputs(), gram.size())
            .filter(of -> ROWS_PER_DIMENSION * of.first() <= gram.size());
    if (sizes.isEmpty()) {
      return Optional.empty();
    }
    KrylovSpace space = settings.space(gram, random.split(0));
    space.extend(sizes.get().first());
    return space.shareLeft() > MOST_LEFT
        ? Optional.empty()
        : new KrylovEdge(
                space,
                step,
                sizes.get(),
                settings.inSpaces(certified, scale.meanSquare()),
                random.split(1))
            .find(scale.guess(), expected);
  }

  /**
   * The smallest batch size at which the step is stable.
   *
   * <p>The sign of λ is not monotone in B by theorem; bisection finds a crossing. Batch sizes whose
   * edge is not above the learning rate beyond doubt count as unstable.
   *
   * @param gram G ≠ 0
   * @param step the step; its batch size does not matter
   * @param certified a batch size known to be stable; N if none is known
   * @return B, or empty if not even the full batch is stable
   * @throws CancellationException if cancelled
   */
  public OptionalInt criticalBatchSize(GramMatrix gram, SgdStep step, int certified) {
    int stable = certified;
    if (certified == gram.examples() && !isStable(gram, step.withBatchSize(certified))) {
      return OptionalInt.empty();
    }
    int unstable = 0;
    while (stable - unstable > 1) {
      int middle = (stable + unstable) >>> 1;
      if (isStable(gram, step.withBatchSize(middle))) {
        stable = middle;
      } else {
        unstable = middle;
      }
    }
    return OptionalInt.of(stable);
  }

  private boolean isStable(GramMatrix gram, SgdStep step) {
    return step.isFullBatch(gram.examples())
        ? step.learningRate() < fullBatch(gram, step)
        : search(gram, step, 0, Scale.UNKNOWN).isBelowEdge(step.learningRate());
  }

  private EdgeSearch search(GramMatrix gram, SgdStep step, double certified, Scale scale) {
    return search(gram, step, settings.sweep(gram, step), certified, scale);
  }

  private EdgeSearch search(
      GramMatrix gram, SgdStep step, RateSweep sweep, double certified, Scale scale) {
    return new EdgeSearch(
        gram,
        step,
        sweep,
        settings.maxEpochs,
        settings.tolerance,
        certified,
        scale.meanSquare(),
        settings.stream());
  }

  /**
   * Where the edge is looked for.
   *
   * @param guess a rate below which it hardly lies
   * @param meanSquare η_ms or an upper bound of it
   */
  private record Scale(double guess, double meanSquare) {
    static final Scale UNKNOWN = new Scale(0, Double.POSITIVE_INFINITY);
  }

  private static double fullBatch(GramMatrix gram, SgdStep step) {
    return fullBatch(LargestEigenpair.of(gram), gram.examples(), step);
  }

  private static double fullBatch(LargestEigenpair top, int examples, SgdStep step) {
    if (!(top.value() > 0)) {
      throw new IllegalArgumentException(
          "a critical learning rate needs a nonzero Gram matrix, got the largest eigenvalue "
              + top.value());
    }
    return FullBatchExponent.criticalLearningRate(top.value() / examples, step);
  }

  /**
   * η_ms if it is known. Else the guess is 2 over the largest diagonal entry, below which plain SGD
   * is stable for K = 1; momentum moves that bound about as it moves the full-batch one.
   */
  private static Scale scale(GramMatrix gram, SgdStep step, double certified) {
    if (certified > 0) {
      return new Scale(certified, certified);
    }
    LargestEigenpair top = LargestEigenpair.of(gram);
    double fullBatch = fullBatch(top, gram.examples(), step);
    SgdStep free = step.withL2(0).withWeightDecay(0);
    double plain = FullBatchExponent.criticalLearningRate(1, free.withMomentum(Momentum.NONE));
    double same = FullBatchExponent.criticalLearningRate(1, free);
    return new Scale(
        Math.min(fullBatch, 2 / largestDiagonalEntry(gram) * same / plain),
        DirectionalBound.of(gram::multiply, top, gram.examples(), step, fullBatch));
  }

  private static double largestDiagonalEntry(GramMatrix gram) {
    double largest = 0;
    for (int i = 0; i < gram.size(); i++) {
      largest = Math.max(largest, gram.get(i, i));
    }
    return largest;
  }

  /** Settings of an {@link EdgeFinder}. */
  public static final class Builder extends EstimatorBuilder<Builder> {
    private int maxEpochs;
    private double tolerance = 0.02;

    private Builder() {}

    /**
     * The epochs of a sweep, in which each of eight learning rates is measured.
     *
     * @param epochs at least 16; by default 200 to 1024, fewer for larger matrices
     * @return this
     */
    public Builder maxEpochs(int epochs) {
      maxEpochs = requireAtLeast("maximal epochs", epochs, 16);
      return this;
    }

    /**
     * The relative width of the interval at which the search ends, if its budget of sweeps lasts
     * that long.
     *
     * @param tolerance in (0, 1); default 0.02
     * @return this
     */
    public Builder tolerance(double tolerance) {
      if (!(tolerance > 0 && tolerance < 1)) {
        throw new IllegalArgumentException("tolerance must be between 0 and 1, got " + tolerance);
      }
      this.tolerance = tolerance;
      return this;
    }

    /**
     * The finder.
     *
     * @return an immutable finder
     */
    public EdgeFinder build() {
      Builder copy = share(new Builder());
      copy.maxEpochs = maxEpochs;
      copy.tolerance = tolerance;
      return new EdgeFinder(copy);
    }

    private RateSweep sweep(GramMatrix gram, SgdStep step) {
      return new RateSweep(gram, step, threads(), cancelled());
    }

    private RateSweep sweep(GroupedGram gram, GroupedStep step) {
      return new RateSweep(gram, step, threads(), cancelled());
    }

    private KrylovEdge.Settings inSpaces(double certified, double meanSquare) {
      return new KrylovEdge.Settings(
          KrylovEdge.Settings.LITTLE_LEFT,
          KrylovEdge.Settings.LITTLE_WORK,
          certified,
          meanSquare,
          tolerance,
          threads(),
          cancelled());
    }

    private KrylovSpace space(GramMatrix gram, RandomStream random) {
      return KrylovSpace.of(gram, cancelled(), random);
    }

    private RandomStream stream() {
      return new RandomStream(seed());
    }

    @Override
    protected Builder self() {
      return this;
    }
  }
}
