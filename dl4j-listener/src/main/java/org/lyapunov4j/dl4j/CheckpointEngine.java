// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkFactors;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.NormalisedGradient;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.LossFloor;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Turns snapshots of one model into checkpoints, one at a time. Knows nothing of the live model
 * once it is made. But for the trajectory and, within its interval, the critical learning rate,
 * which starts from that of the checkpoint before, a checkpoint depends on its snapshot alone.
 */
final class CheckpointEngine implements AutoCloseable {
  private static final int BATCHES = 64;
  private static final int BRIEF_EPOCHS = 64;

  private static final int NORMED_BATCHES = 16;
  private static final int MOST_RATES = 6;

  /** Key of a random stream. */
  private static final long GRADIENT_NORMS = 0x6e6f726d;

  /** Key of a random stream. */
  private static final long BATCH_SHARPNESS = 0x62617463;

  /** Key of a random stream. */
  private static final long PROBE_PARTS = 0x70617274;

  private static final Level.Observed NEEDS_MATRIX =
      new Level.Observed(
          "normalised gradients and the decay of preconditioned parameters need the Gram matrix,"
              + " for which the probe has too many rows",
          "use fewer examples");

  private final Settings settings;
  private final Kernel kernel;
  private final int examples;
  private final long parameters;
  private final Map<Tier, StabilityAnalyzer> analyzers = new EnumMap<>(Tier.class);
  private final StabilityAnalyzer brief;
  private final ResidualHorizon horizon;

  /**
   * How checkpoints are made.
   *
   * @param run the name of the run
   * @param analysis what is computed
   * @param trajectory what carries the tangent vector, or null
   * @param edge what carries the critical learning rate
   * @param deadline ends a checkpoint that takes too long
   * @param strict whether a model without a Gram matrix is refused
   * @param stages told of every stage that is entered
   */
  record Settings(
      String run,
      AnalysisSettings analysis,
      TrajectoryTracker trajectory,
      EdgeTracker edge,
      Deadline deadline,
      boolean strict,
      Consumer<Stage> stages) {}

  CheckpointEngine(Settings settings, Model model, MultiDataSet examples) {
    this.settings = settings;
    kernel = Kernel.of(model, examples, settings.deadline()::isOver, settings.strict());
    this.examples = (int) examples.getFeatures(0).size(0);
    parameters = model.numParams();
    horizon = ResidualHorizon.of(settings.analysis().horizon(), settings.analysis().seed());
    for (Tier tier : Tier.values()) {
      analyzers.put(tier, analyzer(StabilityAnalyzer.builder(), tier));
    }
    if (settings.trajectory() != null && kernel.isCurved()) {
      settings.trajectory().prepare(model, examples);
    }
    brief = analyzer(StabilityAnalyzer.builder().maxEpochs(BRIEF_EPOCHS), Tier.ECONOMY);
  }

  private StabilityAnalyzer analyzer(StabilityAnalyzer.Builder builder, Tier tier) {
    builder.seed(settings.analysis().seed());
    settings.analysis().analyzer().accept(builder);
    return builder.tier(tier).cancelled(settings.deadline()::isOver).build();
  }

  int outputs() {
    return kernel.outputs();
  }

  /** A step at the level that the model leaves it. */
  TrainingStep at(TrainingStep step) {
    return kernel.of(step).at(kernel.level(step.sgd().batchSize()));
  }

  /** About what a checkpoint takes of the heap: the matrix or its factors, and their analysis. */
  long heapBytes(Tier tier) {
    StabilityAnalyzer analyzer = analyzers.get(tier);
    if (kernel.factorBytes().isPresent()) {
      return kernel.factorBytes().getAsLong()
          + analyzer.heapBytes(examples, kernel.outputs(), parameters);
    }
    long rows = (long) examples * kernel.outputs();
    return kernel.entryBytes() * rows * rows + analyzer.heapBytes(rows);
  }

