// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Stability of many models, steps or seeds, as Spark jobs.
 *
 * <pre>{@code
 * SparkResults<CheckpointDocument> results =
 *     SparkStability.on(spark).batchSize(32).keep("hdfs:///run-7/stability").analyze(folders, data);
 * }</pre>
 *
 * <p><b>Results</b> are those of one JVM with the same settings and one native thread, bit for bit,
 * whatever the number of executors, their loss, speculation and order; times of day and durations
 * are not. Tasks set the native threads of their executor to one.
 *
 * <p><b>Jobs.</b> Every model, member or column of a grid is a Spark job of one task. A lost
 * executor costs its tasks, which Spark runs again. What Spark gives up, or what is wrong with a
 * model, is {@linkplain SparkResults#refused named}, and the others go on. Data, models in memory
 * and Gram matrices are broadcast; models in files are read by the executors.
 *
 * <p><b>Restart.</b> With {@link #keep}, each result is written as soon as the driver has it. A
 * second run with the same settings and data computes only what is missing.
 *
 * <p>Mutable; for one thread at a time. Models and data are trusted as {@code ModelSerializer} and
 * {@code MultiDataSet.load} trust them, but Java objects beside the model in its archive are not
 * read.
 */
public final class SparkStability {
  private final JavaSparkContext spark;
  private int batchSize;
  private MiniBatchSampling sampling;
  private Tier tier = Tier.STANDARD;
  private long seed = AnalysisSettings.standard().seed();
  private int maxEpochs;
  private String folder;
  private Consumer<Progress> progress = seen -> {};
  private BooleanSupplier cancelled = () -> false;

  private SparkStability(JavaSparkContext spark) {
    this.spark = spark;
  }

  /** Settings without a context, which refuse nonsense as all do. */
  static SparkStability withoutContext() {
    return new SparkStability(null);
  }

  /**
   * How far the jobs are.
   *
   * @param latest the name of what was found, kept before, or refused last
   * @param found results so far
   * @param refused what has no result so far
   * @param total results that were asked for
   */
  public record Progress(String latest, int found, int refused, int total) {}

  /**
   * Jobs of a Spark context.
   *
   * @param spark a context, which stays open
   * @return settings at their defaults
   */
  public static SparkStability on(JavaSparkContext spark) {
    return new SparkStability(Objects.requireNonNull(spark, "spark"));
  }

  /**
   * The mini-batch size B of training, which no model tells; for {@link #analyze} and {@link
   * #ensemble}.
   *
   * @param batchSize at least 1
   * @return this
   */
  public SparkStability batchSize(int batchSize) {
    this.batchSize = requirePositive("batch size", batchSize);
    return this;
  }

  /**
   * How training draws its mini-batches; for {@link #analyze} and {@link #ensemble}.
   *
   * @param sampling by default independent uniform B-subsets are assumed
   * @return this
   */
  public SparkStability sampling(MiniBatchSampling sampling) {
    this.sampling = Objects.requireNonNull(sampling, "sampling");
    return this;
  }

  /**
   * How much to compute.
   *
   * @param tier default {@link Tier#STANDARD}
   * @return this
   */
  public SparkStability tier(Tier tier) {
    this.tier = Objects.requireNonNull(tier, "tier");
    return this;
  }

  /**
   * The seed of the estimates, where no seeds are given.
   *
   * @param seed default 1
   * @return this
   */
  public SparkStability seed(long seed) {
    this.seed = seed;
    return this;
  }

  /**
   * The budget of each estimate of λ.
   *
   * @param epochs at least 1; by default that of {@code StabilityAnalyzer}
   * @return this
   */
  public SparkStability maxEpochs(int epochs) {
    maxEpochs = requirePositive("epochs", epochs);
    return this;
  }

  /**
   * Where results are kept, one file each, and looked up before they are computed.
   *
   * @param folder on a file system of Hadoop's; created. It must not hold results of other
   *     settings, data or Gram matrices
   * @return this
   */
  public SparkStability keep(String folder) {
    if (folder.isBlank()) {
      throw new IllegalArgumentException("the folder needs a name, got '" + folder + "'");
    }
    this.folder = folder;
    return this;
  }

  /**
   * Progress, on the calling thread.
   *
   * @param progress called once for every result and refusal, those kept before included
   * @return this
   */
  public SparkStability progress(Consumer<Progress> progress) {
    this.progress = Objects.requireNonNull(progress, "progress");
    return this;
  }

  /**
   * A cancellation check, asked by the calling thread all the while. Its interruption cancels too.
   *
   * @param cancelled true to cancel all jobs and return what there is
   * @return this
   */
  public SparkStability cancelled(BooleanSupplier cancelled) {
    this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
    return this;
  }

  /**
   * The checkpoint of every saved model, that of {@code StabilityAnalysis}.
   *
   * @param places models written by {@code ModelSerializer}, or folders of such {@code .zip} files;
   *     in a file system that the executors see
   * @param probe the examples, with labels, of which the Gram matrix is made
   * @return by the model's file name with its size and time of modification; folders in the order
   *     of time
   * @throws IOException if models cannot be listed or results not be kept
   * @throws IllegalArgumentException if there are no models
   */
  public SparkResults<CheckpointDocument> analyze(List<String> places, MultiDataSet probe)
      throws IOException {
    SentSettings settings = settingsWithBatchSize();
    List<SavedModel> models = SavedModel.all(places, spark.hadoopConfiguration());
    byte[] data = ProbeBytes.of(probe);
    String question =
        "analyze: " + training() + ", " + settings + ", probe " + ProbeBytes.restore(data).hash();
    Broadcast<byte[]> sent = spark.broadcast(data);
    Broadcast<byte[]> hadoop = spark.broadcast(SavedModel.bytes(spark.hadoopConfiguration()));
    try {
      return run(
          question,
          models.stream().map(file -> new AnalyzeModel(file, hadoop, sent, settings)).toList(),
          CheckpointDocument.class);
    } finally {
      release(List.of(sent, hadoop));
    }
  }

  /**
   * The checkpoint of one model for every probe and seed.
   *
   * @param model as it is, for an adaptive updater with its state
   * @param probes at least one
   * @param seeds at least one
   * @return by {@code probe-i-seed-s}, i from 0
   * @throws IOException if the model cannot be written or results not be kept
   */
  public SparkResults<CheckpointDocument> ensemble(
      Model model, List<MultiDataSet> probes, long... seeds) throws IOException {
    requireSome("probes", probes.size());
    requireSome("seeds", seeds.length);
    SentSettings settings = settingsWithBatchSize();
    Broadcast<byte[]> sent = spark.broadcast(ModelBytes.of(model));
    List<Broadcast<?>> all = new ArrayList<>(List.of(sent));
    List<Work> members = new ArrayList<>();
    StringBuilder hashes = new StringBuilder();
    for (int i = 0; i < probes.size(); i++) {
      byte[] data = ProbeBytes.of(probes.get(i));
      hashes.append(", probe ").append(ProbeBytes.restore(data).hash());
      Broadcast<byte[]> probe = spark.broadcast(data);
      all.add(probe);
      for (long one : seeds) {
        String name = "probe-" + i + "-seed-" + one;
        members.add(new AnalyzeMember(name, sent, probe, settings.withSeed(one)));
      }
    }
    String question =
        "ensemble: parameters "
            + Integer.toHexString(Arrays.hashCode(model.params().toDoubleVector()))
            + ", "
            + training()
            + ", "
            + settings
            + hashes;
    try {
      return run(question, members, CheckpointDocument.class);
    } finally {
      release(all);
    }
  }

  /**
   * One Gram matrix under learning rates × batch sizes, as {@code StabilityAnalyzer.on} gives it.
   * The rates of one batch size go together, as far as there are enough batch sizes to keep the
   * executors busy.
   *
   * @param gram G
   * @param base everything of the step but rate and batch size
   * @param rates η, at least one
   * @param batches B, at least one
   * @return by {@code rate-η-batch-B}, batch size by batch size
   * @throws IOException if results cannot be kept
   */
  public SparkResults<CheckpointDocument> whatIf(
      GramMatrix gram, SgdStep base, List<Double> rates, List<Integer> batches) throws IOException {
    requireSome("learning rates", rates.size());
    requireSome("batch sizes", batches.size());
    List<List<SgdStep>> columns = new ArrayList<>();
    int pieces = ceilDiv(spark.defaultParallelism(), batches.size());
    int length = ceilDiv(rates.size(), Math.min(pieces, rates.size()));
    for (int batch : batches) {
      for (int from = 0; from < rates.size(); from += length) {
        columns.add(
            rates.subList(from, Math.min(rates.size(), from + length)).stream()
                .map(rate -> base.withLearningRate(rate).withBatchSize(batch))
                .toList());
      }
    }
    SentGram matrix = new SentGram(gram);
    SgdStep any = base.withLearningRate(0).withBatchSize(1);
    String question = "what-if: " + any + ", " + settings() + ", Gram matrix " + matrix.hash();
    Broadcast<SentGram> sent = spark.broadcast(matrix);
    try {
      return run(
          question,
          columns.stream().map(steps -> new GridColumn(sent, settings(), steps)).toList(),
          CheckpointDocument.class);
    } finally {
      release(List.of(sent));
    }
  }

  /**
   * Finite-time exponents, those of {@code FiniteTimeEstimator}, for several seeds. The
   * trajectories of a seed stay together.
   *
   * @param gram G
   * @param step the step
   * @param horizon steps, at least 4
   * @param trajectories of each seed, at least 4
   * @param seeds at least one
   * @return by {@code seed-s}
   * @throws IOException if results cannot be kept
   */
  public SparkResults<CheckpointDocument> trajectories(
      GramMatrix gram, SgdStep step, int horizon, int trajectories, long... seeds)
      throws IOException {
    requireSome("seeds", seeds.length);
    SentGram matrix = new SentGram(gram);
    String question =
        String.format(
            "trajectories: %s, horizon %d, %d trajectories, Gram matrix %s",
            step, horizon, trajectories, matrix.hash());
    Broadcast<SentGram> sent = spark.broadcast(matrix);
    try {
      return run(
          question,
          Arrays.stream(seeds)
              .mapToObj(one -> new Realisations(sent, step, horizon, trajectories, one))
              .toList(),
          CheckpointDocument.class);
    } finally {
      release(List.of(sent));
    }
  }

  private <T> SparkResults<T> run(String question, List<? extends Work> work, Class<T> type)
      throws IOException {
    ResultFolder results = new ResultFolder(folder, question, spark.hadoopConfiguration());
    SparkResults<String> lines = new Jobs(spark, results, cancelled, progress).run(work);
    Map<String, T> found = new LinkedHashMap<>();
    for (Map.Entry<String, String> line : lines.found().entrySet()) {
      byte[] json = line.getValue().getBytes(StandardCharsets.UTF_8);
      found.put(line.getKey(), Json.read(json, type));
    }
    return new SparkResults<>(found, lines.refused(), lines.complete());
  }

  private void release(List<Broadcast<?>> all) {
    if (!spark.sc().isStopped()) {
      all.forEach(Broadcast::destroy);
    }
  }

  private SentSettings settings() {
    return new SentSettings(Math.max(1, batchSize), sampling, tier, seed, maxEpochs);
  }

  private SentSettings settingsWithBatchSize() {
    if (batchSize == 0) {
      throw new IllegalStateException(
          "the batch size must be told, since no model holds it, got none; call batchSize(B)");
    }
    return settings();
  }

  /** A step with the sampling that was told. */
  SgdStep resample(SgdStep step) {
    return sampling == null ? step : step.withSampling(sampling);
  }

  private String training() {
    return "batch size "
        + batchSize
        + ", sampling "
        + (sampling == null ? "assumed" : sampling.id());
  }

  private static int ceilDiv(int whole, int part) {
    return (whole + part - 1) / part;
  }

  private static int requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be at least 1, got " + value);
    }
    return value;
  }

  private static void requireSome(String name, int count) {
    if (count == 0) {
      throw new IllegalArgumentException(name + " must be at least one, got none");
    }
  }
}
