// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.exponent.ReferenceCoverage;

/**
 * How often the intervals of spectrum, moments and finite times hold the truth on five reference
 * kernels, over seeds: the table of docs/decisions.md. First argument: the number of seeds, 3 by
 * default.
 */
public final class OtherExponentsCoverage {
  private OtherExponentsCoverage() {}

  /**
   * Runs and prints.
   *
   * @param arguments the number of seeds
   */
  public static void main(String... arguments) {
    int seeds = arguments.length == 0 ? 3 : Integer.parseInt(arguments[0]);
    ReferenceCoverage coverage = new ReferenceCoverage();
    for (TangentKernels.Case at : ReferenceCoverage.cases(example -> example.nominal() != 0.98)) {
      long start = System.nanoTime();
      for (long seed = 0; seed < seeds; seed++) {
        coverage.finiteTimes(at, seed);
        coverage.spectrum(at, seed);
        coverage.moments(at, seed);
      }
      System.err.printf("%s: %.1f s%n", at, (System.nanoTime() - start) * 1e-9);
    }
    coverage
        .tallies()
        .forEach(
            (number, tally) -> {
              System.out.printf("%s: %s%n", number, tally);
              tally.missed().forEach(missed -> System.out.println("    " + missed));
            });
  }
}
