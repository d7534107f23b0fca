// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.lyapunov4j.exponent.EstimatorBuilder;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.SpectrumEstimator;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.gram.GramDiagnosis;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.SlowestMode;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.SgdStep;

/**
 * Turns a Gram matrix and a step into a {@link StabilityReport}. Immutable and safe for use by
 * several threads.
 *
 * <p>The seed fixes the report bit for bit, whatever the number of threads; a time budget or
 * cancellation, if it strikes, does not. So does a factor that goes from the learning rate to the
 * matrix, up to rounding; a power of two to the last bit.
 */
public final class StabilityAnalyzer {
  /** Relative width of the interval of η_c without a matrix, if its budget lasts that long. */
  private static final double EDGE_TOLERANCE = 0.03;

  private final LyapunovEstimator estimator;
  private final EdgeFinder edges;
  private final SpectrumEstimator sums;
  private final Tier tier;
  private final int spectrumLimit;
  private final int meanSquareLimit;
  private final Decomposer decomposer;
  private final OperatorAnalysis.Settings operators;

  private StabilityAnalyzer(Builder builder) {
    estimator = builder.estimator.build();
    edges = builder.edges.build();
    sums = builder.sums.build();
    tier = builder.tier;
    spectrumLimit = builder.spectrumLimit;
    meanSquareLimit = builder.meanSquareLimit;
    decomposer = builder.decomposer;
    operators = builder.operators();
  }

