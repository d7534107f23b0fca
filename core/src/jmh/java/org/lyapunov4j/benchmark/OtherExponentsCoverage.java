// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.exponent.ReferenceCoverage;

/**
 * How often the intervals of spectrum, moments and finite times hold the truth on five reference
 * kernels: the table of docs/decisions.md. Arguments: the number of seeds for finite times, 3 by
 * default, and for the others, 1 by default.
 */
public final class OtherExponentsCoverage {
  private OtherExponentsCoverage() {}

  /**
   * Runs and prints.
   *
   * @param arguments numbers of seeds
   */
  public static void main(String... arguments) {
    int cheap = arguments.length < 1 ? 3 : Integer.parseInt(arguments[0]);
    int dear = arguments.length < 2 ? 1 : Integer.parseInt(arguments[1]);
    ReferenceCoverage coverage = new ReferenceCoverage();
    for (TangentKernels.Case at : ReferenceCoverage.cases(example -> example.nominal() != 0.98)) {
      for (long seed = 0; seed < cheap; seed++) {
        coverage.finiteTimes(at, seed);
      }
    }
    print(coverage);
    for (TangentKernels.Case at : ReferenceCoverage.cases(example -> example.nominal() < 0.98)) {
      for (long seed = 0; seed < dear; seed++) {
        coverage.spectrum(at, seed);
        coverage.moments(at, seed);
      }
      System.err.println(at);
    }
    print(coverage);
  }

  private static void print(ReferenceCoverage coverage) {
    coverage
        .tallies()
        .forEach(
            (number, tally) -> {
              System.out.printf("%s: %s%n", number, tally);
              tally.missed().forEach(missed -> System.out.println("    " + missed));
            });
  }
}
