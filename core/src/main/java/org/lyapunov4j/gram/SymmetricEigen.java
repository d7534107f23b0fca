// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The dense symmetric eigenproblem by the first of several routines whose result stands its {@link
 * EigenCheck check}.
 */
final class SymmetricEigen {
  private static final SymmetricEigen STANDARD =
      new SymmetricEigen(EigenRoutines.all(), NativeLibrary::warn);

  private final List<EigenRoutine> routines;
  private final Consumer<String> warning;

  /**
   * A choice of routines.
   *
   * @param routines in the order they are tried
   * @param warning told of every result that was wrong
   */
  SymmetricEigen(List<EigenRoutine> routines, Consumer<String> warning) {
    this.routines = List.copyOf(routines);
    this.warning = warning;
  }

  static SymmetricEigen standard() {
    return STANDARD;
  }

  /**
   * A result that was checked.
   *
   * @param eigenvalues ascending
   * @param vectors the orthonormal eigenvectors column by column; null if not asked for or if no
   *     routine found them
   * @param remarks what went wrong before, a sentence each
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over once, within the package
  record Result(double[] eigenvalues, double[] vectors, List<String> remarks) {}

  /**
   * Decomposes.
   *
   * @param gram G
   * @param vectors whether eigenvectors are wanted
   * @return right eigenvalues, and right eigenvectors or none
   * @throws ArithmeticException if no routine found the eigenvalues
   */
  Result decompose(GramMatrix gram, boolean vectors) {
    GramMatrix scaled = gram.normalised();
    EigenCheck check = new EigenCheck(scaled);
    List<String> failed = new ArrayList<>();
    double[] valuesAlone = null;
    for (EigenRoutine routine : routines) {
      double[] a = entries(scaled);
      double[] values = run(routine, a, gram.size(), vectors);
      if (values != null && check.acceptsValues(values)) {
        boolean right = vectors ? check.acceptsVectors(values, a) : check.acceptsLargest(values);
        if (right) {
          List<String> remarks = remarks(failed, gram, routine.name() + " took its place");
          return new Result(unscaled(gram, values), vectors ? a : null, remarks);
        }
        if (valuesAlone == null && check.acceptsLargest(values)) {
          valuesAlone = values;
        }
      }
      failed.add(routine.name());
    }
    if (valuesAlone == null) {
      String consequence = "there is no other routine; what needs eigenvalues is absent";
      throw new ArithmeticException(String.join(" ", remarks(failed, gram, consequence)));
    }
    return new Result(
        unscaled(gram, valuesAlone),
        null,
        remarks(failed, gram, "there is no other routine; what needs eigenvectors is absent"));
  }

  /** The eigenvalues; null if the routine gives up. */
  private static double[] run(EigenRoutine routine, double[] a, int m, boolean vectors) {
    try {
      return routine.solver().decompose(a, m, vectors);
    } catch (RuntimeException | LinkageError e) {
      return null;
    }
  }

  /** All entries, m ≤ 46340. */
  static double[] entries(GramMatrix gram) {
    int m = gram.size();
    double[] a = new double[m * m];
    double[] row = new double[m];
    for (int i = 0; i < m; i++) {
      gram.copyRow(i, row);
      System.arraycopy(row, 0, a, i * m, m);
    }
    return a;
  }

  /** What belongs to the matrix itself, from what belongs to the normalised one. */
  private static double[] unscaled(GramMatrix gram, double[] eigenvalues) {
    double[] result = new double[eigenvalues.length];
    for (int k = 0; k < result.length; k++) {
      result[k] = Math.scalb(eigenvalues[k], gram.exponent());
    }
    return result;
  }

  private List<String> remarks(List<String> failed, GramMatrix gram, String consequence) {
    if (failed.isEmpty()) {
      return List.of();
    }
    String remark =
        String.format(
            Locale.ROOT,
            "the eigendecomposition of a matrix of %d rows was wrong by %s: %s",
            gram.size(),
            failed.stream().collect(Collectors.joining(", ")),
            consequence);
    warning.accept(remark);
    return List.of(remark);
  }
}