  /** Where spectra come from. */
  @FunctionalInterface
  interface Decomposer {
    /**
     * A spectrum.
     *
     * @throws ArithmeticException if no right eigenvalues were found
     */
    GramSpectrum decompose(GramMatrix gram, boolean vectors);
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
   * Analyses.
   *
   * @param gram G
   * @param step the step; its batch size at most N, unless it draws with replacement
   * @return the report
   * @throws IllegalArgumentException if G has a negative eigenvalue beyond rounding; beyond the
   *     {@linkplain Builder#spectrumLimit spectrum limit} as far as {@link
   *     LargestEigenpair#lowestEnergy} finds it; or if the learning rate times the largest entry of
   *     G is above 2²⁰⁰, or below 2⁻²⁰⁰ but not 0
   */
  public StabilityReport analyze(GramMatrix gram, SgdStep step) {
    requireBatch(gram, step);
    return new Analysis(new Decomposition(gram), step, null, null, null).report();
  }

  /**
   * Analyses a step of groups of parameters. λ, μ and the edge of the full-batch step are those of
   * the groups; so is η_c, see {@link GroupAnalysis}. Mean-square stability, the critical batch
   * size and the sum of exponents are not known for groups and absent, and a remark says so.
   *
   * @param gram G and its parts
   * @param step the groups; batch size at most N, unless draws are with replacement. Its {@link
   *     GroupedStep#common} is the step of the report
   * @param before as for {@link #track(GramMatrix, SgdStep, Optional)}
   * @return the report, and the track for the next checkpoint
   * @throws IllegalArgumentException as {@link #analyze(GramMatrix, SgdStep)}
   */
  public Tracked<StabilityReport> track(
      GroupedGram gram, GroupedStep step, Optional<EdgeTrack> before) {
    return track(gram, step, before, Analysis::report);
  }

  /**
   * The edge of groups of parameters alone, as {@link #trackEdge(GramMatrix, SgdStep, Optional,
   * double)}.
   *
   * @param gram as for {@link #track(GroupedGram, GroupedStep, Optional)}
   * @param step as for {@link #track(GroupedGram, GroupedStep, Optional)}
   * @param before as for {@link #track(GramMatrix, SgdStep, Optional)}
   * @param factor what the edge ratio is right within, above 1
   * @return sharpness and η_c, and the track for the next checkpoint
   * @throws IllegalArgumentException as {@link #analyze(GramMatrix, SgdStep)}, or if the factor is
   *     not above 1
   */
  public Tracked<EdgeReport> trackEdge(
      GroupedGram gram, GroupedStep step, Optional<EdgeTrack> before, double factor) {
    return track(gram, step, before, analysis -> analysis.gauge(factor));
  }

  private <R extends Findings> Tracked<R> track(
      GroupedGram gram,
      GroupedStep step,
      Optional<EdgeTrack> before,
      Function<Analysis, R> report) {
    int[] acting =
        IntStream.range(0, gram.parts().size())
            .filter(h -> gram.parts().get(h).trace() > 0)
            .toArray();
    if (acting.length < 2) {
      SgdStep alone = acting.length == 0 ? step.common() : step.of(acting[0]);
      return track(gram.whole(), alone, before, report);
    }
    if (acting.length < gram.parts().size()) {
      return track(gram.only(acting), step.only(acting), before, report);
    }
    requireBatch(gram.whole(), step.common());
    Decomposition known = new Decomposition(gram.whole());
    EdgeFollower follower = new EdgeFollower(before.map(known.units::inward));
    GroupAnalysis groups =
        new GroupAnalysis(
            gram.normalised(), known.units.step(step), known.largest, estimator, edges);
    R found = report.apply(new Analysis(known, step.common(), null, follower, groups));
    return new Tracked<>(found, follower.found.map(known.units::outward).or(() -> before));
  }

  /**
   * Analyses a step of groups of parameters.
   *
   * @param gram as for {@link #track(GroupedGram, GroupedStep, Optional)}
   * @param step as for {@link #track(GroupedGram, GroupedStep, Optional)}
   * @return the report
   */
  public StabilityReport analyze(GroupedGram gram, GroupedStep step) {
    return track(gram, step, Optional.empty()).report();
  }

  /**
   * Analyses without a Gram matrix: for more rows than its entries leave memory for. What needs the
   * matrix or its eigenvalues is absent: certificates, the mean-square threshold, the critical
   * batch size, the diagnosis. λ is estimated where it is positive and a bound where it is not; so
   * is μ.
   *
   * <p>η_c comes from sweeps of the unstable branch whose length depends on the size, with an
   * interval as for {@link EdgeFinder}.
   *
   * @param operator J, in whose rows the curvature of the loss is
   * @param step the step; its batch size at most N, unless it draws with replacement
   * @return the report
   */
  public StabilityReport analyze(TangentOperator operator, SgdStep step) {
    requireBatch(operator.examples(), step);
    return new OperatorAnalysis(operators, operator, step).report();
  }

  /**
   * The edge alone without a Gram matrix, as {@link #trackEdge} is with one.
   *
   * @param operator as for {@link #analyze(TangentOperator, SgdStep)}
   * @param step the step that stands for that of training
   * @param factor what the edge ratio is right within, above 1
   * @return sharpness and η_c as {@link #analyze(TangentOperator, SgdStep)} has them
   * @throws IllegalArgumentException as {@link #analyze(TangentOperator, SgdStep)}, or if the
   *     factor is not above 1
   */
  public EdgeReport analyzeEdge(TangentOperator operator, SgdStep step, double factor) {
    requireBatch(operator.examples(), step);
    return new OperatorAnalysis(operators, operator, step).gauge(factor);
  }

  /**
   * About what an analysis with a Gram matrix takes of the heap beside the matrix: eigenvectors and
   * the work space of the mean-square threshold, 24m² bytes; beyond the {@linkplain
   * Builder#spectrumLimit spectrum limit} a copy, 8m².
   *
   * @param rows m
   * @return bytes
   */
  public long heapBytes(long rows) {
    long arrays = rows > spectrumLimit ? 1 : 3;
    return arrays * Double.BYTES * rows * rows;
  }

  /**
   * About what {@link #analyze(TangentOperator, SgdStep)} takes of the heap beside the operator:
   * vectors of m numbers of Lanczos iterations, tangent vectors, most of them of the search for
   * η_c, and its Krylov spaces, as far as they fit.
   *
   * @param examples N
   * @param outputs K
   * @param parameters P
   * @return bytes
   */
  public long heapBytes(int examples, int outputs, long parameters) {
    return OperatorAnalysis.heapBytes(operators, examples, outputs, parameters);
  }

  /**
   * Analyses the matrix of one checkpoint after that of another. Below the full batch η_c is
   * searched for where the track lets it be expected, with the same mini-batches: the curve over
   * checkpoints is as smooth as the change of the network, for about half the price. A function of
   * its arguments, so that a saved track goes on as if nothing had come between.
   *
   * @param gram G
   * @param step the step; its batch size at most N, unless it draws with replacement
   * @param before the track of the checkpoint before; empty at the first
   * @return the report of {@link #analyze(GramMatrix, SgdStep)}, but that η_c, within its interval,
   *     may differ, and the track for the next checkpoint
   * @throws IllegalArgumentException as {@link #analyze(GramMatrix, SgdStep)}
   */
  public Tracked<StabilityReport> track(GramMatrix gram, SgdStep step, Optional<EdgeTrack> before) {
    return track(gram, step, before, Analysis::report);
  }

  /**
   * The edge alone, for a step whose linearisation is not known well enough for λ and a verdict,
   * neither of which is computed: a small part of the price of {@link #track}.
   *
   * @param gram G
   * @param step the step that stands for that of training
   * @param before as for {@link #track}
   * @param factor what the edge ratio is right within, above 1
   * @return sharpness and η_c as {@link #track} has them, and the track for the next checkpoint
   * @throws IllegalArgumentException as {@link #analyze(GramMatrix, SgdStep)}, or if the factor is
   *     not above 1
   */
  public Tracked<EdgeReport> trackEdge(
      GramMatrix gram, SgdStep step, Optional<EdgeTrack> before, double factor) {
    return track(gram, step, before, analysis -> analysis.gauge(factor));
  }

  private <R extends Findings> Tracked<R> track(
      GramMatrix gram, SgdStep step, Optional<EdgeTrack> before, Function<Analysis, R> report) {
    requireBatch(gram, step);
    Decomposition known = new Decomposition(gram);
    EdgeFollower follower = new EdgeFollower(before.map(known.units::inward));
    R found = report.apply(new Analysis(known, step, null, follower, null));
    // a checkpoint without η_c changes nothing of what is known of it
    return new Tracked<>(found, follower.found.map(known.units::outward).or(() -> before));
  }

  /**
   * A report, with what the analysis of the next checkpoint starts from.
   *
   * @param <R> what is reported
   * @param report of this checkpoint
   * @param track for {@link #track}; empty as long as no η_c was found
   */
  public record Tracked<R extends Findings>(R report, Optional<EdgeTrack> track) {
    /** {@inheritDoc} */
    public Tracked {
      Objects.requireNonNull(report, "report");
      Objects.requireNonNull(track, "track");
    }
  }

  /** Finds η_c near where it was; all in the units of the analysis. */
  private final class EdgeFollower {
    private final Optional<EdgeTrack> before;
    private Optional<EdgeTrack> found = Optional.empty();

    EdgeFollower(Optional<EdgeTrack> before) {
      this.before = before;
    }

    CriticalLearningRate follow(GramMatrix gram, SgdStep step, double stable) {
      EdgeTrack next = edges.track(gram, step, stable, before);
      found = Optional.of(next);
      return next.edge();
    }
  }

  /**
   * An analysis of many steps of one Gram matrix, which is decomposed once; η_c is found once for
   * all steps that differ in their learning rate alone. Steps of one batch size draw the same
   * mini-batches, so that differences along the learning rate are far more certain than values.
   *
   * @param gram G
   * @return from a step to its report: that of {@link #analyze(GramMatrix, SgdStep)} but that η_c,
   *     within its interval, may differ; safe for several threads, and the order of the questions
   *     changes no answer
   */
  public Function<SgdStep, StabilityReport> on(GramMatrix gram) {
    Decomposition known = new Decomposition(gram);
    Map<SgdStep, CriticalLearningRate> rates = new ConcurrentHashMap<>();
    return step -> {
      requireBatch(gram, step);
      return new Analysis(known, step, rates, null, null).report();
    };
  }

  private static void requireBatch(GramMatrix gram, SgdStep step) {
    requireBatch(gram.examples(), step);
  }

  private static void requireBatch(int examples, SgdStep step) {
    if (step.batchSize() > step.sampling().largestBatch(examples)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "batch size must not exceed the number of examples %d, got %d; use a larger probe set,"
                  + " a smaller batch size, or draws with replacement",
              examples,
              step.batchSize()));
    }
  }

