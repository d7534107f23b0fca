// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.gram.Isolation;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;

/**
 * The checkpoints of one run, from the snapshot in the training thread to the delivery, within the
 * time and the memory they may take.
 */
final class CheckpointRun {
  private static final String NO_HEAP =
      "it would take more than half of the free heap, the rest of which is for training";

  private final Logger log;
  private final CheckpointEngine.Settings settings;
  private final ProbeSet probe;
  private final InstantSource clock;
  private final Pace pace;
  private final ObservedSteps steps;
  private final TangentSteps tangent;
  private final Reporter reporter;
  private final Interventions interventions;
  private final CheckpointCounts counts;
  private final Faults faults;
  private final Worker worker;
  private final AtomicReference<CheckpointEngine> engine = new AtomicReference<>();
  private volatile boolean roomWarned;
  private TrainingStep announced;
  private int latestCheckpoint = -1;
  private Tier latestTier;

  /**
   * How much checkpoints may take of training.
   *
   * @param budget share of the time
   * @param backlog what a background thread does when training is faster; null for the training
   *     thread
   * @param heap share of the memory in the background
   * @param patience how long {@link #close} waits
   */
  record Pace(Budget budget, Backlog backlog, HeapShare heap, Duration patience) {}

  /**
   * Where checkpoints go and what becomes of those that do not.
   *
   * @param reporter to the sinks
   * @param interventions to what acts on training
   * @param counts of both
   * @param faults what was thrown
   */
  record Outcome(
      Reporter reporter, Interventions interventions, CheckpointCounts counts, Faults faults) {}

  CheckpointRun(
      Logger log,
      CheckpointEngine.Settings settings,
      ProbeSet probe,
      InstantSource clock,
      Pace pace,
      ObservedSteps steps,
      TangentSteps tangent,
      Outcome outcome) {
    this.log = log;
    this.settings = settings;
    this.probe = probe;
    this.clock = clock;
    this.pace = pace;
    this.steps = steps;
    this.tangent = tangent;
    reporter = outcome.reporter();
    interventions = outcome.interventions();
    counts = outcome.counts();
    faults = outcome.faults();
    worker =
        pace.backlog() == null
            ? new Worker.Direct()
            : new Worker.Background(
                "lyapunov4j " + settings.run(), pace.backlog(), this::failInBackground);
  }

  /** One that is due, unless the time it may take was spent or it is there already. */
  void checkpointWithinBudget(Model model, int iteration, int epoch, Tier tier) {
    if (latestCheckpoint == iteration && latestTier.compareTo(tier) >= 0) {
      return;
    }
    if (pace.budget().allowsOneNow()) {
      checkpoint(model, iteration, epoch, tier);
    } else {
      counts.skipped("the time that checkpoints may take was spent");
    }
  }

  /** One that was asked for. */
  @SuppressWarnings("try") // the isolation is only begun and closed
  void checkpoint(Model model, int iteration, int epoch, Tier tier) {
    settings.stages().accept(Stage.SCHEDULE);
    Budget budget = pace.budget();
    long begun = budget.now();
    try (Isolation isolation = Isolation.begin()) {
      latestCheckpoint = iteration;
      latestTier = tier;
      settings.stages().accept(Stage.READ_STEP);
      TrainingStep step = steps.read(model, iteration, epoch);
      if (engine.get() != null || prepare(model, iteration, step)) {
        announce(engine.get().at(step));
        if (hasRoom(tier)) {
          submit(snapshot(model, iteration, epoch, tier, step), begun);
        } else {
          counts.skipped(NO_HEAP);
        }
      }
    } finally {
      budget.finished(begun);
      budget
          .kept(begun)
          .ifPresent(
              share ->
                  log.info(
                      "{}: checkpoints take {} % of the time of training so far; budget(0.05) keeps"
                          + " them within 5 %, a larger frequency or the tier ECONOMY makes them"
                          + " fewer or cheaper",
                      settings.run(), Math.round(100 * share)));
    }
  }

