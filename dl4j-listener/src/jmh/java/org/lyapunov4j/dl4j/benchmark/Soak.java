// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.Backlog;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.ProbeSet;
import org.lyapunov4j.dl4j.Schedule;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Trains for a long time with a checkpoint every few seconds and everything switched on: record,
 * carried tangent vector, metrics, two tiers, the background thread and the training thread in
 * turns, a new listener that resumes the record every five minutes. Heap and native memory after a
 * collection and the threads are written to a CSV file every minute; at the end none of them may
 * have grown. Ends with status 1 if one has.
 */
final class Soak {
  private static final String OURS = "lyapunov4j ";

  private final Options options;
  private final Workload workload;
  private final ProbeSet probe;
  private final Path folder;
  private final long start = System.nanoTime();
  private final AtomicReference<LyapunovListener> current = new AtomicReference<>();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final List<Sample> samples = new ArrayList<>();
  private long checkpoints;
  private long failures;
  private int listeners;

  /** What is measured. */
  private record Sample(
      double minutes, long steps, long checkpoints, double heap, double offHeap, int threads) {}

  private Soak(Options options) throws IOException {
    this.options = options;
    workload = Workload.of(options.text("model"));
    int examples = (int) options.number("examples");
    probe = ProbeSet.of((DataSet) workload.probe().getRange(0, examples));
    folder = Files.createTempDirectory("soak");
  }

  public static void main(String[] args) throws IOException {
    Options options =
        new Options(
            args,
            Map.of(
                "minutes", "60",
                "seconds-between", "3",
                "listener-minutes", "5",
                "sample-seconds", "60",
                "model", "mlp",
                "examples", "30",
                "csv", "soak.csv"));
    System.exit(new Soak(options).run() ? 0 : 1);
  }

  private boolean run() throws IOException {
    long pause = Math.round(1000 * options.number("seconds-between"));
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    timer.scheduleAtFixedRate(this::request, pause, pause, TimeUnit.MILLISECONDS);
    try (PrintWriter csv =
        new PrintWriter(Files.newBufferedWriter(Path.of(options.text("csv"))), true)) {
      csv.println("minutes,steps,checkpoints,heap_mb,offheap_mb,threads");
      train(csv);
    } finally {
      timer.shutdownNow();
    }
    return isFlat() & noThreadIsLeft() & recordsAreWhole();
  }

  private void request() {
    LyapunovListener listener = current.get();
    if (listener != null) {
      listener.requestCheckpoint();
    }
  }

  private void train(PrintWriter csv) {
    MultiLayerNetwork network = workload.network().get();
    double end = options.number("minutes");
    double nextSample = options.number("sample-seconds") / 60;
    double nextListener = 0;
    long steps = 0;
    while (minutes() < end) {
      if (minutes() >= nextListener) {
        renew(network);
        nextListener = minutes() + options.number("listener-minutes");
      }
      workload.train(network, (int) (steps % 1_000_000), 1);
      steps++;
      if (minutes() >= nextSample) {
        sample(steps, csv);
        nextSample += options.number("sample-seconds") / 60;
      }
    }
    finish(current.getAndSet(null));
    network.setListeners();
    sample(steps, csv);
  }

  private double minutes() {
    return (System.nanoTime() - start) / 60e9;
  }

  private void renew(MultiLayerNetwork network) {
    finish(current.getAndSet(null));
    LyapunovListener.Builder builder =
        LyapunovListener.builder(probe)
            .run("soak")
            .schedule(Schedule.onRequest())
            .also(Tier.ECONOMY, Schedule.everyIterations(5000).or(Schedule.onLossSpike()))
            .trajectory(true)
            .settings(AnalysisSettings.standard().withComparison(SizeComparison.SAME_TIER))
            .historySize(100)
            .record(folder.resolve("run.jsonl"))
            .registry(registry);
    if (listeners++ % 2 == 0) {
      builder.background(Backlog.SKIP);
    }
    LyapunovListener listener = builder.build();
    network.setListeners(listener);
    current.set(listener);
  }

  private void finish(LyapunovListener listener) {
    if (listener != null) {
      listener.close();
      checkpoints += listener.history().size();
      failures += listener.failures();
    }
  }

  private void sample(long steps, PrintWriter csv) {
    LyapunovListener listener = current.get();
    if (listener != null) {
      listener.flush();
    }
    collect();
    long done = checkpoints + (listener == null ? 0 : listener.history().size());
    Sample sample =
        new Sample(
            minutes(),
            steps,
            done,
            ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1e6,
            Pointer.physicalBytes() / 1e6,
            ManagementFactory.getThreadMXBean().getThreadCount());
    samples.add(sample);
    String line =
        String.format(
            Locale.ROOT,
            "%.2f,%d,%d,%.2f,%.1f,%d",
            sample.minutes(),
            sample.steps(),
            sample.checkpoints(),
            sample.heap(),
            sample.offHeap(),
            sample.threads());
    csv.println(line);
    System.out.println(line);
  }

  /** Native arrays are freed by a thread of ND4J's once the collector has found them. */
  private static void collect() {
    for (int i = 0; i < 3; i++) {
      System.gc();
      try {
        Thread.sleep(300);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean isFlat() {
    return isFlat("heap", Sample::heap, 4)
        & isFlat("resident memory", Sample::offHeap, 32)
        & isFlat("threads", Sample::threads, 1);
  }

  /**
   * The median of the last third against that of the first, the first tenth left out as warm-up: 5
   * % and a little more are noise.
   */
  private boolean isFlat(String what, ToDoubleFunction<Sample> value, double slack) {
    int warmUp = (samples.size() + 9) / 10;
    List<Sample> measured = samples.subList(Math.min(warmUp, samples.size() - 1), samples.size());
    int third = Math.max(1, measured.size() / 3);
    double early = median(measured.subList(0, third), value);
    double late = median(measured.subList(measured.size() - third, measured.size()), value);
    boolean flat = late <= 1.05 * early + slack;
    System.out.printf(
        Locale.ROOT, "%s: %.1f early, %.1f late: %s%n", what, early, late, flat ? "flat" : "GROWN");
    return flat;
  }

  private static double median(List<Sample> samples, ToDoubleFunction<Sample> value) {
    double[] sorted = samples.stream().mapToDouble(value).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  private boolean noThreadIsLeft() {
    List<String> left =
        Thread.getAllStackTraces().keySet().stream()
            .map(Thread::getName)
            .filter(name -> name.startsWith(OURS))
            .toList();
    System.out.println("threads of the listener left: " + left);
    return left.isEmpty();
  }

  private boolean recordsAreWhole() {
    try {
      RunRecord record = RunRecord.read(folder.resolve("run.jsonl"));
      System.out.printf(
          Locale.ROOT,
          "%s: %d checkpoints in the record, %d of %d listeners resumed it, %d unreadable lines, %d"
              + " failures%n",
          Instant.now(),
          record.checkpoints().size(),
          record.resumptions().size(),
          listeners,
          record.unreadable(),
          failures);
      return record.unreadable() == 0 && failures == 0 && record.end().isPresent();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
