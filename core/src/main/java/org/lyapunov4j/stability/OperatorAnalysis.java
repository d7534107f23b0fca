// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.KrylovSpace;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.ParameterEstimator;
import org.lyapunov4j.exponent.ParameterSweep;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.TangentGram;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The report of a step where there is no Gram matrix: sharpness by Lanczos, η_c in Krylov spaces
 * or, where it does not settle there or they cost too much, from steps with the Jacobian itself and
 * small spaces for the lower end, λ estimated beyond the edge and bounded below it, μ bounded.
 */
final class OperatorAnalysis {
  private static final double TOLERANCE = 1e-6;
  private static final int MOST_PRODUCTS = 60;

  /** Of the bound of the slowest curvature, which is far from its limit then. */
  private static final int PRODUCTS_BELOW = 12;

  /**
   * Of its bound by one direction that η_ms may be: 0.79 to 1 for 45 networks with B = 1 to 32
   * (docs/experiments.md), 0.79 for LeNet. Sweeps with the Jacobian are too short to tell whether
   * growth comes in bursts below what they find.
   */
  private static final double FURTHEST_BELOW = 0.79;

  /** How far below the guess the search begins: it climbs in one sweep by 3.6. */
  private static final double BELOW_GUESS = 1.6;

  /** Flops of a sweep of eight rates, and the blocks of steps that makes at least and at most. */
  private static final double WORK_OF_A_SWEEP = 1e11;

  private static final int FEWEST_BLOCKS = 48;
  private static final int MOST_BLOCKS = 512;
  private static final int SWEEPS = 3;

  /** Sweeps that such a search takes in all, short ones and long ones. */
  private static final int MOST_SWEEPS = 6;

  /** Vectors of m numbers of Lanczos iterations, and of P numbers with and without a search. */
  private static final int LANCZOS = 64;

  private static final int TANGENTS = 64;
  private static final int FEW_TANGENTS = 16;

  /** Keys of random streams. */
  private static final long START = 0x7374;

  private static final long EDGE = 0x6564;
  private static final long SPACE = 0x7370;
  private static final long SEARCH = 0x7365;

  private final Settings settings;
  private final TangentOperator operator;
  private final SgdStep step;
  private final TangentGram gram;

  /**
   * How it is done.
   *
   * @param atLeastStandard whether η_c is wanted
   */
  record Settings(
      long seed,
      int threads,
      double precision,
      double tolerance,
      boolean atLeastStandard,
      BooleanSupplier cancelled) {}

  OperatorAnalysis(Settings settings, TangentOperator operator, SgdStep step) {
    this.settings = settings;
    this.operator = operator;
    this.step = step;
    gram = new TangentGram(operator, settings.threads, settings.cancelled);
  }

  /** About what it takes of the heap beside the operator. */
  static long heapBytes(Settings settings, int examples, int outputs, long parameters) {
    int tangents = settings.atLeastStandard ? TANGENTS : FEW_TANGENTS;
    double vectors = LANCZOS * (double) examples * outputs + tangents * (double) parameters;
    return (long) (Double.BYTES * vectors)
        + (settings.atLeastStandard ? spaceBytes(examples, outputs) : 0);
  }

  /** Of the larger of the spaces that may be made, one after the other. */
  private static long spaceBytes(int examples, int outputs) {
    double anyPrice = Double.POSITIVE_INFINITY;
    return Stream.of(
            KrylovEdge.Sizes.of(examples, outputs, anyPrice),
            KrylovEdge.Sizes.small(examples, outputs, anyPrice))
        .flatMap(Optional::stream)
        .filter(sizes -> sizes.fit(examples, outputs))
        .mapToLong(sizes -> (long) sizes.bytes(examples, outputs))
        .max()
        .orElse(0);
  }

  StabilityReport report() {
    double[] start = start();
    Optional<LargestEigenpair> top = top(start);
    Optional<CriticalLearningRate> critical = edge(top);
    int examples = operator.examples();
    double sharpness = sharpness(top);
    double slowest = top.map(pair -> smallest(pair.value(), start)).orElse(0.0) / examples;
    LyapunovExponent gdExponent = gdExponent(sharpness, slowest);
    LyapunovExponent exponent = exponent(critical, gdExponent, sharpness, slowest);
    return new StabilityReport(
        examples,
        operator.outputs(),
        step,
        exponent,
        gdExponent,
        sharpness,
        FullBatchExponent.edgeRatio(sharpness, step),
        Optional.empty(),
        Optional.empty(),
        critical,
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        VerdictRule.of(sharpness, step, exponent, Optional.empty(), critical, Optional.empty()),
        remarks());
  }

  /** Without λ, μ and a verdict. */
  EdgeReport gauge(double factor) {
    Optional<LargestEigenpair> top = top(start());
    double sharpness = sharpness(top);
    return new EdgeReport(
        operator.examples(),
        operator.outputs(),
        step,
        sharpness,
        FullBatchExponent.edgeRatio(sharpness, step),
        edge(top),
        factor,
        remarks());
  }

  private List<String> remarks() {
    return List.of(
        String.format(
            Locale.ROOT,
            "%d rows are too many for a Gram matrix: products with the layers' Jacobians took its"
                + " place; λ below the edge and μ are bounds, and there is no mean-square"
                + " threshold",
            gram.size()));
  }

  private Optional<LargestEigenpair> top(double[] start) {
    return Vectors.norm(start) > 0
        ? Optional.of(LargestEigenpair.of(gram, start, TOLERANCE, MOST_PRODUCTS))
        : Optional.empty();
  }

  private double sharpness(Optional<LargestEigenpair> top) {
    return top.map(LargestEigenpair::value).orElse(0.0) / operator.examples();
  }

