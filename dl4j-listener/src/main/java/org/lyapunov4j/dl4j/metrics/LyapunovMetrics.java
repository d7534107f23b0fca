// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.stability.Verdict;

/**
 * Publishes the latest checkpoint of one training run to any number of Micrometer registries.
 *
 * <p>Each meter carries the tag {@value #RUN_TAG}, so that several models in one process stay
 * apart, and the tags given at construction. The gauges of {@link LyapunovGauge} read NaN until the
 * first checkpoint; they hold their state strongly and never touch a native array, so any thread
 * may scrape them at any time. What a checkpoint of a cheaper tier leaves out keeps the value of
 * the latest that had it. Beside them there is one gauge per verdict, {@value #VERDICT_STATE}, the
 * age of the latest checkpoint, a timer of the checkpoints computed and counters of those skipped,
 * failed and cancelled.
 *
 * <p>{@link #close()} removes the meters again. Thread-safe.
 */
public final class LyapunovMetrics implements MeterBinder, AutoCloseable {
  /** The tag that names the run. */
  public static final String RUN_TAG = "run";

  /** The tag of {@link #VERDICT_STATE}: a verdict's name in lower case. */
  public static final String STATE_TAG = "state";

  /** Gauges, one per verdict: 1 for the verdict of the latest checkpoint, else 0. */
  public static final String VERDICT_STATE = "lyapunov.verdict.state";

  /**
   * Gauges, one per {@link ListenerStatus.State}: 1 for what became of the checkpoint that was due
   * last, else 0.
   */
  public static final String LISTENER_STATUS = "lyapunov.listener.status";

  /** The tag of {@link #LISTENER_STATUS}: a state's name in lower case. */
  public static final String REASON_TAG = "reason";

  /** Gauge: seconds since the parameters of the latest checkpoint were current. */
  public static final String AGE = "lyapunov.checkpoint.age";

  /** Timer: the checkpoints computed. */
  public static final String COMPUTE = "lyapunov.checkpoint.compute";

  /** Counter: checkpoints that were due but not computed, to spare the training. */
  public static final String SKIPPED = "lyapunov.checkpoint.skipped";

  /** Counter: checkpoints that failed. */
  public static final String FAILED = "lyapunov.checkpoint.failed";

  /** Counter: checkpoints that were begun but cut short. */
  public static final String CANCELLED = "lyapunov.checkpoint.cancelled";

  /** What a cheaper tier leaves out. Anything else that is NaN is so in the latest checkpoint. */
  private static final Set<LyapunovGauge> OF_DEARER_TIERS =
      EnumSet.of(
          LyapunovGauge.EDGE_RATIO,
          LyapunovGauge.EDGE_RATIO_LOW,
          LyapunovGauge.EDGE_RATIO_HIGH,
          LyapunovGauge.CRITICAL_LEARNING_RATE,
          LyapunovGauge.MEAN_SQUARE_INDEX,
          LyapunovGauge.PROBE_CRITICAL_LEARNING_RATE_CHANGE);

  private final Tags tags;
  private final InstantSource clock;
  private final List<Binding> bindings = new ArrayList<>();
  private volatile ListenerStatus.State state = ListenerStatus.State.WAITING;
  private volatile Checkpoint latest;
  private volatile Checkpoint dearest;

  /**
   * Metrics of one run.
   *
   * @param run the value of the {@value #RUN_TAG} tag, unique among the runs that share a registry
   * @param tags further tags for every meter; keep their values few
   * @param clock tells the age of a checkpoint
   */
  public LyapunovMetrics(String run, Iterable<Tag> tags, InstantSource clock) {
    if (run.isBlank()) {
      throw new IllegalArgumentException("the run needs a name, got '" + run + "'");
    }
    this.tags = Tags.concat(tags, RUN_TAG, run);
    this.clock = clock;
  }

  /**
   * Registers the meters.
   *
   * @param registry where
   * @throws IllegalArgumentException if the registry already has the meters of a run of this name:
   *     Micrometer would keep showing the old ones and ignore these
   */
  @Override
  public synchronized void bindTo(MeterRegistry registry) {
    if (registry.find(LyapunovGauge.EXPONENT.meterName()).tags(tags).gauge() != null) {
      throw new IllegalArgumentException(
          "the registry already has "
              + LyapunovGauge.EXPONENT.meterName()
              + " with "
              + tags
              + "; close the earlier listener or give this run another name");
    }
    bindings.add(new Binding(registry));
  }

  /**
   * Publishes a checkpoint.
   *
   * @param checkpoint the new latest
   */
  public void update(Checkpoint checkpoint) {
    if (dearest == null || checkpoint.tier().compareTo(dearest.tier()) >= 0) {
      dearest = checkpoint;
    }
    latest = checkpoint;
    forEach(binding -> binding.compute.record(checkpoint.computeTime()));
  }

