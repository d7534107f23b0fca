// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.NtkGramResult;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Turns snapshots of one model into checkpoints, one at a time. Knows nothing of the live model
 * once it is made. But for the trajectory and, within its interval, the critical learning rate,
 * which starts from that of the checkpoint before, a checkpoint depends on its snapshot alone.
 */
final class StabilityProbe implements AutoCloseable {
  private static final int BATCHES = 64;
  private static final int BRIEF_EPOCHS = 64;
  private static final int SMALLEST_COMPARED = 8;

  /** Where eigenvectors are computed, unless the user sets another limit. */
  private static final long DECOMPOSED = 6144;

  /** Key of a random stream. */
  private static final long BATCH_SHARPNESS = 0x62617463;

  private final Settings settings;
  private final NtkGram ntk;
  private final Map<Tier, StabilityAnalyzer> analyzers = new EnumMap<>(Tier.class);
  private final StabilityAnalyzer brief;

  /** What is computed for a quarter and for half of the probe. */
  enum SizeComparison {
    NONE,
    /** Sharpness and λ, the latter from few epochs unless the user sets their number. */
    ECONOMY,
    /** As much as for the whole probe. */
    SAME_TIER;

    static SizeComparison of(boolean compare, int examples) {
      if (compare && examples < SMALLEST_COMPARED) {
        throw new IllegalArgumentException(
            "comparing probe sizes needs at least "
                + SMALLEST_COMPARED
                + " examples, got "
                + examples);
      }
      return compare ? SAME_TIER : NONE;
    }
  }

  /**
   * How checkpoints are made.
   *
   * @param run the name of the run
   * @param seed of every draw
   * @param analysis changes the settings of the analyzers
   * @param comparison how parts of the probe are analysed too
   * @param horizon how far the residual is followed
   * @param trajectory what carries the tangent vector, or null
   * @param edge what carries the critical learning rate
   * @param deadline ends a checkpoint that takes too long
   * @param stages told of every stage that is entered
   */
  record Settings(
      String run,
      long seed,
      Consumer<StabilityAnalyzer.Builder> analysis,
      SizeComparison comparison,
      ResidualHorizon horizon,
      TrajectoryTracker trajectory,
      EdgeTracker edge,
      Deadline deadline,
      Consumer<Stage> stages) {}

  StabilityProbe(Settings settings, Model model, MultiDataSet examples) {
    this.settings = settings;
    // Nobody reads the certificate of a checkpoint, so no row is checked at each of them.
    this.ntk =
        NtkGram.builder(model)
            .probe(examples)
            .spotChecks(0)
            .cancelled(settings.deadline()::isOver)
            .build();
    for (Tier tier : Tier.values()) {
      analyzers.put(tier, analyzer(StabilityAnalyzer.builder(), tier));
    }
    if (settings.trajectory() != null) {
      settings.trajectory().prepare(model, examples);
    }
    brief = analyzer(StabilityAnalyzer.builder().maxEpochs(BRIEF_EPOCHS), Tier.ECONOMY);
  }

  private StabilityAnalyzer analyzer(StabilityAnalyzer.Builder builder, Tier tier) {
    builder.seed(settings.seed());
    settings.analysis().accept(builder);
    return builder.tier(tier).cancelled(settings.deadline()::isOver).build();
  }

  int outputs() {
    return ntk.outputs();
  }

