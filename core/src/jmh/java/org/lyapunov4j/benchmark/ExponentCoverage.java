// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;

/**
 * How λ, its interval and the verdict of the default analyzer compare with the reference kernels,
 * over seeds: the table of docs/benchmarks.md. First argument: the number of seeds, 10 by default.
 */
public final class ExponentCoverage {
  private ExponentCoverage() {}

  /** What was counted at one nominal fraction of η_c. */
  private static final class Tally {
    private final List<Double> deviations = new ArrayList<>();
    private final List<Double> halfWidths = new ArrayList<>();
    private int all;
    private int covered;
    private int wrong;
    private int inconclusive;
    private int bounds;

    void add(StabilityReport report, TangentKernels.Case at) {
      LyapunovExponent exponent = report.exponent();
      double truth = at.exponent();
      double slack = 2 * at.standardError();
      all++;
      covered += exponent.low() - slack <= truth && truth <= exponent.high() + slack ? 1 : 0;
      Verdict.Kind kind = report.verdict().kind();
      inconclusive += kind == Verdict.Kind.INCONCLUSIVE ? 1 : 0;
      boolean unstable = kind == Verdict.Kind.UNSTABLE;
      wrong += kind != Verdict.Kind.INCONCLUSIVE && unstable != truth > 0 ? 1 : 0;
      if (exponent.point().isEmpty()) {
        bounds++;
      } else {
        deviations.add(Math.abs(exponent.point().getAsDouble() / truth - 1));
        halfWidths.add((exponent.high() - exponent.low()) / 2 / Math.abs(truth));
      }
    }

    @Override
    public String toString() {
      return String.format(
          "%4d %6.1f %% %5d %5d %5d   %.2f / %.2f / %.1f %%   %.1f / %.1f %%",
          all,
          100.0 * covered / all,
          wrong,
          inconclusive,
          bounds,
          100 * quantile(deviations, 0.5),
          100 * quantile(deviations, 0.9),
          100 * quantile(deviations, 1),
          100 * quantile(halfWidths, 0.5),
          100 * quantile(halfWidths, 0.9));
    }
  }

  private static double quantile(List<Double> values, double share) {
    double[] sorted = values.stream().mapToDouble(x -> x).sorted().toArray();
    return sorted.length == 0
        ? Double.NaN
        : sorted[(int) Math.min(sorted.length - 1L, Math.round(share * (sorted.length - 1)))];
  }

  /**
   * Runs and prints.
   *
   * @param arguments the number of seeds
   */
  public static void main(String... arguments) {
    int seeds = arguments.length == 0 ? 10 : Integer.parseInt(arguments[0]);
    Map<Double, Tally> tallies = new TreeMap<>();
    long start = System.nanoTime();
    for (TangentKernels.Row row : TangentKernels.rows()) {
      GramMatrix gram = row.gram();
      for (int seed = 0; seed < seeds; seed++) {
        var analysis = StabilityAnalyzer.builder().seed(seed).build().on(gram);
        for (TangentKernels.Case at : row.cases()) {
          StabilityReport report = analysis.apply(at.step());
          Tally tally = tallies.computeIfAbsent(at.nominal(), nominal -> new Tally());
          int before = tally.wrong;
          tally.add(report, at);
          if (tally.wrong > before) {
            System.out.printf("%s, seed %d: %s, truth %.3g%n", at, seed, report.verdict(), at.exponent());
          }
        }
      }
      System.err.printf("%s after %.0f s%n", row, (System.nanoTime() - start) * 1e-9);
    }
    System.out.println(
        "nominal  runs covers wrong inconclusive bounds   |dev| 50/90/100 %   half-width 50/90 %");
    tallies.forEach((nominal, tally) -> System.out.printf("%.2f  %s%n", nominal, tally));
  }
}
