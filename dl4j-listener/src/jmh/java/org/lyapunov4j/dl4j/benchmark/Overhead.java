// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.stability.Tier;

/**
 * What the listener costs: time of a step with it over that of a step with a listener that does
 * nothing, for several intervals and tiers, and under a budget of 5 %. Both are measured by turns
 * of a fraction of a second ({@link Duel}). Under the budget, the time inside the listener over
 * that outside is printed too.
 *
 * <p>With {@code --time processor} all of it is processor time of the process, native code included:
 * for machines with other things to do.
 */
final class Overhead {
  private static final double BUDGET = 0.05;

  private final Options options;
  private final LongSupplier now;

  private Overhead(Options options) {
    this.options = options;
    now = clock(options.text("time"));
  }

  private static LongSupplier clock(String name) {
    return switch (name) {
      case "wall" -> System::nanoTime;
      case "processor" ->
          ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
              ::getProcessCpuTime;
      default ->
          throw new IllegalArgumentException("--time must be wall or processor, got " + name);
    };
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
                    "budgets", "ECONOMY",
                    "cycles", "8",
                    "warmup", "10",
                    "turn", "0.2",
                    "time", "wall")))
        .run();
  }

  private void run() {
    for (String model : list("models")) {
      Workload workload = Workload.of(model);
      System.out.printf("%n%s%n%n| tier |", workload.name());
      list("intervals").forEach(interval -> System.out.printf(" every %s |", interval));
      System.out.print(" budget 5 %: inside | overall | ms a checkpoint | ms a step |\n|");
      list("intervals").forEach(interval -> System.out.print("---|"));
      System.out.println("---|---|---|---|---|");
      int turn = stepsOfATurn(workload);
      list("tiers").forEach(tier -> row(workload, tier, turn));
    }
  }

  private List<String> list(String option) {
    return Arrays.asList(options.text(option).split(","));
  }

  /** Warms up, and counts the steps of one turn. */
  private int stepsOfATurn(Workload workload) {
    MultiLayerNetwork network = workload.network().get();
    network.setListeners(new BaseTrainingListener() {});
    long start = now.getAsLong();
    while (now.getAsLong() - start < 1e9 * options.number("warmup")) {
      workload.train(network, 0, 1);
    }
    int steps = 0;
    start = now.getAsLong();
    while (now.getAsLong() - start < 1e9 * options.number("turn")) {
      workload.train(network, steps++, 1);
    }
    return steps;
  }

  private void row(Workload workload, String name, int turn) {
    Tier tier = Tier.valueOf(name);
    System.out.printf("| %s |", tier);
    double checkpoint = Double.NaN;
    double step = Double.NaN;
    for (String interval : list("intervals")) {
      LyapunovListener.Builder settings = settings(workload, tier, Integer.parseInt(interval));
      try (Duel duel = new Duel(workload, settings, turn, now)) {
        duel.warmUp();
        duel.run((int) options.number("checkpoints"));
        System.out.printf(Locale.ROOT, " %.2f |", duel.ratio());
        System.out.flush();
        checkpoint = duel.checkpointMillis();
        step = duel.controlMillis();
      }
    }
    String budget = list("budgets").contains(name) ? budget(workload, tier, turn) : "– | –";
    System.out.printf(Locale.ROOT, " %s | %.0f | %.2f |%n", budget, checkpoint, step);
  }

  private String budget(Workload workload, Tier tier, int turn) {
    LyapunovListener.Builder settings = settings(workload, tier, 1).budget(BUDGET);
    try (Duel duel = new Duel(workload, settings, turn, now)) {
      duel.warmUp();
      duel.warmUp();
      duel.run((int) options.number("cycles"));
      return String.format(
          Locale.ROOT,
          "%.1f %% | %.1f %%",
          100 * duel.insideOverOutside(),
          100 * (duel.ratio() - 1));
    }
  }

  private static LyapunovListener.Builder settings(Workload workload, Tier tier, int every) {
    return LyapunovListener.builder(workload.probe())
        .settings(AnalysisSettings.of(tier))
        .frequency(every);
  }
}
