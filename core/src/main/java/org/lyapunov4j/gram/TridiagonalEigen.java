// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The steps of LAPACK's {@code dsyevd} one by one, A = H T Hᵀ (dsytrd), T = S Λ Sᵀ (dstedc), but
 * the last, Q = H S, by matrix products instead of {@code dormtr}, which needs {@code dtrmm}.
 *
 * <p>H is a product of reflections I − τvvᵀ. A group of them is I − V T Vᵀ with T upper triangular,
 * so that Q ← Q − V (T (VᵀQ)).
 *
 * <p>Source: R. Schreiber, C. Van Loan, SIAM J. Sci. Stat. Comput. 10 (1989), 53 (compact WY).
 */
final class TridiagonalEigen {
  private static final int GROUP = 32;

  private TridiagonalEigen() {}

  static double[] decompose(double[] a, int m, boolean vectors) {
    double[] eigenvalues = new double[m];
    double[] offDiagonal = new double[Math.max(1, m - 1)];
    double[] tau = new double[Math.max(1, m - 1)];
    OpenBlas.dsytrd(a, m, eigenvalues, offDiagonal, tau);
    double[] ofTridiagonal = vectors ? new double[m * m] : null;
    OpenBlas.dstedc(eigenvalues, offDiagonal, ofTridiagonal);
    if (vectors) {
      transformBack(a, tau, ofTridiagonal, m);
    }
    return eigenvalues;
  }

  /** Replaces the reflectors in a by the eigenvectors. */
  @SuppressWarnings("try") // the workspace scope is only opened and closed
  private static void transformBack(double[] a, double[] tau, double[] ofTridiagonal, int m) {
    try (MemoryWorkspace outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
        INDArray q = matrix(m, m, ofTridiagonal)) {
      for (int from = (m - 2) / GROUP * GROUP; from >= 0 && m > 1; from -= GROUP) {
        int count = Math.min(GROUP, m - 1 - from);
        double[] v = reflectors(a, m, from, count);
        try (INDArray left = matrix(m, count, v);
            INDArray t = matrix(count, count, triangle(v, m, tau, from, count));
            INDArray w = empty(count, m);
            INDArray tw = empty(count, m)) {
          Nd4j.gemm(left, q, w, true, false, 1, 0);
          Nd4j.gemm(t, w, tw, false, false, 1, 0);
          Nd4j.gemm(left, tw, q, false, false, -1, 1);
        }
      }
      q.data().asNioDouble().get(a);
    }
  }

  /** V column by column: zeros, a one, and what dsytrd left below the subdiagonal. */
  private static double[] reflectors(double[] a, int m, int from, int count) {
    double[] v = new double[m * count];
    for (int c = 0; c < count; c++) {
      int first = from + c + 1;
      v[c * m + first] = 1;
      int rest = m - first - 1;
      System.arraycopy(a, (from + c) * m + first + 1, v, c * m + first + 1, rest);
    }
    return v;
  }

  /** T column by column: T_jj = τ_j, and above it −τ_j T Vᵀv_j. */
  private static double[] triangle(double[] v, int m, double[] tau, int from, int count) {
    double[] t = new double[count * count];
    double[] overlaps = new double[count];
    for (int j = 0; j < count; j++) {
      for (int i = 0; i < j; i++) {
        double sum = 0;
        for (int r = 0; r < m; r++) {
          sum += v[i * m + r] * v[j * m + r];
        }
        overlaps[i] = sum;
      }
      for (int i = 0; i < j; i++) {
        double sum = 0;
        for (int k = i; k < j; k++) {
          sum += t[k * count + i] * overlaps[k];
        }
        t[j * count + i] = -tau[from + j] * sum;
      }
      t[j * count + j] = tau[from + j];
    }
    return t;
  }

  private static INDArray matrix(int rows, int columns, double[] entries) {
    INDArray matrix = empty(rows, columns);
    matrix.data().asNioDouble().put(entries);
    return matrix;
  }

  private static INDArray empty(int rows, int columns) {
    return Nd4j.createUninitialized(DataType.DOUBLE, new long[] {rows, columns}, 'f');
  }
}