  /**
   * About what a checkpoint takes of the heap: the matrix and, up to the size that is decomposed,
   * eigenvectors and work space of the mean-square threshold; else a copy.
   *
   * @return bytes
   */
  long heapBytes(Tier tier) {
    long rows = (long) ntk.examples() * ntk.outputs();
    long entry = ntk.isSinglePrecision() ? Float.BYTES : Double.BYTES;
    long work = tier == Tier.ECONOMY || rows > DECOMPOSED ? 1 : 3;
    return (entry + work * Double.BYTES) * rows * rows;
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
    NtkGramResult result = ntk.compute(snapshot.parameters(), snapshot.metric());
    requireFinite(result.fit().loss(), "mean loss", snapshot);
    settings.deadline().check();
    settings.stages().accept(Stage.ANALYSIS);
    long middle = System.nanoTime();
    GramMatrix gram = result.gram();
    SgdStep step = snapshot.step().sgd();
    StabilityReport stability =
        settings.edge().analyze(analyzers.get(snapshot.tier()), gram, step, snapshot.iteration());
    settings.deadline().check();
    List<StabilityReport> smaller = smallerProbes(gram, snapshot);
    BatchSharpness sharpness =
        BatchSharpness.estimate(
            gram, result.fit().residuals(), step, BATCHES, draws(snapshot.iteration()));
    Optional<TrajectoryExponent.Window> window = trajectory(snapshot, gram);
    settings.deadline().check();
    Optional<FiniteTimeExponents> finiteTime =
        settings
            .horizon()
            .from(result.fit().residuals(), gram, step, snapshot.tier(), settings.deadline());
    settings.deadline().check();
    long end = System.nanoTime();
    return new Checkpoint(
        settings.run(),
        snapshot.iteration(),
        snapshot.epoch(),
        snapshot.time(),
        snapshot.loss(),
        result.fit().loss(),
        snapshot.tier(),
        snapshot.step(),
        assumptions(result, stability, smaller),
        stability,
        settings.edge().forecast(step),
        smaller,
        sharpness,
        window,
        finiteTime,
        bytes(gram),
        Duration.ofNanos(middle - start),
        Duration.ofNanos(end - middle));
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
      NtkGramResult result, StabilityReport stability, List<StabilityReport> smaller) {
    Stream<String> remarks =
        Stream.concat(Stream.of(stability), smaller.stream())
            .flatMap(report -> report.remarks().stream());
    return Stream.concat(result.assumptions().stream(), remarks).distinct().toList();
  }

  private List<StabilityReport> smallerProbes(GramMatrix gram, Snapshot snapshot) {
    if (settings.comparison() == SizeComparison.NONE || gram.examples() < SMALLEST_COMPARED) {
      return List.of();
    }
    StabilityAnalyzer analyzer =
        settings.comparison() == SizeComparison.ECONOMY ? brief : analyzers.get(snapshot.tier());
    SgdStep step = snapshot.step().sgd();
    return List.of(part(analyzer, gram, step, 4), part(analyzer, gram, step, 2));
  }

  private StabilityReport analyze(StabilityAnalyzer analyzer, GramMatrix gram, SgdStep step) {
    StabilityReport report = analyzer.analyze(gram, step);
    settings.deadline().check();
    return report;
  }

  /** The report for every so manieth example, with the same step as far as it can be drawn. */
  private StabilityReport part(
      StabilityAnalyzer analyzer, GramMatrix gram, SgdStep step, int stride) {
    int examples = gram.examples() / stride;
    int[] chosen = IntStream.range(0, examples).map(i -> i * stride).toArray();
    return analyze(
        analyzer,
        gram.subset(chosen),
        step.batchSize() <= examples
            ? step
            : step.withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT));
  }

  private RandomStream draws(int iteration) {
    return new RandomStream(settings.seed()).split(BATCH_SHARPNESS).split(iteration);
  }

  private Optional<TrajectoryExponent.Window> trajectory(Snapshot snapshot, GramMatrix gram) {
    if (settings.trajectory() == null) {
      return Optional.empty();
    }
    settings.stages().accept(Stage.TRAJECTORY);
    return settings.trajectory().observe(snapshot, gram, ntk);
  }

  private static long bytes(GramMatrix gram) {
    return (gram.isSinglePrecision() ? 4L : 8L) * gram.size() * gram.size();
  }

  @Override
  public void close() {
    ntk.close();
    if (settings.trajectory() != null) {
      settings.trajectory().close();
    }
  }
}