  /** What is the same for all steps. */
  private final class Decomposition {
    private final Units units;
    private final GramMatrix gram;
    private final Optional<GramSpectrum> spectrum;
    private final List<String> remarks;
    private final double largest;
    private MeanSquareStability meanSquare;
    private Optional<SlowestMode> slowest;

    Decomposition(GramMatrix asGiven) {
      units = Units.of(asGiven);
      gram = units.gram();
      Optional<GramSpectrum> found = Optional.empty();
      List<String> faults = List.of();
      if (gram.size() <= spectrumLimit) {
        try {
          found = Optional.of(decomposer.decompose(gram, gram.size() <= meanSquareLimit));
          faults = found.get().remarks();
        } catch (ArithmeticException e) {
          faults = List.of(e.getMessage());
        }
      }
      spectrum = found;
      remarks = faults;
      largest =
          spectrum.map(GramSpectrum::largest).orElseGet(() -> LargestEigenpair.of(gram).value());
      requirePositiveSemidefinite();
    }

    private void requirePositiveSemidefinite() {
      if (spectrum.isPresent()) {
        units.requireNonnegative(spectrum.get().lowest(), largest, spectrum.get().noise());
      } else if (largest > 0) {
        double lowest = LargestEigenpair.lowestEnergy(gram, largest);
        double noise = gram.size() * gram.epsilon() * Math.max(largest, -lowest);
        units.requireNonnegative(lowest, largest, noise);
      }
    }

