// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The dense symmetric eigenproblem, by LAPACK.
 *
 * <p>ND4J offers only {@code syev} (implicit QR), three times slower with eigenvectors than divide
 * and conquer ({@code dsyevd}), which is in the OpenBLAS that ND4J's CPU backend loads anyway. That
 * class is looked up at run time, so that this module depends on nd4j-api only; on another backend
 * ND4J's own routine does the work.
 */
final class SymmetricEigen {
  private static final int COLUMN_MAJOR = 102;
  private static final MethodHandle DSYEVD = findDsyevd();

  private SymmetricEigen() {}

  /**
   * Decomposes in place.
   *
   * @param a m·m entries of a symmetric matrix; overwritten, with the orthonormal eigenvectors
   *     column by column if asked for
   * @param m its order
   * @param vectors whether eigenvectors are wanted
   * @return the m eigenvalues in ascending order
   */
  static double[] decompose(double[] a, int m, boolean vectors) {
    return DSYEVD == null ? syev(a, m, vectors) : dsyevd(a, m, vectors);
  }

  private static double[] dsyevd(double[] a, int m, boolean vectors) {
    double[] eigenvalues = new double[m];
    byte job = (byte) (vectors ? 'V' : 'N');
    int info;
    try {
      info = (int) DSYEVD.invokeExact(COLUMN_MAJOR, job, (byte) 'L', m, a, m, eigenvalues);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("LAPACK dsyevd could not be called", e);
    }
    requireSuccess("dsyevd", info);
    return eigenvalues;
  }

  static double[] syev(double[] a, int m, boolean vectors) {
    try (INDArray matrix = Nd4j.create(DataType.DOUBLE, new long[] {m, m}, 'f');
        INDArray eigenvalues = Nd4j.create(DataType.DOUBLE, m)) {
      matrix.data().asNioDouble().put(a);
      char job = vectors ? 'V' : 'N';
      requireSuccess("syev", Nd4j.getBlasWrapper().lapack().syev(job, 'L', matrix, eigenvalues));
      matrix.data().asNioDouble().get(a);
      return eigenvalues.toDoubleVector();
    }
  }

  private static void requireSuccess(String routine, int info) {
    if (info != 0) {
      throw new IllegalStateException(
          "LAPACK " + routine + " did not converge (info " + info + "); check the Gram matrix");
    }
  }

  private static MethodHandle findDsyevd() {
    try {
      Class<?> openblas = Class.forName("org.bytedeco.openblas.global.openblas");
      return MethodHandles.publicLookup()
          .findStatic(
              openblas,
              "LAPACKE_dsyevd",
              MethodType.methodType(
                  int.class,
                  int.class,
                  byte.class,
                  byte.class,
                  int.class,
                  double[].class,
                  int.class,
                  double[].class));
    } catch (ReflectiveOperationException | LinkageError e) {
      return null;
    }
  }
}
