// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.stability.Tier;

/**
 * What the listener costs: time of training with it over time with a listener that does nothing, in
 * one process, for several intervals and tiers; and under a budget of 5 % also the time spent
 * inside the listener over that spent outside. The listener that does nothing is timed before and
 * after each measurement, and the mean of both counts; what Deeplearning4j itself takes for having
 * a listener at all shows in the two times of a step.
 */
final class Overhead {
  private static final double BUDGET = 0.05;

  private final Options options;

  private Overhead(Options options) {
    this.options = options;
  }

  public static void main(String[] args) {
    new Overhead(
            new Options(
                args,
                Map.of(
                    "models", String.join(",", Workload.NAMES),
                    "tiers", "ECONOMY,STANDARD,FULL",
                    "intervals", "1,4,16,64,256",
                    "checkpoints", "3",
                    "budgets", "ECONOMY,STANDARD,FULL",
                    "cycles", "8",
                    "seconds", "5")))
        .run();
  }

  private void run() {
    for (String model : list("models")) {
      Workload workload = Workload.of(model);
      System.out.printf("%n%s%n%n| tier | ms a step, no listener | ms a step | ms a checkpoint |", workload.name());
      list("intervals").forEach(interval -> System.out.printf(" every %s |", interval));
      System.out.printf(" budget 5 %%: inside, overall, checkpoints |%n|---|---|---|---|");
      list("intervals").forEach(interval -> System.out.print("---|"));
      System.out.println("---|");
      list("tiers").forEach(tier -> row(workload, tier));
    }
  }

  private List<String> list(String option) {
    return Arrays.asList(options.text(option).split(","));
  }

  private void row(Workload workload, String name) {
    Tier tier = Tier.valueOf(name);
    MultiLayerNetwork network = workload.network().get();
    double checkpoint = checkpointMillis(workload, network, tier);
    double bare = bareMillis(workload, network);
    double idle = idleMillis(workload, network);
    System.out.printf(Locale.ROOT, "| %s | %.2f | %.2f | %.0f |", tier, bare, idle, checkpoint);
    for (String interval : list("intervals")) {
      int every = Integer.parseInt(interval);
      System.out.printf(Locale.ROOT, " %.2f |", ratio(workload, network, tier, every));
      System.out.flush();
    }
    if (list("budgets").contains(name)) {
      budget(workload, network, tier);
    } else {
      System.out.print(" – |");
    }
    System.out.println();
  }

  /** The second checkpoint of a listener, when everything is warm. */
  private double checkpointMillis(Workload workload, MultiLayerNetwork network, Tier tier) {
    LyapunovListener listener =
        new LyapunovListener.Builder(workload.probe()).tier(tier).frequency(1).build();
    network.setListeners(listener);
    workload.train(network, 0, 3);
    listener.close();
    network.setListeners();
    if (listener.history().size() != 3) {
      throw new IllegalStateException("expected 3 checkpoints, got " + listener.history());
    }
    return listener.history().get(2).computeTime().toNanos() * 1e-6;
  }

  private double bareMillis(Workload workload, MultiLayerNetwork network) {
    network.setListeners();
    return stepMillis(workload, network);
  }

  private double idleMillis(Workload workload, MultiLayerNetwork network) {
    network.setListeners(new BaseTrainingListener() {});
    return stepMillis(workload, network);
  }

  private double stepMillis(Workload workload, MultiLayerNetwork network) {
    workload.train(network, 0, 5);
    long start = System.nanoTime();
    double limit = 1e9 * options.number("seconds");
    int steps = 0;
    while (steps < 5 || System.nanoTime() - start < limit) {
      workload.train(network, steps++, 1);
    }
    return (System.nanoTime() - start) * 1e-6 / steps;
  }

  private double ratio(Workload workload, MultiLayerNetwork network, Tier tier, int every) {
    double before = idleMillis(workload, network);
    LyapunovListener listener =
        new LyapunovListener.Builder(workload.probe()).tier(tier).frequency(every).build();
    network.setListeners(listener);
    // The first checkpoint copies the model; it is what it is once, not at every interval.
    align(workload, network, every);
    int steps = every * (int) options.number("checkpoints");
    long start = System.nanoTime();
    workload.train(network, 0, steps);
    double watched = (System.nanoTime() - start) * 1e-6 / steps;
    listener.close();
    double after = idleMillis(workload, network);
    return watched / ((before + after) / 2);
  }

  /** Trains up to and including the next iteration with a checkpoint. */
  private static void align(Workload workload, MultiLayerNetwork network, int every) {
    do {
      workload.train(network, 0, 1);
    } while ((network.getIterationCount() - 1) % every != 0);
  }

  /** Whole cycles of a checkpoint and the rest that follows it. */
  private void budget(Workload workload, MultiLayerNetwork network, Tier tier) {
    double before = idleMillis(workload, network);
    AtomicInteger done = new AtomicInteger();
    LyapunovListener listener =
        new LyapunovListener.Builder(workload.probe())
            .tier(tier)
            .frequency(1)
            .budget(BUDGET)
            .onCheckpoint(c -> done.incrementAndGet())
            .build();
    Timed timed = new Timed(listener);
    network.setListeners(timed);
    trainUntil(workload, network, done, 2);
    timed.nanoseconds = 0;
    long start = System.nanoTime();
    int cycles = (int) options.number("cycles");
    int steps = trainUntil(workload, network, done, 2 + cycles);
    long all = System.nanoTime() - start;
    long inside = timed.nanoseconds;
    listener.close();
    double after = idleMillis(workload, network);
    System.out.printf(
        Locale.ROOT,
        " %.1f %%, %.1f %%, %d |",
        100.0 * inside / (all - inside),
        100 * (all * 1e-6 / steps / ((before + after) / 2) - 1),
        cycles);
  }

  /** Measures the time in {@code iterationDone}. */
  private static final class Timed extends BaseTrainingListener {
    private final LyapunovListener listener;
    private long nanoseconds;

    Timed(LyapunovListener listener) {
      this.listener = listener;
    }

    @Override
    public void iterationDone(Model model, int iteration, int epoch) {
      long start = System.nanoTime();
      listener.iterationDone(model, iteration, epoch);
      nanoseconds += System.nanoTime() - start;
    }
  }

  private static int trainUntil(
      Workload workload, MultiLayerNetwork network, AtomicInteger done, int checkpoints) {
    int steps = 0;
    while (done.get() < checkpoints) {
      workload.train(network, steps++, 1);
    }
    return steps;
  }
}