    /** Found for the first step that needs it. */
    synchronized Optional<SlowestMode> slowest() {
      if (slowest == null) {
        slowest =
            spectrum.isPresent() && spectrum.get().hasEigenvectors()
                ? SlowestMode.of(spectrum.get())
                : SlowestMode.byInverseIteration(gram, largest);
      }
      return slowest;
    }

    /** Whether the sum of exponents, which needs all eigenvalues, can be asked for. */
    boolean hasEigenvalues() {
      return spectrum.isPresent() || remarks.isEmpty();
    }

    /** Prepared for the first step that has it. */
    synchronized Optional<MeanSquareStability> meanSquare(SgdStep step) {
      boolean applies =
          spectrum.isPresent()
              && largest > 0
              && gram.size() <= meanSquareLimit
              && spectrum.get().hasEigenvectors()
              && MeanSquareStability.obstacle(step, gram.examples()).isEmpty();
      if (applies && meanSquare == null) {
        meanSquare = MeanSquareStability.of(spectrum.get());
      }
      return applies ? Optional.of(meanSquare) : Optional.empty();
    }
  }

  private boolean atLeastStandard() {
    return tier != Tier.ECONOMY;
  }

  /** One analysis; every part is computed once, in the order of its price. */
  private final class Analysis {
    private final Decomposition known;
    private final Units units;
    private final GramMatrix gram;
    private final SgdStep asked;
    private final SgdStep step;
    private final Map<SgdStep, CriticalLearningRate> rates;
    private final EdgeFollower follower;
    private final GroupAnalysis groups;
    private final Optional<MeanSquareStability> secondMoment;
    private final double largest;

    /**
     * @param rates critical learning rates that are shared with other analyses; null to find them
     *     for this one
     * @param follower finds η_c near where it was; null to search for it afresh
     * @param groups what takes the place of the step where parameters move in groups, or null
     */
    Analysis(
        Decomposition known,
        SgdStep asked,
        Map<SgdStep, CriticalLearningRate> rates,
        EdgeFollower follower,
        GroupAnalysis groups) {
      this.known = known;
      this.asked = asked;
      this.groups = groups;
      units = known.units;
      step = groups == null ? units.step(asked) : groups.effective();
      this.rates = rates;
      this.follower = follower;
      gram = known.gram;
      secondMoment =
          groups == null || groups.isNearCommonDecay() ? known.meanSquare(step) : Optional.empty();
      largest = known.largest;
    }

    StabilityReport report() {
      boolean full = tier == Tier.FULL && acts() && groups == null;
      Optional<MeanSquareReport> meanSquare = meanSquare();
      Optional<MeanSquareReport> shown = groups == null ? meanSquare : Optional.empty();
      Optional<Certificate> certificate = certificate(meanSquare);
      Optional<CriticalLearningRate> critical = criticalLearningRate(meanSquare);
      LyapunovExponent gdExponent = gdExponent();
      LyapunovExponent exponent = exponent(certificate, critical, gdExponent);
      double sharpness = units.curvature(largest / gram.examples());
      Optional<Certificate> decided = certificate.map(units::certificate);
      Optional<CriticalLearningRate> edge = critical.map(units::rate);
      return new StabilityReport(
          gram.examples(),
          gram.outputs(),
          asked,
          exponent,
          gdExponent,
          sharpness,
          classicEdgeRatio(sharpness),
          decided,
          shown.map(units::report),
          edge,
          full ? criticalBatchSize(meanSquare) : OptionalInt.empty(),
          full && known.hasEigenvalues()
              ? Optional.of(sums.sumOfExponents(gram, step))
              : Optional.empty(),
          known
              .spectrum
              .filter(spectrum -> atLeastStandard())
              .map(spectrum -> units.diagnosis(GramDiagnosis.of(gram, spectrum, step))),
          VerdictRule.of(sharpness, asked, exponent, decided, edge, shown),
          groups == null ? known.remarks : groups.remarks(known.remarks));
    }

