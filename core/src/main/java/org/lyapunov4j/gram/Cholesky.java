// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Optional;

/**
 * The Cholesky factor L of a shifted Gram matrix, G + shift·I = L Lᵀ: LAPACK's where the CPU
 * backend brings it, which users of the solutions have to check, since a native routine may be
 * wrong without saying so; else by plain Java.
 */
final class Cholesky {
  private static final int ROW_MAJOR = 101;
  private static final int LARGEST_SIZE = 46340;

  /** Share of the free heap that the factor may take. */
  private static final double SHARE_OF_FREE_MEMORY = 0.5;

  private static final MethodHandle DPOTRF = findDpotrf();

  private final double[] l;
  private final int m;

  private Cholesky(double[] l, int m) {
    this.l = l;
    this.m = m;
  }

  /**
   * The factor.
   *
   * @param gram G
   * @param shift added to the diagonal
   * @return empty if the matrix is not positive definite in double precision, or does not fit into
   *     memory
   */
  static Optional<Cholesky> of(GramMatrix gram, double shift) {
    int m = gram.size();
    if (m > LARGEST_SIZE || 8.0 * m * m > SHARE_OF_FREE_MEMORY * freeMemory()) {
      return Optional.empty();
    }
    double[] a = new double[m * m];
    double[] row = new double[m];
    for (int i = 0; i < m; i++) {
      gram.copyRow(i, row);
      System.arraycopy(row, 0, a, i * m, i + 1);
      a[i * m + i] += shift;
    }
    boolean definite = DPOTRF == null ? factorise(a, m) : dpotrf(a, m);
    return definite ? Optional.of(new Cholesky(a, m)) : Optional.empty();
  }

  private static double freeMemory() {
    Runtime runtime = Runtime.getRuntime();
    return (double) runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory();
  }

  /** Solves (G + shift·I) y = x. */
  void solve(double[] x, double[] y) {
    System.arraycopy(x, 0, y, 0, m);
    for (int i = 0; i < m; i++) {
      double sum = y[i];
      int row = i * m;
      for (int j = 0; j < i; j++) {
        sum -= l[row + j] * y[j];
      }
      y[i] = sum / l[row + i];
    }
    solveUpper(y);
  }

  /** Replaces the m rows of B by those of L⁻¹B. */
  void solveLower(double[][] rows) {
    for (int i = 0; i < m; i++) {
      double[] row = rows[i];
      for (int j = 0; j < i; j++) {
        double factor = l[i * m + j];
        double[] above = rows[j];
        for (int k = 0; k < row.length; k++) {
          row[k] -= factor * above[k];
        }
      }
      double pivot = l[i * m + i];
      for (int k = 0; k < row.length; k++) {
        row[k] /= pivot;
      }
    }
  }

  /** Replaces y by L⁻ᵀy. */
  void solveUpper(double[] y) {
    for (int i = m - 1; i >= 0; i--) {
      int row = i * m;
      y[i] /= l[row + i];
      for (int j = 0; j < i; j++) {
        y[j] -= l[row + j] * y[i];
      }
    }
  }

  /** Row by row: the lower half of a becomes L. */
  static boolean factorise(double[] a, int m) {
    for (int i = 0; i < m; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = a[i * m + j] - dot(a, i * m, j * m, j);
        if (j < i) {
          a[i * m + j] = sum / a[j * m + j];
        } else if (sum > 0) {
          a[i * m + i] = Math.sqrt(sum);
        } else {
          return false;
        }
      }
    }
    return true;
  }

  private static double dot(double[] a, int x, int y, int length) {
    double even = 0;
    double odd = 0;
    int k = 0;
    for (; k + 2 <= length; k += 2) {
      even += a[x + k] * a[y + k];
      odd += a[x + k + 1] * a[y + k + 1];
    }
    return k < length ? even + odd + a[x + k] * a[y + k] : even + odd;
  }

  private static boolean dpotrf(double[] a, int m) {
    try {
      return (int) DPOTRF.invokeExact(ROW_MAJOR, (byte) 'L', m, a, m) == 0;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("LAPACK dpotrf could not be called", e);
    }
  }

  private static MethodHandle findDpotrf() {
    try {
      Class<?> openblas = Class.forName("org.bytedeco.openblas.global.openblas");
      return MethodHandles.publicLookup()
          .findStatic(
              openblas,
              "LAPACKE_dpotrf",
              MethodType.methodType(
                  int.class, int.class, byte.class, int.class, double[].class, int.class));
    } catch (ReflectiveOperationException | LinkageError e) {
      return null;
    }
  }
}
