// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * λ of SGD beside μ of gradient descent at the same parameters, where both are rates of the slowest
 * direction: at checkpoints of the second half of training with η/η_c below 0.9.
 */
final class SlowBranch {
  private static final double STABLE = 0.9;

  private SlowBranch() {}

  /** Mini-batches of one size. */
  private record Sampling(int outputs, String scheme, int batchSize) {
    static final Comparator<Sampling> ORDER =
        Comparator.comparingInt(Sampling::outputs)
            .thenComparing(Sampling::scheme)
            .thenComparingInt(Sampling::batchSize);

    static Sampling of(RunResult run) {
      return new Sampling(
          Integer.parseInt(run.setting("outputs")),
          run.setting("scheme"),
          Integer.parseInt(run.setting("batch size")));
    }
  }

  static Table table(List<RunResult> results) {
    List<List<String>> rows = new ArrayList<>();
    for (Group<Sampling> group : Group.of(results, Sampling::of, Sampling.ORDER)) {
      double[] ratios =
          group.finite().stream().flatMapToDouble(SlowBranch::ratios).sorted().toArray();
      if (ratios.length == 0) {
        continue;
      }
      Sampling sampling = group.setting();
      rows.add(
          List.of(
              String.valueOf(sampling.outputs()),
              sampling.scheme(),
              String.valueOf(sampling.batchSize()),
              String.valueOf(ratios.length),
              cell(ratios, 0.5),
              cell(ratios, 0.05),
              cell(ratios, 0.95)));
    }
    return new Table(
        "evolution-slow",
        "λ of SGD over μ of gradient descent at the same parameters, second half, η/η_c below 0.9",
        List.of("K", "mini-batches", "B", "checkpoints", "λ/μ, median", "5 %", "95 %"),
        rows);
  }

  private static DoubleStream ratios(RunResult run) {
    double[] lambda = run.secondHalf("lambda");
    double[] mu = run.secondHalf("mu");
    double[] edge = run.secondHalf("edgeRatio");
    return IntStream.range(0, lambda.length)
        .filter(i -> edge[i] < STABLE && lambda[i] < 0 && mu[i] < 0)
        .mapToDouble(i -> lambda[i] / mu[i]);
  }

  private static String cell(double[] sorted, double share) {
    int index = (int) Math.min(sorted.length - 1, Math.floor(share * sorted.length));
    return String.format(Locale.ROOT, "%.3f", sorted[index]);
  }
}
