// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.metrics.LyapunovMetrics;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.dl4j.step.UnsupportedTrainingException;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the dynamical stability of a training run: every so many iterations it computes the NTK
 * Gram matrix of the model on a fixed probe set, estimates the Lyapunov exponent λ of the training
 * step at these parameters, and delivers a {@link Checkpoint} to the log, to any consumers and to
 * Micrometer.
 *
 * <pre>{@code
 * network.setListeners(new LyapunovListener.Builder(probe).frequency(100).registry(meterRegistry).build());
 * }</pre>
 *
 * <p><b>It never disturbs training.</b> It works in {@code iterationDone} on a private copy of the
 * parameters, draws no random number of ND4J's, and lets nothing out: the first failure is logged
 * with what to do, later ones are counted, and training goes on. A model it cannot treat is refused
 * once, by name, and the listener switches itself off. With {@link Builder#strict} both are thrown
 * instead.
 *
 * <p>λ is that of training <i>on the probe set</i> with mini-batches of the size seen in training;
 * a probe smaller than the training set is a sample of it.
 *
 * <p>A listener watches one model, the first that calls it. Under {@code ParallelWrapper}, which
 * calls one listener from all its workers, that is the model the wrapper was made for; calls for
 * its replicas are ignored. Thread-safe.
 *
 * <p>Source: D. Chemnitz, M. Engel, <i>Characterizing Dynamical Stability of Stochastic Gradient
 * Descent in Overparameterized Learning</i>, arXiv 2407.20209.
 */
public final class LyapunovListener extends BaseTrainingListener implements AutoCloseable {
  /** Iterations between checkpoints unless told otherwise. */
  public static final int DEFAULT_FREQUENCY = 100;

  /**
   * Relative change of the sharpness, when the probe doubles, above which it counts as too small.
   */
  private static final double PROBE_TOLERANCE = 0.1;

  private static final Logger log = LoggerFactory.getLogger(LyapunovListener.class);
  private static final AtomicInteger RUNS = new AtomicInteger();

  private final String run;
  private final int frequency;
  private final Schedule schedule;
  private final Worker worker;
  private final Duration patience;
  private final MultiDataSet probe;
  private final int fixedBatchSize;
  private final boolean strict;
  private final int historySize;
  private final boolean compareProbeSizes;
  private final InstantSource clock;
  private final StabilityAnalyzer analyzer;
  private final StepReader steps;
  private final List<Consumer<Checkpoint>> consumers;
  private final LyapunovMetrics metrics;
  private final Troubles troubles;

  private final ObservedBatchSize observed = new ObservedBatchSize();
  private final Deque<Checkpoint> history = new ArrayDeque<>();
  private volatile Model watched;
  private volatile boolean off;
  private volatile RuntimeException pending;
  private volatile StabilityProbe stability;
  private TrainingStep announced;
  private volatile boolean probeWarned;
  private final VerdictWatch verdicts = new VerdictWatch();

  /**
   * A listener that computes a checkpoint every {@value #DEFAULT_FREQUENCY} iterations and logs it.
   *
   * @param probe the examples, with labels, of which the Gram matrix is made; copied
   */
  public LyapunovListener(DataSet probe) {
    this(probe, DEFAULT_FREQUENCY);
  }

  /**
   * A listener that logs its checkpoints.
   *
   * @param probe the examples, with labels, of which the Gram matrix is made; copied
   * @param frequency iterations from one checkpoint to the next, at least 1
   */
  public LyapunovListener(DataSet probe, int frequency) {
    this(new Builder(probe).frequency(frequency));
  }

  private LyapunovListener(Builder builder) {
    run = builder.run == null ? "run-" + RUNS.incrementAndGet() : builder.run;
    frequency = builder.frequency;
    schedule = new Schedule(frequency, builder.budget, System::nanoTime);
    worker =
        builder.backlog == null
            ? Worker.direct()
            : new Worker.Background("lyapunov4j " + run, builder.backlog, this::failInBackground);
    patience = builder.patience;
    probe = builder.probe.copy();
    fixedBatchSize = builder.batchSize;
    strict = builder.strict;
    historySize = builder.historySize;
    compareProbeSizes = builder.compareProbeSizes;
    clock = builder.clock;
    analyzer =
        builder.analyzer == null
            ? StabilityAnalyzer.builder().seed(builder.seed).tier(builder.tier).build()
            : builder.analyzer;
    steps = new StepReader(builder.sampling);
    consumers = List.copyOf(builder.consumers);
    metrics = new LyapunovMetrics(run, builder.tags, clock);
    troubles = new Troubles(log, strict);
    builder.registries.forEach(metrics::bindTo);
  }

  /**
   * A builder.
   *
   * @param probe the examples, with labels, of which the Gram matrix is made; copied when the
   *     listener is built
   * @return the same as {@code new LyapunovListener.Builder(probe)}
   */
  public static Builder builder(DataSet probe) {
    return new Builder(probe);
  }

  /**
   * A builder for a network of several inputs or outputs.
   *
   * @param probe the examples, with labels, of which the Gram matrix is made; copied when the
   *     listener is built
   * @return the same as {@code new LyapunovListener.Builder(probe)}
   */
  public static Builder builder(MultiDataSet probe) {
    return new Builder(probe);
  }

  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    if (off || !watches(model)) {
      return;
    }
    if (pending != null) {
      throw pending;
    }
    try {
      observed.record(model.batchSize());
      if (schedule.isDue(iteration)) {
        checkpoint(model, iteration, epoch);
      }
    } catch (UnsupportedTrainingException refusal) {
      switchOff(refusal);
    } catch (Throwable failure) {
      metrics.failed();
      troubles.report("A stability checkpoint", failure);
    }
  }

  /**
   * The latest checkpoints, oldest first.
   *
   * @return an immutable copy
   */
  public List<Checkpoint> history() {
    synchronized (history) {
      return List.copyOf(history);
    }
  }

  /**
   * The name of the run, the value of the metrics' tag {@value LyapunovMetrics#RUN_TAG}.
   *
   * @return as given, or generated
   */
  public String run() {
    return run;
  }

  /**
   * How many times something went wrong inside this listener.
   *
   * @return failures of checkpoints and of consumers
   */
  public long failures() {
    return troubles.count();
  }

  /**
   * Whether the listener has stopped working: closed, or because it refused the model.
   *
   * @return true if no further checkpoint will come
   */
  public boolean isOff() {
    return off;
  }

  /**
   * Waits for the checkpoints that are being computed in the background; returns at once if there
   * are none.
   */
  public void flush() {
    worker.flush();
  }

  /**
   * Stops listening, waits for the checkpoints that are being computed, and removes the metrics.
   * Closing again does nothing.
   */
  @Override
  public synchronized void close() {
    off = true;
    worker.close(patience);
    metrics.close();
    StabilityProbe used = stability;
    if (used != null) {
      used.close();
    }
  }

  @Override
  public String toString() {
    return "LyapunovListener(" + frequency + ")";
  }

  private boolean watches(Model model) {
    return model == watched || (watched == null && adopt(model));
  }

  private synchronized boolean adopt(Model model) {
    if (watched == null && !isReplicaThread(Thread.currentThread().getName())) {
      watched = model;
    }
    return model == watched;
  }

  /**
   * Worker 0 of a ParallelWrapper trains the original model, the others replicas made for the
   * occasion.
   */
  private static boolean isReplicaThread(String name) {
    return name.startsWith("ParallelWrapper training thread ") && !name.endsWith(" 0");
  }

  private void checkpoint(Model model, int iteration, int epoch) {
    if (!schedule.isWithinBudget()) {
      metrics.skipped();
      return;
    }
    long begun = schedule.now();
    if (stability == null && !prepare(model)) {
      return;
    }
    TrainingStep step = readStep(model, iteration, epoch);
    announce(step);
    Snapshot snapshot =
        new Snapshot(iteration, epoch, clock.instant(), model.score(), step, model.params().dup());
    if (!worker.submit(() -> compute(snapshot, begun))) {
      snapshot.close();
      metrics.skipped();
    }
  }

  private void compute(Snapshot snapshot, long begun) {
    Checkpoint checkpoint;
    try (snapshot) {
      checkpoint = stability.evaluate(snapshot);
    } finally {
      schedule.finished(begun);
    }
    deliver(checkpoint);
  }

  /**
   * A background thread has nobody to throw to; if strict, the training thread throws at its next
   * iteration.
   */
  private void failInBackground(Throwable failure) {
    metrics.failed();
    try {
      troubles.report("A stability checkpoint", failure);
    } catch (RuntimeException strictly) {
      pending = strictly;
    }
  }

  private boolean prepare(Model model) {
    try {
      stability = new StabilityProbe(run, model, probe, analyzer, compareProbeSizes);
      return true;
    } catch (IllegalArgumentException refusal) {
      switchOff(refusal);
      return false;
    }
  }

  /** A batch larger than the probe becomes the full batch of the probe, and the step says so. */
  private TrainingStep readStep(Model model, int iteration, int epoch) {
    int trained = fixedBatchSize > 0 ? fixedBatchSize : observed.get();
    int examples = Math.toIntExact(probe.getFeatures(0).size(0));
    if (trained <= examples) {
      return steps.read(model, iteration, epoch, trained);
    }
    TrainingStep step = steps.read(model, iteration, epoch, examples);
    List<String> remarks = new ArrayList<>(step.remarks());
    remarks.add(
        "batch size "
            + trained
            + " exceeds the probe's "
            + examples
            + " examples and is taken as the full probe; use a larger probe");
    return new TrainingStep(step.sgd(), remarks);
  }

  private void announce(TrainingStep step) {
    if (!step.equals(announced)) {
      log.info("{}: {}", run, step);
      announced = step;
    }
  }

  private void deliver(Checkpoint checkpoint) {
    log.info("{}", checkpoint);
    warnOfASmallProbe(checkpoint);
    announceVerdict(checkpoint.stability());
    synchronized (history) {
      if (history.size() == historySize) {
        history.removeFirst();
      }
      history.addLast(checkpoint);
    }
    metrics.update(checkpoint);
    for (Consumer<Checkpoint> consumer : consumers) {
      try {
        consumer.accept(checkpoint);
      } catch (Throwable failure) {
        metrics.failed();
        troubles.report("A consumer of stability checkpoints", failure);
      }
    }
  }

  private void warnOfASmallProbe(Checkpoint checkpoint) {
    if (checkpoint.probeChange() > PROBE_TOLERANCE && !probeWarned) {
      probeWarned = true;
      log.warn(
          "{}: the sharpness of half of the probe's {} examples differs by {} % from that of all; a larger probe would tell more",
          run, checkpoint.stability().examples(), Math.round(100 * checkpoint.probeChange()));
    }
  }

  private void announceVerdict(StabilityReport report) {
    switch (verdicts.observe(report.verdict().kind())) {
      case BECAME_UNSTABLE ->
          log.warn(
              "{} has become unstable: {}. To train stably here {}.",
              run,
              report.verdict().evidence(),
              report
                  .advice()
                  .orElse("lower the learning rate, now " + report.step().learningRate()));
      case RECOVERED -> log.info("{} is stable again: {}", run, report.verdict().evidence());
      case NONE -> {}
    }
  }

  private void switchOff(RuntimeException refusal) {
    off = true;
    if (strict) {
      throw refusal;
    }
    log.warn("{} switches itself off: {}", this, refusal.getMessage());
  }

  /** Builds a {@link LyapunovListener}. */
  public static final class Builder {
    private final MultiDataSet probe;
    private final List<MeterRegistry> registries = new ArrayList<>();
    private final List<Consumer<Checkpoint>> consumers = new ArrayList<>();
    private int frequency = DEFAULT_FREQUENCY;
    private String run;
    private Tags tags = Tags.empty();
    private long seed;
    private Tier tier = Tier.STANDARD;
    private int batchSize;
    private MiniBatchSampling sampling = MiniBatchSampling.IID_SUBSETS;
    private StabilityAnalyzer analyzer;
    private boolean strict;
    private int historySize = 10_000;
    private double budget = Double.POSITIVE_INFINITY;
    private Backlog backlog;
    private boolean compareProbeSizes;
    private Duration patience = Duration.ofMinutes(1);
    private InstantSource clock = InstantSource.system();

    /**
     * A builder.
     *
     * @param probe the examples, with labels, of which the Gram matrix is made; copied when the
     *     listener is built
     */
    public Builder(DataSet probe) {
      this(requireComplete(probe).toMultiDataSet());
    }

    /**
     * A builder for a network of several inputs or outputs.
     *
     * @param probe the examples, with labels, of which the Gram matrix is made; copied when the
     *     listener is built
     */
    public Builder(MultiDataSet probe) {
      if (probe.numFeatureArrays() == 0 || probe.numLabelsArrays() == 0) {
        throw new IllegalArgumentException("the probe needs features and labels, got " + probe);
      }
      this.probe = probe;
    }

    private static DataSet requireComplete(DataSet probe) {
      if (probe.getFeatures() == null || probe.getLabels() == null) {
        throw new IllegalArgumentException("the probe needs features and labels, got " + probe);
      }
      return probe;
    }

    /**
     * How often.
     *
     * @param frequency iterations from one checkpoint to the next, at least 1; default {@value
     *     #DEFAULT_FREQUENCY}
     * @return this
     */
    public Builder frequency(int frequency) {
      this.frequency = requirePositive("frequency", frequency);
      return this;
    }

    /**
     * Whether to analyse a quarter and half of the probe as well, to see how the results move with
     * the number of examples; costs about a third more. Worth it where the probe is a sample of the
     * training set. A warning is logged if the sharpness moves by more than a tenth from half of
     * the probe to all of it.
     *
     * @param compare default false; true needs a probe of at least 8 examples
     * @return this
     */
    public Builder compareProbeSizes(boolean compare) {
      if (compare && probe.getFeatures(0).size(0) < 8) {
        throw new IllegalArgumentException(
            "comparing probe sizes needs at least 8 examples, got " + probe.getFeatures(0).size(0));
      }
      compareProbeSizes = compare;
      return this;
    }

    /**
     * Bounds the time checkpoints take: after one that took c, the next is not begun before
     * c/fraction has passed, whatever the frequency. Checkpoints left out are counted as skipped.
     * Which ones are left out depends on the speed of the machine.
     *
     * @param fraction of the time that training takes, positive; by default there is no bound
     * @return this
     */
    public Builder budget(double fraction) {
      if (!(fraction > 0)) {
        throw new IllegalArgumentException("budget must be positive, got " + fraction);
      }
      budget = fraction;
      return this;
    }

    /**
     * Computes checkpoints in a background thread, from a copy of the parameters made in the
     * training thread. The results are those of the training thread, bit for bit; consumers are
     * called in the background thread.
     *
     * @param backlog what to do when training is faster
     * @return this
     */
    public Builder background(Backlog backlog) {
      this.backlog = Objects.requireNonNull(backlog, "backlog");
      return this;
    }

    /**
     * How long {@link LyapunovListener#close()} waits for checkpoints in the background before it
     * interrupts them.
     *
     * @param patience default one minute
     * @return this
     */
    public Builder patience(Duration patience) {
      this.patience = Objects.requireNonNull(patience, "patience");
      return this;
    }

    /**
     * Publishes to a Micrometer registry. May be called for several.
     *
     * @param registry where {@link LyapunovMetrics} are bound
     * @return this
     */
    public Builder registry(MeterRegistry registry) {
      registries.add(Objects.requireNonNull(registry, "registry"));
      return this;
    }

    /**
     * Hands every checkpoint to a consumer, in the thread that computed it. May be called for
     * several.
     *
     * @param consumer what it throws is logged and counted
     * @return this
     */
    public Builder onCheckpoint(Consumer<Checkpoint> consumer) {
      consumers.add(Objects.requireNonNull(consumer, "consumer"));
      return this;
    }

    /**
     * Names the run.
     *
     * @param run the value of the metrics' tag {@value LyapunovMetrics#RUN_TAG}; default {@code
     *     run-} and a number unique in this JVM
     * @return this
     */
    public Builder run(String run) {
      if (run.isBlank()) {
        throw new IllegalArgumentException("the run needs a name, got '" + run + "'");
      }
      this.run = run;
      return this;
    }

    /**
     * Further tags of the metrics.
     *
     * @param tags with few values each
     * @return this
     */
    public Builder tags(Iterable<Tag> tags) {
      this.tags = Tags.of(tags);
      return this;
    }

    /**
     * The seed of the estimates.
     *
     * @param seed equal seeds give equal checkpoints, bit for bit; default 0
     * @return this
     */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * How much to compute at a checkpoint.
     *
     * @param tier default {@link Tier#STANDARD}; for large probes {@link Tier#ECONOMY} costs far
     *     less, without the critical learning rate and the mean-square index
     * @return this
     */
    public Builder tier(Tier tier) {
      this.tier = Objects.requireNonNull(tier, "tier");
      return this;
    }

    /**
     * Fixes the mini-batch size B of the analysed step.
     *
     * @param batchSize at least 1; by default what training is seen to use
     * @return this
     */
    public Builder batchSize(int batchSize) {
      this.batchSize = requirePositive("batch size", batchSize);
      return this;
    }

    /**
     * How training draws its mini-batches, which no model tells.
     *
     * @param sampling default independent uniform B-subsets, the setting of the theory; {@code
     *     SHUFFLED_EPOCHS} for an iterator that reshuffles
     * @return this
     */
    public Builder sampling(MiniBatchSampling sampling) {
      this.sampling = Objects.requireNonNull(sampling, "sampling");
      return this;
    }

    /**
     * Replaces the analyzer, and with it {@link #seed} and {@link #tier}.
     *
     * @param analyzer with a budget and seed of its own
     * @return this
     */
    public Builder analyzer(StabilityAnalyzer analyzer) {
      this.analyzer = Objects.requireNonNull(analyzer, "analyzer");
      return this;
    }

    /**
     * Whether refusals and failures are thrown into the training loop instead of logged.
     *
     * @param strict default false
     * @return this
     */
    public Builder strict(boolean strict) {
      this.strict = strict;
      return this;
    }

    /**
     * How many checkpoints {@link LyapunovListener#history()} keeps.
     *
     * @param size at least 1; default 10 000
     * @return this
     */
    public Builder historySize(int size) {
      historySize = requirePositive("history size", size);
      return this;
    }

    /**
     * The clock of the checkpoints' times.
     *
     * @param clock default the system's
     * @return this
     */
    public Builder clock(InstantSource clock) {
      this.clock = Objects.requireNonNull(clock, "clock");
      return this;
    }

    /**
     * Builds the listener and binds its metrics.
     *
     * @return a listener for one model
     */
    public LyapunovListener build() {
      return new LyapunovListener(this);
    }

    private static int requirePositive(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " must be at least 1, got " + value);
      }
      return value;
    }
  }
}