  /**
   * Computes a checkpoint.
   *
   * @throws CancellationException if it took too long or was cancelled
   */
  Checkpoint evaluate(Snapshot snapshot) {
    settings.deadline().start();
    settings.deadline().check();
    settings.stages().accept(Stage.GRAM);
    long start = System.nanoTime();
    // the sum is finite only if every parameter is
    requireFinite(snapshot.parameters().sumNumber().doubleValue(), "parameters", snapshot);
    Optional<String> rates = normalise(snapshot);
    TrainingStep asked = kernel.of(snapshot.step());
    Kernel.Result result =
        kernel.compute(
            snapshot.parameters(),
            snapshot.parameterWeights(),
            snapshot.fixedNorms(),
            asked.sgd().batchSize(),
            asked.groups());
    if (result.matrix().isPresent() || result.factors().isPresent()) {
      requireFinite(result.loss(), "mean loss", snapshot);
    }
    settings.deadline().check();
    settings.stages().accept(Stage.ANALYSIS);
    long middle = System.nanoTime();
    TrainingStep step = decaying(asked.at(result.level()), snapshot, result);
    step = rates.map(step::withRemark).orElse(step);
    if (result.matrix().isPresent()) {
      step = step.withSgd(kernel.of(step.sgd(), result.matrix().get().gram()));
    }
    SgdStep sgd = step.sgd();
    Found found = found(snapshot, step, result);
    settings.deadline().check();
    long end = System.nanoTime();
    Optional<Kernel.Matrix> matrix = result.matrix();
    return new Checkpoint(
        settings.run(),
        snapshot.iteration(),
        snapshot.epoch(),
        snapshot.time(),
        snapshot.loss(),
        result.loss(),
        snapshot.tier(),
        step,
        assumptions(result, found.findings(), found.smaller()),
        found.findings(),
        found.findings() instanceof StabilityReport
            ? settings.edge().forecast(step.sgd())
            : Optional.empty(),
        found.smaller(),
        matrix
            .filter(gram -> kernel.isCurved())
            .map(gram -> batchSharpness(gram, sgd, snapshot.iteration())),
        found.window(),
        found.finiteTime(),
        matrix
            .map(gram -> bytes(gram.gram()))
            .or(() -> result.factors().map(NtkFactors::bytes))
            .orElse(0L),
        Duration.ofNanos(middle - start),
        Duration.ofNanos(end - middle));
  }

  /**
   * Puts the mean of 1/‖g‖ over mini-batches into the weights of the parameters, for each part of
   * the gradient that is divided by its norm, and says what learning rates that makes.
   */
  private Optional<String> normalise(Snapshot snapshot) {
    List<NormalisedGradient> normalised = snapshot.normalised();
    if (normalised.isEmpty() || !kernel.isCurved()) {
      return Optional.empty();
    }
    SgdStep step = snapshot.step().sgd();
    MiniBatchSampler sampler =
        new MiniBatchSampler(
            examples,
            step.batchSize(),
            step.sampling(),
            new RandomStream(settings.analysis().seed())
                .split(GRADIENT_NORMS)
                .split(snapshot.iteration()));
    List<int[]> batches = new ArrayList<>();
    int[] batch = new int[step.batchSize()];
    int draws = step.isFullBatch(examples) ? 1 : NORMED_BATCHES; // all of them are the same
    for (int b = 0; b < draws; b++) {
      int size = sampler.next(batch);
      batches.add(Arrays.copyOf(batch, size));
    }
    double[] inverse = kernel.inverseNorms(snapshot.parameters(), normalised, batches);
    List<String> rates = new ArrayList<>();
    for (int l = 0; l < inverse.length; l++) {
      NormalisedGradient part = normalised.get(l);
      if (snapshot.parameterWeights() != null) {
        snapshot
            .parameterWeights()
            .get(NDArrayIndex.interval(part.from(), part.to()))
            .muli(inverse[l]);
      }
      rates.add(
          String.format(Locale.ROOT, "%.3g for %s", step.learningRate() * inverse[l], part.name()));
    }
    return Optional.of(
        "gradients are divided by their norms: effective learning rates η/‖g‖ "
            + String.join(", ", rates.subList(0, Math.min(MOST_RATES, rates.size())))
            + (rates.size() > MOST_RATES ? ", …" : ""));
  }

