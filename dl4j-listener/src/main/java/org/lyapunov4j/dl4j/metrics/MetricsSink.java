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
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.stability.Verdict;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the latest checkpoint of one training run to any number of Micrometer registries.
 *
 * <pre>{@code
 * LyapunovListener.builder(probe).to(new MetricsSink(meterRegistry)).build();
 * }</pre>
 *
 * <p>Each meter carries the tag {@value #RUN_TAG}, so that several models in one process stay
 * apart, and the tags given at construction. The gauges of a checkpoint read NaN until the first
 * checkpoint; they hold their state strongly and never touch a native array, so any thread may
 * scrape them at any time. What a checkpoint of a cheaper tier leaves out keeps the value of the
 * latest that had it. What the level of the latest checkpoint does not allow, such as λ where
 * training is only observed, is not registered. Beside them there is one gauge per verdict, {@value
 * #VERDICT_STATE}, and one per level, {@value #LEVEL}, the age of the latest checkpoint, a timer of
 * the checkpoints computed and counters of those skipped, failed and cancelled.
 *
 * <p>{@link #close()} removes the meters again. Thread-safe.
 */
public final class MetricsSink implements CheckpointSink {
  /** The tag that names the run. */
  public static final String RUN_TAG = "run";

  /** The tag of {@link #VERDICT_STATE}: a verdict's name in lower case. */
  public static final String STATE_TAG = "state";

  /** Gauges, one per verdict: 1 for the verdict of the latest checkpoint, else 0. */
  public static final String VERDICT_STATE = "lyapunov.verdict.state";

  /** The tag of {@link #LEVEL}: a level's name in lower case. */
  public static final String LEVEL_TAG = "level";

  /** Gauges, one per level: 1 for the level of the latest checkpoint, else 0. */
  public static final String LEVEL = "lyapunov.level";

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
          LyapunovGauge.PROBE_CRITICAL_LEARNING_RATE_CHANGE,
          LyapunovGauge.FINITE_TIME_EXPONENT,
          LyapunovGauge.FINITE_TIME_EXPONENT_ERROR,
          LyapunovGauge.FINITE_TIME_SHRINKS,
          LyapunovGauge.FINITE_TIME_HORIZON);

  /** What tells these meters apart; a tag of others under the same name would be lost. */
  private static final List<String> OWN_TAGS = List.of(RUN_TAG, STATE_TAG, LEVEL_TAG, REASON_TAG);

  private static final Logger log = LoggerFactory.getLogger(MetricsSink.class);

  private final List<MeterRegistry> registries;
  private final Tags further;
  private final List<Binding> bindings = new ArrayList<>();
  private volatile Tags tags;
  private volatile InstantSource clock;
  private volatile ListenerStatus counted;
  private volatile ListenerStatus.State state = ListenerStatus.State.WAITING;
  private volatile Shown latest;
  private volatile Shown dearest;

  /** A checkpoint with what it says. */
  private record Shown(Checkpoint checkpoint, CheckpointDocument document) {}

  /**
   * Metrics in registries, without further tags.
   *
   * @param registries where the meters are, from the beginning of the run to its end
   */
  public MetricsSink(MeterRegistry... registries) {
    this(Tags.empty(), registries);
  }

  /**
   * Metrics in registries.
   *
   * @param tags for every meter, none of them {@value #RUN_TAG}, {@value #STATE_TAG}, {@value
   *     #LEVEL_TAG} or {@value #REASON_TAG}; keep their values few
   * @param registries where the meters are, from the beginning of the run to its end
   */
  public MetricsSink(Iterable<Tag> tags, MeterRegistry... registries) {
    for (Tag tag : tags) {
      if (OWN_TAGS.contains(tag.getKey())) {
        throw new IllegalArgumentException(
            "the tags must be others than "
                + String.join(", ", OWN_TAGS)
                + ", which the meters have already, got "
                + tag.getKey()
                + "="
                + tag.getValue()
                + "; give it another name");
      }
    }
    further = Tags.of(tags);
    this.registries = List.of(registries);
  }

  /**
   * Registers the meters under the name of the run. A common tag of a registry that one of theirs
   * hides is named in a warning.
   *
   * @param run whose name is unique among the runs that share a registry
   * @throws IllegalArgumentException if a registry already has the meters of a run of this name:
   *     Micrometer would keep showing the old ones and ignore these
   */
  @Override
  public void begin(RunInfo run) {
    tags = Tags.concat(further, RUN_TAG, run.run());
    clock = run.clock();
    registries.forEach(this::bindTo);
  }

  synchronized void bindTo(MeterRegistry registry) {
    if (registry.find(AGE).tags(tags).meter() != null) {
      throw new IllegalArgumentException(
          "the registry already has "
              + AGE
              + " with "
              + tags
              + "; close the earlier listener or give this run another name");
    }
    Optional<Tag> common = hiddenTag(registry);
    bindings.add(new Binding(registry));
    common.ifPresent(
        hidden ->
            log.warn(
                "{}: the registry's common tag {}={} does not show on these meters, whose own tag"
                    + " has the same name. Give the common tag another name.",
                tags,
                hidden.getKey(),
                hidden.getValue()));
  }

  /** A common tag that a meter's own tag replaces. Only a meter without one shows it. */
  static Optional<Tag> hiddenTag(MeterRegistry registry) {
    Meter bare;
    try {
      bare = Counter.builder("lyapunov.tags").register(registry);
      registry.remove(bare);
    } catch (RuntimeException unknown) {
      return Optional.empty(); // of a registry that fails, its meters will tell
    }
    Stream<Tag> here =
        bare.getId().getTags().stream().filter(tag -> OWN_TAGS.contains(tag.getKey()));
    Stream<Tag> below =
        registry instanceof CompositeMeterRegistry composite
            ? composite.getRegistries().stream().flatMap(each -> hiddenTag(each).stream())
            : Stream.empty();
    return Stream.concat(here, below).findFirst();
  }

  @Override
  public void accept(Checkpoint checkpoint) {
    Shown next = new Shown(checkpoint, CheckpointDocument.of(checkpoint));
    if (dearest == null || checkpoint.tier().compareTo(dearest.checkpoint().tier()) >= 0) {
      dearest = next;
    }
    latest = next;
    forEach(
        binding -> {
          binding.show(next.document());
          binding.compute.record(checkpoint.computeTime());
        });
  }

  @Override
  public synchronized void status(ListenerStatus status) {
    state = status.state();
    ListenerStatus before = counted;
    counted = status;
    long skipped = status.skipped() - (before == null ? 0 : before.skipped());
    long failed = status.failures() - (before == null ? 0 : before.failures());
    long cancelled = status.cancelled() - (before == null ? 0 : before.cancelled());
    forEach(
        binding -> {
          binding.skipped.increment((double) skipped);
          binding.failed.increment((double) failed);
          binding.cancelled.increment((double) cancelled);
        });
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
    double value = value(gauge, latest);
    return Double.isNaN(value) && OF_DEARER_TIERS.contains(gauge) ? value(gauge, dearest) : value;
  }

  private static double value(LyapunovGauge gauge, Shown shown) {
    return gauge.of(shown == null ? null : shown.document());
  }

  private double isVerdict(Verdict.Kind kind) {
    Shown shown = latest;
    if (shown == null) {
      return Double.NaN;
    }
    return shown.checkpoint().verdict().filter(verdict -> verdict.kind() == kind).isPresent()
        ? 1
        : 0;
  }

  private double isLevel(Level.Kind kind) {
    Shown shown = latest;
    if (shown == null) {
      return Double.NaN;
    }
    return shown.checkpoint().level().kind() == kind ? 1 : 0;
  }

  private Number ageSeconds() {
    Shown shown = latest;
    return shown == null
        ? Double.NaN
        : Duration.between(shown.checkpoint().time(), clock.instant()).toMillis() / 1000.0;
  }

  /** The meters in one registry. */
  private final class Binding {
    private final MeterRegistry registry;
    private final List<Meter> meters = new ArrayList<>();
    private final Map<LyapunovGauge, Meter> gauges = new EnumMap<>(LyapunovGauge.class);
    private final List<Meter> verdicts = new ArrayList<>();
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
      CheckpointDocument present = latest == null ? null : latest.document();
      for (LyapunovGauge gauge : LyapunovGauge.values()) {
        if (present == null || gauge.isAt(present)) {
          gauges.put(gauge, gauge(gauge));
        }
      }
      if (present == null || present.hasStability()) {
        addVerdicts();
      }
      for (Level.Kind kind : Level.Kind.values()) {
        add(
            Gauge.builder(LEVEL, () -> isLevel(kind))
                .description("1 for the level of the latest checkpoint, else 0")
                .tags(tags.and(LEVEL_TAG, kind.name().toLowerCase(Locale.ROOT)))
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
          TimeGauge.builder(AGE, MetricsSink.this::ageSeconds, TimeUnit.SECONDS)
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

    private Meter gauge(LyapunovGauge gauge) {
      return Gauge.builder(gauge.meterName(), () -> value(gauge))
          .description(gauge.description())
          .baseUnit(gauge.unit())
          .tags(tags)
          .register(registry);
    }

    private void addVerdicts() {
      for (Verdict.Kind kind : Verdict.Kind.values()) {
        verdicts.add(
            Gauge.builder(VERDICT_STATE, () -> isVerdict(kind))
                .description("1 for the verdict of the latest checkpoint, else 0")
                .tags(tags.and(STATE_TAG, kind.name().toLowerCase(Locale.ROOT)))
                .register(registry));
      }
    }

    /** Registers what a checkpoint has and removes what it has not. */
    void show(CheckpointDocument document) {
      for (LyapunovGauge gauge : LyapunovGauge.values()) {
        if (gauge.isAt(document)) {
          gauges.computeIfAbsent(gauge, this::gauge);
        } else if (gauges.containsKey(gauge)) {
          registry.remove(gauges.remove(gauge));
        }
      }
      if (!document.hasStability()) {
        verdicts.forEach(registry::remove);
        verdicts.clear();
      } else if (verdicts.isEmpty()) {
        addVerdicts();
      }
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
      List<Meter> all = new ArrayList<>(meters);
      all.addAll(gauges.values());
      all.addAll(verdicts);
      for (Meter meter : all) {
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