  /**
   * Publishes what became of the checkpoint that was due last.
   *
   * @param state the new latest
   */
  public void state(ListenerStatus.State state) {
    this.state = state;
  }

  /** Counts a checkpoint that was due but not computed. */
  public void skipped() {
    forEach(binding -> binding.skipped.increment());
  }

  /** Counts a checkpoint that failed. */
  public void failed() {
    forEach(binding -> binding.failed.increment());
  }

  /** Counts a checkpoint that was cut short. */
  public void cancelled() {
    forEach(binding -> binding.cancelled.increment());
  }

  /**
   * Removes the meters from every registry they were bound to. Closing again does nothing.
   *
   * @throws RuntimeException that a registry threw, after all others have been seen to
   */
  @Override
  public synchronized void close() {
    List<Binding> bound = List.copyOf(bindings);
    bindings.clear();
    RuntimeException first = null;
    for (Binding binding : bound) {
      try {
        binding.remove();
      } catch (RuntimeException failure) {
        first = first == null ? failure : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }

  private synchronized void forEach(java.util.function.Consumer<Binding> action) {
    bindings.forEach(action);
  }

  private double value(LyapunovGauge gauge) {
    double value = gauge.of(latest);
    return Double.isNaN(value) && OF_DEARER_TIERS.contains(gauge) ? gauge.of(dearest) : value;
  }

  private double isVerdict(Verdict.Kind kind) {
    Checkpoint checkpoint = latest;
    if (checkpoint == null) {
      return Double.NaN;
    }
    return checkpoint.stability().verdict().kind() == kind ? 1 : 0;
  }

  private Number ageSeconds() {
    Checkpoint checkpoint = latest;
    return checkpoint == null
        ? Double.NaN
        : Duration.between(checkpoint.time(), clock.instant()).toMillis() / 1000.0;
  }

  /** The meters in one registry. */
  private final class Binding {
    private final MeterRegistry registry;
    private final List<Meter> meters = new ArrayList<>();
    private Timer compute;
    private Counter skipped;
    private Counter failed;
    private Counter cancelled;

    /** Registers all meters or none. */
    Binding(MeterRegistry registry) {
      this.registry = registry;
      try {
        register();
      } catch (Throwable refused) {
        try {
          remove();
        } catch (Throwable further) {
          refused.addSuppressed(further);
        }
        throw refused;
      }
    }

    private void register() {
      for (LyapunovGauge gauge : LyapunovGauge.values()) {
        add(
            Gauge.builder(gauge.meterName(), () -> value(gauge))
                .description(gauge.description())
                .baseUnit(gauge.unit())
                .tags(tags)
                .register(registry));
      }
      for (Verdict.Kind kind : Verdict.Kind.values()) {
        add(
            Gauge.builder(VERDICT_STATE, () -> isVerdict(kind))
                .description("1 for the verdict of the latest checkpoint, else 0")
                .tags(tags.and(STATE_TAG, kind.name().toLowerCase(Locale.ROOT)))
                .register(registry));
      }
      for (ListenerStatus.State each : ListenerStatus.State.values()) {
        add(
            Gauge.builder(LISTENER_STATUS, () -> state == each ? 1 : 0)
                .description("1 for what became of the checkpoint that was due last, else 0")
                .tags(tags.and(REASON_TAG, each.name().toLowerCase(Locale.ROOT)))
                .register(registry));
      }
      add(
          TimeGauge.builder(AGE, LyapunovMetrics.this::ageSeconds, TimeUnit.SECONDS)
              .description("Time since the parameters of the latest checkpoint were current")
              .tags(tags)
              .register(registry));
      compute =
          add(
              Timer.builder(COMPUTE)
                  .description("Checkpoints computed and the time each took")
                  .tags(tags)
                  .register(registry));
      skipped = add(counter(SKIPPED, "Checkpoints due but not computed, to spare the training"));
      failed = add(counter(FAILED, "Checkpoints that failed; the log says why the first one did"));
      cancelled =
          add(
              counter(
                  CANCELLED,
                  "Checkpoints begun but cut short, by their time limit or an interrupt"));
    }

    private Counter counter(String name, String description) {
      return Counter.builder(name)
          .description(description)
          .baseUnit("checkpoints")
          .tags(tags)
          .register(registry);
    }

    private <M extends Meter> M add(M meter) {
      meters.add(meter);
      return meter;
    }

    /** Tries each, and throws what the first failure was. */
    void remove() {
      RuntimeException first = null;
      for (Meter meter : meters) {
        try {
          registry.remove(meter);
        } catch (RuntimeException failure) {
          first = first == null ? failure : first;
        }
      }
      if (first != null) {
        throw first;
      }
    }
  }
}