  /** The step with what l2 does along the critical direction, where it is preconditioned. */
  private TrainingStep decaying(TrainingStep step, Snapshot snapshot, Kernel.Result result) {
    if (result.factors().isPresent()
        && (snapshot.decays() != null || !snapshot.normalised().isEmpty())) {
      return step.at(NEEDS_MATRIX);
    }
    if (snapshot.decays() == null
        || result.matrix().isEmpty()
        || step.level() instanceof Level.Observed) {
      return step;
    }
    return PreconditionedDecay.of(result.matrix().get().gram(), kernel, snapshot).in(step);
  }

  /** What depends on the level. */
  private record Found(
      Findings findings,
      List<StabilityReport> smaller,
      Optional<TrajectoryExponent.Window> window,
      Optional<FiniteTimeExponents> finiteTime) {
    Found(Findings findings) {
      this(findings, List.of(), Optional.empty(), Optional.empty());
    }
  }

  private Found found(Snapshot snapshot, TrainingStep step, Kernel.Result result) {
    if (result.factors().isPresent() && !(step.level() instanceof Level.Observed)) {
      return new Found(findings(snapshot, step, result.factors().get()));
    }
    if (step.level() instanceof Level.Observed || result.matrix().isEmpty()) {
      return new Found(observed(step, result));
    }
    Kernel.Matrix matrix = result.matrix().get();
    GramMatrix gram = matrix.gram();
    if (step.level() instanceof Level.Approximate approximate && approximate.isGauge()) {
      return new Found(gauge(snapshot, step, matrix, approximate.factor()));
    }
    StabilityReport report = report(snapshot, step, matrix);
    settings.deadline().check();
    return new Found(
        report,
        smallerProbes(matrix, snapshot.tier(), step),
        step.hasOneMemory() ? trajectory(snapshot, gram) : Optional.empty(),
        step.hasOneMemory()
            ? horizon.from(
                matrix.residuals(), gram, step.sgd(), snapshot.tier(), settings.deadline())
            : Optional.empty());
  }

  private StabilityReport report(Snapshot snapshot, TrainingStep step, Kernel.Matrix matrix) {
    StabilityAnalyzer analyzer = analyzers.get(snapshot.tier());
    EdgeTracker edge = settings.edge();
    int iteration = snapshot.iteration();
    return matrix
        .grouped()
        .map(gram -> edge.analyze(analyzer, gram, grouped(step), iteration))
        .orElseGet(() -> edge.analyze(analyzer, matrix.gram(), step.sgd(), iteration));
  }

  private EdgeReport gauge(
      Snapshot snapshot, TrainingStep step, Kernel.Matrix matrix, double factor) {
    StabilityAnalyzer analyzer = analyzers.get(snapshot.tier());
    EdgeTracker edge = settings.edge();
    int iteration = snapshot.iteration();
    return matrix
        .grouped()
        .map(gram -> edge.gauge(analyzer, gram, grouped(step), iteration, factor))
        .orElseGet(() -> edge.gauge(analyzer, matrix.gram(), step.sgd(), iteration, factor));
  }

  private static GroupedStep grouped(TrainingStep step) {
    return step.groups().orElseThrow().of(step.sgd());
  }

  private Findings findings(Snapshot snapshot, TrainingStep step, NtkFactors factors) {
    StabilityAnalyzer analyzer = analyzers.get(snapshot.tier());
    Findings found =
        step.level() instanceof Level.Approximate approximate && approximate.isGauge()
            ? analyzer.analyzeEdge(factors, step.sgd(), approximate.factor())
            : analyzer.analyze(factors, step.sgd());
    settings.deadline().check();
    return found;
  }

  private ObservedReport observed(TrainingStep step, Kernel.Result result) {
    if (result.matrix().isEmpty()) {
      return new ObservedReport(
          examples,
          outputs(),
          result.sharpness(),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          List.of());
    }
    GramMatrix gram = result.matrix().get().gram();
    OptionalDouble largest =
        OptionalDouble.of(Math.max(0, LargestEigenpair.of(gram).value()) / gram.examples());
    return kernel.isCurved()
        ? new ObservedReport(
            examples, outputs(), largest, OptionalDouble.empty(), OptionalDouble.empty(), List.of())
        : new ObservedReport(
            examples, outputs(), OptionalDouble.empty(), largest, floor(step, result), List.of());
  }