  private Optional<CriticalLearningRate> edge(Optional<LargestEigenpair> top) {
    return top.filter(pair -> settings.atLeastStandard).map(this::criticalLearningRate);
  }

  /** A vector in the range of J, so that no product leads into ker G. */
  private double[] start() {
    RandomStream random = new RandomStream(settings.seed).split(START);
    double[] image = new double[gram.size()];
    gram.apply(random.gaussians(gram.size()), image);
    return image;
  }

  /** The least Rayleigh quotient of a few products: at least the smallest nonzero eigenvalue. */
  private double smallest(double largest, double[] start) {
    LargestEigenpair.Operator below =
        (x, y) -> {
          gram.apply(x, y);
          for (int i = 0; i < y.length; i++) {
            y[i] = largest * x[i] - y[i];
          }
        };
    double found = largest - LargestEigenpair.of(below, start, TOLERANCE, PRODUCTS_BELOW).value();
    double noise = gram.size() * Math.ulp(largest);
    return Math.max(found, noise);
  }

  private LyapunovExponent gdExponent(double sharpness, double slowest) {
    if (sharpness == 0) {
      return new ExponentBound(
          Double.NEGATIVE_INFINITY, 0, Sign.UNDECIDED, "no curvature on this probe");
    }
    return step.learningRate() == 0
        ? new ExactExponent(0)
        : FullBatchExponent.between(slowest, sharpness, false, step);
  }

  private LyapunovExponent exponent(
      Optional<CriticalLearningRate> critical,
      LyapunovExponent gdExponent,
      double sharpness,
      double slowest) {
    if (sharpness == 0 || step.learningRate() == 0 || step.isFullBatch(operator.examples())) {
      return gdExponent;
    }
    Sign sign = VerdictRule.knownSign(step, Optional.empty(), critical);
    return new ParameterEstimator(
            settings.seed, settings.threads, settings.precision, settings.cancelled)
        .estimate(operator, step, slowest, sign, critical.isEmpty());
  }

  private CriticalLearningRate criticalLearningRate(LargestEigenpair top) {
    double fullBatch =
        FullBatchExponent.criticalLearningRate(top.value() / operator.examples(), step);
    if (step.isFullBatch(operator.examples())) {
      return CriticalLearningRate.exactly(fullBatch);
    }
    double work = EdgeSearch.workOfABlock(operator, step);
    int blocks = (int) Math.max(FEWEST_BLOCKS, Math.min(MOST_BLOCKS, WORK_OF_A_SWEEP / work));
    double bound = DirectionalBound.of(gram, top, operator.examples(), step, fullBatch);
    double guess = Math.min(fullBatch, FURTHEST_BELOW * bound) / BELOW_GUESS;
    RandomStream random = new RandomStream(settings.seed).split(EDGE);
    double product = operator.flopsPerExample() * operator.examples();
    double affordable = MOST_SWEEPS * blocks * work / product;
    KrylovEdge.Settings large =
        spaces(KrylovEdge.Settings.LITTLE_LEFT, KrylovEdge.Settings.WORK, bound);
    return KrylovEdge.Sizes.of(operator.examples(), operator.outputs(), affordable)
        .flatMap(sizes -> inKrylovSpaces(sizes, large, guess, random))
        .orElseGet(() -> withTheJacobian(blocks, affordable, bound, guess, random));
  }

  private KrylovEdge.Settings spaces(double mostLeft, double work, double bound) {
    return new KrylovEdge.Settings(
        mostLeft,
        work,
        /* certified= */ 0,
        bound,
        settings.tolerance,
        settings.threads,
        settings.cancelled);
  }

  /** Empty where spaces take too much of the heap, or η_c does not settle. */
  private Optional<CriticalLearningRate> inKrylovSpaces(
      KrylovEdge.Sizes sizes, KrylovEdge.Settings how, double guess, RandomStream random) {
    if (!sizes.fit(operator.examples(), operator.outputs())) {
      return Optional.empty();
    }
    KrylovSpace space = KrylovSpace.of(operator, gram, random.split(SPACE));
    return new KrylovEdge(space, step, sizes, how, random.split(SEARCH))
        .find(guess, Optional.empty());
  }

  /**
   * By few steps, which tell how far up η_c may be. How far down is told by long runs in small
   * spaces, where η_c is usually too low; else by what η_ms may be.
   */
  private CriticalLearningRate withTheJacobian(
      int blocks, double affordable, double bound, double guess, RandomStream random) {
    KrylovEdge.Settings small =
        spaces(KrylovEdge.Settings.MUCH_LEFT, KrylovEdge.Settings.LITTLE_WORK, bound);
    Optional<CriticalLearningRate> below =
        KrylovEdge.Sizes.small(operator.examples(), operator.outputs(), affordable)
            .flatMap(sizes -> inKrylovSpaces(sizes, small, guess, random));
    double meanSquare = below.isPresent() ? bound : FURTHEST_BELOW * bound;
    CriticalLearningRate found = search(blocks, meanSquare, random).cold(guess, Optional.empty());
    double low = Math.min(found.low(), below.map(CriticalLearningRate::low).orElse(found.low()));
    return new CriticalLearningRate(found.value(), low, found.high(), false, found.evaluations());
  }

  private EdgeSearch search(int blocks, double meanSquare, RandomStream random) {
    ParameterSweep sweep = new ParameterSweep(operator, step, settings.threads, settings.cancelled);
    return new EdgeSearch(
        sweep::run, ParameterSweep.BLOCK, blocks, SWEEPS, settings.tolerance, meanSquare, random);
  }
}
