// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.ArrayList;
import java.util.List;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The ways to solve the dense symmetric eigenproblem, the fastest first, each for the case that
 * those before are wrong.
 *
 * <ol>
 *   <li>LAPACK's divide and conquer.
 *   <li>The same with its last step done by matrix products ({@link TridiagonalEigen}): as fast,
 *       and right where {@code dtrmm} alone is wrong, as in OpenBLAS 0.3.19 with AVX-512.
 *   <li>ND4J's {@code syev} (implicit QR), the only one on a backend without OpenBLAS; three times
 *       slower.
 *   <li>Hipparchus, in Java: right on every machine, and fifty times slower.
 * </ol>
 */
final class EigenRoutines {
  private EigenRoutines() {}

  static List<EigenRoutine> all() {
    List<EigenRoutine> routines = new ArrayList<>(ofTheLibrary());
    routines.add(new EigenRoutine("Hipparchus", EigenRoutines::hipparchus));
    return routines;
  }

  static List<EigenRoutine> ofTheLibrary() {
    List<EigenRoutine> routines = new ArrayList<>();
    if (OpenBlas.hasLapack()) {
      routines.add(new EigenRoutine("LAPACK's dsyevd", OpenBlas::dsyevd));
      routines.add(
          new EigenRoutine("LAPACK's dstedc with matrix products", TridiagonalEigen::decompose));
    }
    routines.add(new EigenRoutine("ND4J's syev", EigenRoutines::syev));
    return routines;
  }

  static double[] syev(double[] a, int m, boolean vectors) {
    try (INDArray matrix = Nd4j.create(DataType.DOUBLE, new long[] {m, m}, 'f');
        INDArray eigenvalues = Nd4j.create(DataType.DOUBLE, m)) {
      matrix.data().asNioDouble().put(a);
      char job = vectors ? 'V' : 'N';
      OpenBlas.requireSuccess(
          "syev", Nd4j.getBlasWrapper().lapack().syev(job, 'L', matrix, eigenvalues));
      matrix.data().asNioDouble().get(a);
      return eigenvalues.toDoubleVector();
    }
  }

  /**
   * Decomposes A + s I, s the largest |entry|, which is no larger than the largest |eigenvalue|:
   * Hipparchus 4.0.3 does not converge for some matrices with many eigenvalues near 0, since it
   * compares what it neglects with its neighbours on the diagonal.
   */
  static double[] hipparchus(double[] a, int m, boolean vectors) {
    double shift = 0;
    for (double entry : a) {
      shift = Math.max(shift, Math.abs(entry));
    }
    double[][] rows = new double[m][m];
    for (int i = 0; i < m; i++) {
      System.arraycopy(a, i * m, rows[i], 0, m);
      rows[i][i] += shift;
    }
    EigenDecompositionSymmetric eigen =
        new EigenDecompositionSymmetric(new Array2DRowRealMatrix(rows, false), 0, false);
    for (int k = 0; k < m && vectors; k++) {
      System.arraycopy(eigen.getEigenvector(k).toArray(), 0, a, k * m, m);
    }
    double[] eigenvalues = eigen.getEigenvalues();
    for (int k = 0; k < m; k++) {
      eigenvalues[k] -= shift;
    }
    return eigenvalues;
  }
}