    /** Without λ, its certificate and its verdict. */
    EdgeReport gauge(double factor) {
      Optional<CriticalLearningRate> critical =
          criticalLearningRate(secondMoment.map(found -> found.analyzeAtBatchSize(step)));
      double sharpness = units.curvature(largest / gram.examples());
      return new EdgeReport(
          gram.examples(),
          gram.outputs(),
          asked,
          sharpness,
          classicEdgeRatio(sharpness),
          critical.map(units::rate),
          factor,
          known.remarks);
    }

    private double classicEdgeRatio(double sharpness) {
      return groups == null ? FullBatchExponent.edgeRatio(sharpness, asked) : groups.edgeRatio();
    }

    /** Whether the step moves anything. */
    private boolean acts() {
      return largest > 0 && step.learningRate() > 0;
    }

    private Optional<MeanSquareReport> meanSquare() {
      return secondMoment.map(
          found -> tier == Tier.FULL ? found.analyze(step) : found.analyzeAtBatchSize(step));
    }

    private Optional<Certificate> certificate(Optional<MeanSquareReport> meanSquare) {
      if (groups != null) {
        return groups.certificate();
      }
      return atLeastStandard() || meanSquare.isPresent()
          ? Certificate.decide(gram, largest, step, meanSquare)
          : Optional.empty();
    }

    private LyapunovExponent gdExponent() {
      if (largest == 0) {
        return new ExponentBound(
            Double.NEGATIVE_INFINITY, 0, Sign.UNDECIDED, "no curvature on this probe");
      }
      if (step.learningRate() == 0) {
        return new ExactExponent(0);
      }
      if (groups != null) {
        return groups.fullBatch().exponent();
      }
      double sharpest = largest / gram.examples();
      if (known.spectrum.isPresent()) {
        return FullBatchExponent.bounds(known.spectrum.get(), step);
      }
      Optional<SlowestMode> slowest = known.slowest();
      return FullBatchExponent.between(
          slowest.map(mode -> mode.eigenvalue() / gram.examples()).orElse(sharpest),
          sharpest,
          slowest.map(SlowestMode::isResolved).orElse(false),
          step);
    }

    private LyapunovExponent exponent(
        Optional<Certificate> certificate,
        Optional<CriticalLearningRate> critical,
        LyapunovExponent gdExponent) {
      if (!acts() || step.isFullBatch(gram.examples())) {
        return gdExponent;
      }
      Sign sign = VerdictRule.knownSign(step, certificate, critical);
      if (groups != null) {
        return groups.exponent(sign, sign == Sign.UNDECIDED && critical.isPresent());
      }
      Optional<SlowestMode> slowest = sign == Sign.POSITIVE ? Optional.empty() : known.slowest();
      return sign == Sign.UNDECIDED && critical.isPresent()
          ? estimator.estimateNearEdge(gram, step, slowest)
          : estimator.estimate(gram, step, slowest, sign);
    }

    private Optional<CriticalLearningRate> criticalLearningRate(
        Optional<MeanSquareReport> meanSquare) {
      if (!atLeastStandard() || largest == 0) {
        return Optional.empty();
      }
      if (rates != null) {
        SgdStep anyRate = step.withLearningRate(gram.examples() / largest);
        return Optional.of(rates.computeIfAbsent(anyRate, this::sharedCriticalLearningRate));
      }
      double stable = meanSquare.map(found -> found.criticalLearningRate().low()).orElse(0.0);
      return Optional.of(criticalLearningRate(step, stable));
    }

    /** From nothing that depends on the learning rate of the step that happens to be first. */
    private CriticalLearningRate sharedCriticalLearningRate(SgdStep anyRate) {
      double stable =
          secondMoment.map(found -> found.criticalLearningRate(anyRate).low()).orElse(0.0);
      return criticalLearningRate(anyRate, stable);
    }