  /** Only for plain SGD on a loss whose slope does not vanish at its minimum. */
  private OptionalDouble floor(TrainingStep step, Kernel.Result result) {
    if (!step.updater().equals("Sgd") || !step.sgd().isPlain() || step.groups().isPresent()) {
      return OptionalDouble.empty();
    }
    Kernel.Matrix plain = result.matrix().get();
    return LossFloor.ratio(plain.gram(), plain.residuals(), plain.loss(), step.sgd());
  }

  private BatchSharpness batchSharpness(Kernel.Matrix result, SgdStep sgd, int iteration) {
    return BatchSharpness.estimate(
        result.gram(), result.residuals(), sgd, BATCHES, draws(iteration));
  }

  private static void requireFinite(double sum, String what, Snapshot snapshot) {
    if (!Double.isFinite(sum)) {
      throw new IllegalArgumentException(
          "the network has diverged by iteration "
              + snapshot.iteration()
              + ": its "
              + what
              + " must be finite, got "
              + sum
              + "; lower the learning rate, now "
              + snapshot.step().sgd().learningRate());
    }
  }

  /** What was assumed of the model, and what went wrong and was replaced. */
  private static List<String> assumptions(
      Kernel.Result result, Findings findings, List<StabilityReport> smaller) {
    Stream<String> remarks =
        Stream.concat(Stream.of(findings), smaller.stream())
            .flatMap(report -> report.remarks().stream());
    return Stream.concat(result.assumptions().stream(), remarks).distinct().toList();
  }

  private List<StabilityReport> smallerProbes(Kernel.Matrix matrix, Tier tier, TrainingStep step) {
    if (!settings.analysis().compares(matrix.gram().examples())) {
      return List.of();
    }
    StabilityAnalyzer analyzer =
        settings.analysis().comparison() == AnalysisSettings.SizeComparison.ECONOMY
            ? brief
            : analyzers.get(tier);
    return List.of(part(analyzer, matrix, step, 4), part(analyzer, matrix, step, 2));
  }

  /**
   * The report for a share of the examples, with the same step as far as it can be drawn. The
   * examples are drawn, the quarter from the half: where classes take turns, every second example
   * has half of the classes and up to twice the sharpness.
   */
  private StabilityReport part(
      StabilityAnalyzer analyzer, Kernel.Matrix matrix, TrainingStep step, int divisor) {
    int all = matrix.gram().examples();
    int examples = all / divisor;
    int[] order = new int[all];
    new MiniBatchSampler(
            all,
            all,
            MiniBatchSampling.SHUFFLED_EPOCHS,
            new RandomStream(settings.analysis().seed()).split(PROBE_PARTS))
        .next(order);
    int[] chosen = Arrays.stream(order).limit(examples).sorted().toArray();
    SgdStep drawn =
        step.sgd().batchSize() <= examples
            ? step.sgd()
            : step.sgd().withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT);
    StabilityReport report =
        matrix
            .grouped()
            .map(
                gram ->
                    analyzer.analyze(gram.subset(chosen), step.groups().orElseThrow().of(drawn)))
            .orElseGet(() -> analyzer.analyze(matrix.gram().subset(chosen), drawn));
    settings.deadline().check();
    return report;
  }

  private RandomStream draws(int iteration) {
    return new RandomStream(settings.analysis().seed()).split(BATCH_SHARPNESS).split(iteration);
  }

  private Optional<TrajectoryExponent.Window> trajectory(Snapshot snapshot, GramMatrix gram) {
    if (settings.trajectory() == null) {
      return Optional.empty();
    }
    settings.stages().accept(Stage.TRAJECTORY);
    return settings.trajectory().observe(snapshot, gram, kernel.ntk());
  }

  private static long bytes(GramMatrix gram) {
    return (gram.isSinglePrecision() ? 4L : 8L) * gram.size() * gram.size();
  }

  @Override
  public void close() {
    kernel.close();
    if (settings.trajectory() != null) {
      settings.trajectory().close();
    }
  }
}