  private boolean prepare(Model model, int iteration, TrainingStep step) {
    settings.stages().accept(Stage.PREPARE);
    try {
      CheckpointEngine fresh = new CheckpointEngine(settings, model, probe.data());
      reporter.watch(
          new ModelInfo(
              model.getClass().getName(),
              model.numParams(),
              model.params().dataType().name(),
              fresh.outputs(),
              iteration,
              fresh.at(step)));
      engine.set(fresh);
      return true;
    } catch (IllegalArgumentException refusal) {
      faults.switchOff(refusal);
      return false;
    }
  }

  private void announce(TrainingStep step) {
    if (!step.equals(announced)) {
      log.info("{}: {}", settings.run(), step);
      announced = step;
    }
  }

  private Snapshot snapshot(Model model, int iteration, int epoch, Tier tier, TrainingStep step) {
    settings.stages().accept(Stage.SNAPSHOT);
    StepOnProbe reader = steps.reader();
    INDArray parameterWeights = reader.parameterWeights(model, iteration, epoch, step).orElse(null);
    return new Snapshot(
        iteration,
        epoch,
        clock.instant(),
        model.score(),
        tier,
        step,
        parameterWeights,
        reader.decays(model, iteration, epoch, step).orElse(null),
        reader.fixedNorms(model, step).orElse(null),
        reader.normalisations(model),
        model.params().dup(),
        tangent.mark(model, iteration, step, parameterWeights));
  }

  /** Whether a checkpoint in the background would leave training enough. */
  private boolean hasRoom(Tier tier) {
    CheckpointEngine present = engine.get();
    long bytes = present == null ? 0 : present.heapBytes(tier);
    boolean room = pace.heap().allows(bytes);
    if (!room && !roomWarned) {
      roomWarned = true;
      log.warn(
          "{} passes over a checkpoint in the background: it needs about {} MB, more than half of"
              + " the free heap, the rest of which is for training. Use a smaller probe or a larger"
              + " -Xmx.",
          settings.run(),
          bytes >> 20);
    }
    return room;
  }

  private void submit(Snapshot snapshot, long begun) {
    settings.stages().accept(Stage.SUBMIT);
    boolean taken =
        worker.submit(
            new Worker.Job() {
              @Override
              public void run() {
                compute(snapshot, begun);
              }

              @Override
              public void abandon() {
                snapshot.close();
              }
            });
    if (!taken) {
      counts.skipped("an earlier one was still being computed");
    }
  }

  /** In the background, its time goes on after {@link #checkpoint} has returned. */
  @SuppressWarnings("try") // the isolation is only begun and closed
  private void compute(Snapshot snapshot, long begun) {
    CheckpointEngine present = engine.get();
    try (snapshot;
        Isolation isolation = Isolation.begin()) {
      if (present == null) {
        throw new CancellationException("the listener was closed");
      }
      if (!hasRoom(snapshot.tier())) {
        counts.skipped(NO_HEAP);
        return;
      }
      Checkpoint checkpoint = present.evaluate(snapshot);
      reporter.deliver(checkpoint);
      interventions.offer(checkpoint);
    } finally {
      pace.budget().finished(begun);
    }
  }

  private void failInBackground(Throwable failure) {
    if (failure instanceof OutOfMemoryError) {
      pace.heap().backOff();
    }
    faults.handleInBackground(failure);
  }

  /** Waits for the checkpoints that are being computed in the background. */
  void flush() {
    worker.flush();
  }

  /** Waits for the checkpoints that are being computed, for so long, and lets everything go. */
  void close() {
    if (worker.close(pace.patience())) {
      CheckpointEngine used = engine.getAndSet(null);
      if (used != null) {
        used.close();
      }
    } else {
      settings.deadline().cancel();
    }
  }
}
