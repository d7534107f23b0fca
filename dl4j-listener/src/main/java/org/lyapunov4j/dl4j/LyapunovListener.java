// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.NotSerializableException;
import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;
import org.lyapunov4j.dl4j.metrics.MetricsSink;
import org.lyapunov4j.dl4j.record.RecordSink;
import org.lyapunov4j.dl4j.record.SavedState;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the dynamical stability of a training run: at checkpoints it computes the NTK Gram matrix
 * of the model on a fixed probe set, estimates the Lyapunov exponent λ of the training step at
 * these parameters, and delivers a {@link Checkpoint} to the log and to every {@link
 * CheckpointSink}, such as a record on disk or Micrometer.
 *
 * <pre>{@code
 * network.setListeners(LyapunovListener.builder(probe).frequency(100).registry(meterRegistry).build());
 * }</pre>
 *
 * <p><b>It never disturbs training.</b> It works in {@code iterationDone} and {@code onEpochEnd} on
 * a private copy of the parameters, leaves ND4J's generators as they were, and lets nothing out:
 * the first failure is logged with what to do, later ones are counted, and training goes on. Of
 * training whose step has no linearisation it shows what is observed, at {@link
 * org.lyapunov4j.dl4j.step.Level.Observed}, and says why; only a probe that does not fit the model
 * switches it off. With {@link Builder#strict} failures and refusals are thrown instead. Only an
 * {@link Intervention}, if one is given, changes training.
 *
 * <p>λ is that of training <i>on the probe set</i> with mini-batches of the size seen in training;
 * a probe smaller than the training set is a sample of it.
 *
 * <p>A listener watches one network, the first that calls it; layers in pre-training are passed
 * over, and other networks are, with a warning and a count in the {@link #status()}. Under {@code
 * ParallelWrapper}, which calls one listener from all its workers, that is the model the wrapper
 * was made for; calls for its replicas are ignored. Thread-safe.
 *
 * <p>Source: D. Chemnitz, M. Engel, <i>Characterizing Dynamical Stability of Stochastic Gradient
 * Descent in Overparameterized Learning</i>, arXiv 2407.20209.
 */
@SuppressWarnings("serial") // it refuses to be serialised
public final class LyapunovListener extends BaseTrainingListener
    implements AutoCloseable, Serializable {
  /** Iterations between checkpoints unless told otherwise. */
  public static final int DEFAULT_FREQUENCY = 100;

  private static final Logger log = LoggerFactory.getLogger(LyapunovListener.class);
  private static final AtomicInteger RUNS = new AtomicInteger();

  private final String run;
  private final RecordSink record;
  private final TierSchedule schedule;
  private final Troubles troubles;
  private final CheckpointCounts counts;
  private final Faults faults;
  private final Reporter reporter;
  private final Interventions interventions;
  private final ObservedSteps steps;
  private final TangentSteps tangent;
  private final CheckpointRun checkpoints;
  private final WatchedNetwork watched = new WatchedNetwork();
  private volatile boolean closed;
  private int latestIteration = -1;

  private LyapunovListener(Builder builder, List<CheckpointSink> all, RecordSink record) {
    this.record = record;
    SavedState saved = record == null ? SavedState.NONE : record.saved();
    run = builder.name(saved);
    schedule = builder.timetable();
    ProbeSet probe = builder.probe;
    AnalysisSettings settings = builder.settings;
    Consumer<Stage> stages = builder.stages;
    troubles = new Troubles(log, builder.strict);
    Sinks sinks = new Sinks(all, stages);
    counts = new CheckpointCounts(run, sinks, troubles);
    faults = new Faults(log, toString(), builder.strict, counts);
    ObservedBatches batches =
        builder.trajectory == null ? null : new ObservedBatches(probe.data().getFeatures(0));
    TrajectoryTracker trajectory =
        builder.trajectory == null
            ? null
            : new TrajectoryTracker(
                settings.seed(), builder.trajectory, saved.tangent().orElse(null), batches);
    EdgeTracker edge = new EdgeTracker(saved.edge());
    steps =
        new ObservedSteps(
            probe,
            new StepOnProbe(settings.sampling().orElse(null), probe.size(), builder.strict),
            settings.batchSize().orElse(0),
            batches,
            trajectory == null ? null : trajectory.remark());
    tangent =
        new TangentSteps(
            trajectory == null ? null : trajectory.hessian(),
            probe,
            steps,
            counts,
            builder.strict,
            stages);
    reporter = new Reporter(builder.historySize, sinks, record, trajectory, edge, counts);
    interventions = new Interventions(builder.interventions, stages);
    checkpoints =
        new CheckpointRun(
            log,
            builder.engine(run, trajectory, edge),
            probe,
            builder.clock,
            builder.pace(),
            steps,
            tangent,
            new CheckpointRun.Outcome(reporter, interventions, counts, faults));
    sinks.begin(new RunInfo(run, probe.size(), probe.hash(), settings.seed(), builder.clock));
    counts.publish();
  }

  /**
   * A builder.
   *
   * @param probe the examples, with labels, of which the Gram matrix is made; copied
   * @return a builder of a listener for one model
   */
  public static Builder builder(DataSet probe) {
    return builder(ProbeSet.of(probe));
  }

  /**
   * A builder for a network of several inputs or outputs.
   *
   * @param probe the examples, with labels, of which the Gram matrix is made; copied
   * @return a builder of a listener for one model
   */
  public static Builder builder(MultiDataSet probe) {
    return builder(ProbeSet.of(probe));
  }

  /**
   * A builder with a probe chosen from an iterator, or normalised.
   *
   * @param probe the examples, with labels, of which the Gram matrix is made
   * @return a builder of a listener for one model
   */
  public static Builder builder(ProbeSet probe) {
    return new Builder(probe);
  }

  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    if (faults.isOff() || !watched.watches(model)) {
      passOver(model);
      return;
    }
    faults.throwPending();
    try {
      latestIteration = iteration;
      steps.record(model, iteration);
      tangent.carry(model, iteration, epoch);
      Tier due = schedule.due(iteration, model);
      if (schedule.takeRequest()) {
        Tier asked = schedule.main();
        checkpoints.checkpoint(
            model, iteration, epoch, due == null || asked.compareTo(due) > 0 ? asked : due);
      } else if (due != null) {
        checkpoints.checkpointWithinBudget(model, iteration, epoch, due);
      }
      interventions.act(model, iteration);
      steps.stepped(model);
    } catch (Throwable failure) {
      faults.handle(failure);
    }
  }

  /** Says once, and counts, that another network trains than the one that is watched. */
  private void passOver(Model model) {
    if (!faults.isOff() && WatchedNetwork.isLayer(model)) {
      counts.pretraining();
    }
    if (!faults.isOff() && watched.isStranger(model) && counts.elsewhere()) {
      log.warn(
          "{} watches the network that called it first; another one trains now and is passed over."
              + " Give every network a listener of its own.",
          run);
    }
  }

  @Override
  public void onGradientCalculation(Model model) {
    if (!faults.isOff() && watched.mayBe(model)) {
      tangent.begin(model);
    }
    if (!faults.isOff() && watched.is(model)) {
      try {
        steps.goesOn(model);
      } catch (Throwable failure) {
        faults.handle(failure);
      }
    }
  }

  @Override
  public void onEpochStart(Model model) {
    if (watched.mayBe(model)) {
      steps.startEpoch();
    }
  }

  @Override
  public void onEpochEnd(Model model) {
    if (faults.isOff() || !watched.is(model) || latestIteration < 0) {
      return;
    }
    try {
      steps.endEpoch();
      int epoch = ModelCounters.epoch(model);
      Tier due = schedule.dueAfterEpoch(epoch);
      if (due != null) {
        checkpoints.checkpointWithinBudget(model, latestIteration, epoch, due);
      }
      interventions.act(model, latestIteration);
    } catch (Throwable failure) {
      faults.handle(failure);
    }
  }

  /**
   * Asks for a checkpoint at the next iteration, whatever the schedule and the budget say. From any
   * thread; asking again before it comes changes nothing.
   */
  public void requestCheckpoint() {
    schedule.request();
  }

  /**
   * Writes a remark of the program that trains into the record; without a record nothing happens.
   *
   * @param details names and values: text, numbers, booleans, lists and maps of these; not null
   */
  public void note(Map<String, ?> details) {
    if (record != null) {
      try {
        record.note(details);
      } catch (Throwable failure) {
        counts.failed("A note in the record of the run", failure);
      }
    }
  }

  /**
   * The latest checkpoints, oldest first.
   *
   * @return an immutable copy
   */
  public List<Checkpoint> history() {
    return reporter.history();
  }

  /**
   * The name of the run, the value of the metrics' tag {@value MetricsSink#RUN_TAG}.
   *
   * @return as given, or that of the record that is continued, or generated
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
   * How many checkpoints were due but not computed, for want of budget or of room.
   *
   * @return since the listener was built
   */
  public long skipped() {
    return counts.status().skipped();
  }

  /**
   * How many checkpoints were begun but cut short, by their time limit or an interrupt.
   *
   * @return since the listener was built
   */
  public long cancelled() {
    return counts.status().cancelled();
  }

  /**
   * How the listener fares: whether the checkpoint that was due last is there, and if not, why.
   *
   * @return as of now
   */
  public ListenerStatus status() {
    return counts.status();
  }

  /**
   * Whether the listener has stopped working: closed, or because it refused the model.
   *
   * @return true if no further checkpoint will come
   */
  public boolean isOff() {
    return faults.isOff();
  }

  /**
   * Waits for the checkpoints that are being computed in the background; returns at once if there
   * are none.
   */
  public void flush() {
    checkpoints.flush();
  }

  /**
   * Stops listening, waits for the checkpoints that are being computed, and ends and closes all
   * sinks. Closing again does nothing.
   */
  @Override
  public void close() {
    synchronized (this) {
      faults.close();
      if (closed) {
        return;
      }
      closed = true;
    }
    counts.closed();
    checkpoints.close();
    reporter.end();
  }

  @Override
  public String toString() {
    return "LyapunovListener(" + schedule + ")";
  }

  /** Builds a {@link LyapunovListener}. */
  public static final class Builder {
    private final ProbeSet probe;
    private final List<MeterRegistry> registries = new ArrayList<>();
    private final List<CheckpointSink> sinks = new ArrayList<>();
    private final List<Intervention> interventions = new ArrayList<>();
    private final Map<Tier, Schedule> further = new EnumMap<>(Tier.class);
    private Schedule schedule = Schedule.everyIterations(DEFAULT_FREQUENCY);
    private String run;
    private AnalysisSettings settings = AnalysisSettings.standard();
    private boolean strict;
    private int historySize = 10_000;
    private double budget = Double.POSITIVE_INFINITY;
    private Backlog backlog;
    private TrajectoryExponent.Curvature trajectory;
    private RecordSink record;
    private Duration timeLimit;
    private Duration patience = Duration.ofMinutes(1);
    private InstantSource clock = InstantSource.system();
    private Consumer<Stage> stages = stage -> {};
    private LongSupplier nanoseconds = System::nanoTime;
    private HeapShare heap = new HeapShare();

    private Builder(ProbeSet probe) {
      this.probe = Objects.requireNonNull(probe, "probe");
    }

    /**
     * What is computed at a checkpoint, and for which step.
     *
     * @param settings default {@link AnalysisSettings#standard()}; replaces those given before
     * @return this
     * @throws IllegalArgumentException if the probe has too few examples for them
     */
    public Builder settings(AnalysisSettings settings) {
      this.settings = Objects.requireNonNull(settings, "settings").requireFit(probe.size());
      return this;
    }

    /**
     * How often.
     *
     * @param frequency iterations from one checkpoint to the next, at least 1; default {@value
     *     #DEFAULT_FREQUENCY}
     * @return this
     */
    public Builder frequency(int frequency) {
      return schedule(Schedule.everyIterations(requirePositive("frequency", frequency)));
    }

    /**
     * When, in place of {@link #frequency}.
     *
     * @param schedule of checkpoints of the {@linkplain #settings tier}
     * @return this
     */
    public Builder schedule(Schedule schedule) {
      this.schedule = Objects.requireNonNull(schedule, "schedule");
      return this;
    }

    /**
     * A schedule for another tier beside the main one, such as {@code also(Tier.ECONOMY,
     * Schedule.everyIterations(10))}: cheap gauges more often than dear ones. Where several are
     * due, the dearest is computed.
     *
     * @param tier other than that of the {@link #settings}
     * @param schedule of checkpoints of that tier
     * @return this
     */
    public Builder also(Tier tier, Schedule schedule) {
      further.put(
          Objects.requireNonNull(tier, "tier"), Objects.requireNonNull(schedule, "schedule"));
      return this;
    }

    /**
     * Bounds the time checkpoints take: after one that took c, the next is not begun before
     * c/fraction has passed, whatever the frequency. Delivery to consumers and the record counts,
     * as does a checkpoint that fails. Checkpoints left out are counted as skipped. Which ones are
     * left out depends on the speed of the machine.
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
     * <p>Meanwhile training needs the heap. A checkpoint that would take more than half of what is
     * free is skipped and counted; after an {@code OutOfMemoryError} of its own, half of that.
     *
     * @param backlog what to do when training is faster
     * @return this
     */
    public Builder background(Backlog backlog) {
      this.backlog = Objects.requireNonNull(backlog, "backlog");
      return this;
    }

    /**
     * Bounds the time a single checkpoint may take. One that takes longer is cancelled between its
     * parts, the tiles of its Gram matrix or its epochs of sampling, and counted. Which ones are
     * cancelled depends on the speed of the machine.
     *
     * @param limit positive; by default there is none
     * @return this
     */
    public Builder timeLimit(Duration limit) {
      if (limit.isNegative() || limit.isZero()) {
        throw new IllegalArgumentException("the time limit must be positive, got " + limit);
      }
      timeLimit = limit;
      return this;
    }

    /**
     * Keeps a record of the run: a file of JSON lines, one for each checkpoint, that survives a
     * crash and can be read while it is written, see {@link org.lyapunov4j.dl4j.record.RunRecord}.
     * If the file holds a record already, that run is continued: it must be of the same probe, seed
     * and size of model. The carried tangent vector is kept in a file beside it, with the suffix
     * {@code .tangent}.
     *
     * @param file in a folder that exists
     * @return this
     */
    public Builder record(Path file) {
      return to(RecordSink.at(file));
    }

    /**
     * Whether to carry a tangent vector along the trajectory, for the {@linkplain
     * Checkpoint#trajectory exponent along the trajectory}. Takes the memory of another Gram matrix
     * and of some vectors as long as the parameters in double precision; the time of as many steps
     * on the Gram matrix as training took between checkpoints, of four sweeps through the network
     * at each, and of reading a few entries of every example that training takes: where they are
     * those of the probe, the tangent vector takes the very mini-batches that training took, which
     * the step's remarks tell.
     *
     * @param carry default false
     * @return this
     */
    public Builder trajectory(boolean carry) {
      return trajectory(carry ? TrajectoryExponent.Curvature.GAUSS_NEWTON : null);
    }

    /**
     * Carries a tangent vector along the trajectory with another curvature than that of λ: away
     * from a minimum the full Hessian makes another exponent of it, by factors of 2 to 3. Such a
     * vector steps with training, at the parameters of every step and with the learning rate,
     * preconditioner and mini-batch of that step, so that its growth does not depend on how far
     * checkpoints are apart.
     *
     * <p>That costs training at every iteration, whatever schedule, {@link #budget}, {@link
     * #timeLimit} and {@link #background} say: three gradients of its mini-batch in double
     * precision on a private copy of the model, at every tenth step two more, two copies of the
     * parameters, and reading the training step anew. At a checkpoint the training thread also
     * takes two to three sweeps through the network for all of the probe; once in some 14 nats of
     * contraction, a Gram matrix. In memory it is the model and the probe twice more and some
     * vectors as long as the parameters, in double precision. Layers defined by SameDiff are
     * refused.
     *
     * <p>A checkpoint that is skipped, cancelled or fails loses nothing: the next window has its
     * steps too. A step that fails is counted in {@link LyapunovListener#failures()} and loses the
     * vector; the next checkpoint starts another one, whose numbers begin at 0. With a {@link
     * #record} the vector goes on after a restart if training does from the very parameters it was
     * saved at: at every checkpoint and at {@link LyapunovListener#close()}.
     *
     * @param curvature what steps of the vector take; null for no vector
     * @return this
     */
    public Builder trajectory(TrajectoryExponent.Curvature curvature) {
      trajectory = curvature;
      return this;
    }

    /**
     * Acts on training, such as {@link LearningRateControl}. May be called for several. With none,
     * the default, training is not changed in a single bit.
     *
     * @param intervention called in the training thread with the latest checkpoint
     * @return this
     */
    public Builder intervene(Intervention intervention) {
      interventions.add(Objects.requireNonNull(intervention, "intervention"));
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
     * Where checkpoints go. May be called for several, which are served in this order, after the
     * log.
     *
     * @param sink for one run, since it is closed with the listener; at most one {@link RecordSink}
     * @return this
     */
    public Builder to(CheckpointSink sink) {
      sinks.add(Objects.requireNonNull(sink, "sink"));
      if (sink instanceof RecordSink kept) {
        if (record != null) {
          throw new IllegalArgumentException(
              "a run must have one record, got " + record + " and " + kept + "; give one");
        }
        record = kept;
      }
      return this;
    }

    /**
     * Publishes to a Micrometer registry. May be called for several.
     *
     * @param registry where {@link MetricsSink} are bound
     * @return this
     */
    public Builder registry(MeterRegistry registry) {
      registries.add(Objects.requireNonNull(registry, "registry"));
      return this;
    }

    /**
     * Tells a consumer how the listener fares: when it is built, and whenever what became of a
     * checkpoint, or the reason for it, is another than before. May be called for several.
     *
     * @param consumer what it throws is logged and counted
     * @return this
     */
    public Builder onStatus(Consumer<ListenerStatus> consumer) {
      return to(new StatusObserver(Objects.requireNonNull(consumer, "consumer")));
    }

    /**
     * Names the run.
     *
     * @param run the value of the metrics' tag {@value MetricsSink#RUN_TAG}; default that of the
     *     record that is continued, or {@code run-} and a number unique in this JVM
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

    /** Lets tests decide how time passes. */
    Builder nanoseconds(LongSupplier nanoseconds) {
      this.nanoseconds = nanoseconds;
      return this;
    }

    /** Lets tests decide what is free. */
    Builder heap(HeapShare heap) {
      this.heap = heap;
      return this;
    }

    /** Lets tests fail at any stage. */
    Builder atEachStage(Consumer<Stage> stages) {
      this.stages = stages;
      return this;
    }

    private String name(SavedState saved) {
      return run != null ? run : saved.run().orElseGet(() -> "run-" + RUNS.incrementAndGet());
    }

    private CheckpointEngine.Settings engine(
        String run, TrajectoryTracker trajectory, EdgeTracker edge) {
      return new CheckpointEngine.Settings(
          run, settings, trajectory, edge, new Deadline(timeLimit, nanoseconds), strict, stages);
    }

    private CheckpointRun.Pace pace() {
      return new CheckpointRun.Pace(
          new Budget(budget, nanoseconds),
          backlog,
          backlog == null ? new HeapShare(() -> Long.MAX_VALUE) : heap,
          patience);
    }

    private TierSchedule timetable() {
      if (further.containsKey(settings.tier())) {
        throw new IllegalArgumentException(
            "also(...) must name another tier than the main one, got "
                + settings.tier()
                + " for both; give one of them");
      }
      Map<Tier, Schedule> all = new EnumMap<>(further);
      all.put(settings.tier(), schedule);
      return new TierSchedule(all, settings.tier());
    }

    /**
     * Builds the listener and begins the run at all sinks.
     *
     * @return a listener for one model
     * @throws IllegalArgumentException if settings contradict each other or a sink cannot take the
     *     run, such as a record that cannot be continued
     */
    public LyapunovListener build() {
      List<CheckpointSink> all = new ArrayList<>();
      all.add(new LogSink(log));
      all.addAll(sinks);
      if (!registries.isEmpty()) {
        all.add(new MetricsSink(registries.toArray(MeterRegistry[]::new)));
      }
      try {
        return new LyapunovListener(this, all, record);
      } catch (Throwable refused) {
        new Sinks(all, stages).closeAfter(refused);
        throw refused;
      }
    }

    private static int requirePositive(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " must be at least 1, got " + value);
      }
      return value;
    }
  }

  /**
   * Training on Spark would copy the listener to the workers, whose replicas train on parts of the
   * data, and never call it on the driver.
   *
   * @return never
   * @throws NotSerializableException always, with what to do instead
   */
  private Object writeReplace() throws NotSerializableException {
    throw new NotSerializableException(
        "a LyapunovListener watches a network in its own JVM and must not be sent to others, got"
            + " serialisation, as SparkDl4jMultiLayer.setListeners causes; call"
            + " StabilityAnalysis.of(sparkNet.getNetwork(), probe) after each fit(rdd) instead");
  }
}