    private CriticalLearningRate criticalLearningRate(SgdStep at, double stable) {
      double certified = stable < Double.POSITIVE_INFINITY ? stable : 0;
      if (groups != null && !groups.isNearCommonDecay()) {
        return groups.criticalLearningRate();
      }
      CriticalLearningRate found = ofOneStep(at, certified);
      return groups == null ? found : groups.widened(found);
    }

    private CriticalLearningRate ofOneStep(SgdStep at, double certified) {
      return follower == null
          ? edges.criticalLearningRate(gram, at, certified, Optional.empty())
          : follower.follow(gram, at, certified);
    }

    private OptionalInt criticalBatchSize(Optional<MeanSquareReport> meanSquare) {
      OptionalInt stable =
          meanSquare.map(MeanSquareReport::criticalBatchSize).orElse(OptionalInt.empty());
      return edges.criticalBatchSize(gram, step, stable.orElse(gram.examples()));
    }
  }

  /** Settings of a {@link StabilityAnalyzer}. */
  public static final class Builder extends EstimatorBuilder<Builder> {
    private final LyapunovEstimator.Builder estimator = LyapunovEstimator.builder();
    private final EdgeFinder.Builder edges = EdgeFinder.builder();
    private final SpectrumEstimator.Builder sums = SpectrumEstimator.builder();
    private double precision = 0.02;
    private Tier tier = Tier.STANDARD;
    private int spectrumLimit = 6144;
    private int meanSquareLimit = 6144;
    private Decomposer decomposer =
        (gram, vectors) -> vectors ? GramSpectrum.of(gram) : GramSpectrum.eigenvaluesOnly(gram);

    private Builder() {}

    private OperatorAnalysis.Settings operators() {
      return new OperatorAnalysis.Settings(
          seed(), threads(), precision, EDGE_TOLERANCE, tier != Tier.ECONOMY, cancelled());
    }

    /** For tests of what happens where routines are wrong. */
    Builder decomposer(Decomposer decomposer) {
      this.decomposer = decomposer;
      return this;
    }

    /**
     * The budget of measured epochs of each realisation of λ.
     *
     * @param epochs at least 1; by default as {@link LyapunovEstimator.Builder#maxEpochs}
     * @return this
     */
    public Builder maxEpochs(int epochs) {
      estimator.maxEpochs(epochs);
      return this;
    }

    /**
     * The half-width of the 95 % interval of λ, relative to λ, at which sampling ends.
     *
     * @param precision at least 0; default 0.02
     * @return this
     */
    public Builder precision(double precision) {
      estimator.precision(precision);
      this.precision = precision;
      return this;
    }

    /**
     * A budget of wall-clock time for sampling λ.
     *
     * @param budget positive; default a year
     * @return this
     */
    public Builder timeBudget(Duration budget) {
      estimator.timeBudget(budget);
      return this;
    }

    /**
     * Progress, called on the calling thread.
     *
     * @param progress receives a fraction of the epoch budget in (0, 1]
     * @return this
     */
    public Builder progress(DoubleConsumer progress) {
      estimator.progress(progress);
      return this;
    }

    /**
     * How much of the panel to compute.
     *
     * @param tier default {@link Tier#STANDARD}
     * @return this
     */
    public Builder tier(Tier tier) {
      this.tier = Objects.requireNonNull(tier, "tier");
      return this;
    }

    /**
     * The largest m for which mean-square stability is computed, if all eigenvalues are (some 12 m³
     * flops and 24 m² bytes). Beyond, eigenvalues only.
     *
     * @param size at least 0; default 6144
     * @return this
     */
    public Builder meanSquareLimit(int size) {
      if (size < 0) {
        throw new IllegalArgumentException("mean-square limit must be at least 0, got " + size);
      }
      meanSquareLimit = size;
      return this;
    }

    /**
     * The largest m for which all eigenvalues are computed (about 4m³/3 flops and 8m² bytes).
     *
     * @param size at least 0; default 6144
     * @return this
     */
    public Builder spectrumLimit(int size) {
      if (size < 0) {
        throw new IllegalArgumentException("spectrum limit must be at least 0, got " + size);
      }
      spectrumLimit = size;
      return this;
    }

    /**
     * The analyzer.
     *
     * @return an immutable analyzer
     */
    public StabilityAnalyzer build() {
      share(estimator);
      share(edges);
      share(sums);
      return new StabilityAnalyzer(this);
    }

    @Override
    protected Builder self() {
      return this;
    }
  }
}
