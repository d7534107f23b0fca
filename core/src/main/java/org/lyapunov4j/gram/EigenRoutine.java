// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

/**
 * One way to solve the dense symmetric eigenproblem. Its result is believed only after a check.
 *
 * @param name for people, such as {@code LAPACK's dsyevd}
 * @param solver does the work
 */
record EigenRoutine(String name, Solver solver) {
  /** Decomposes in place. */
  @FunctionalInterface
  interface Solver {
    /**
     * Decomposes in place.
     *
     * @param a m·m entries of a symmetric matrix; overwritten, with the orthonormal eigenvectors
     *     column by column if asked for
     * @param m its order
     * @param vectors whether eigenvectors are wanted
     * @return the m eigenvalues in ascending order
     * @throws RuntimeException if it does not converge
     */
    double[] decompose(double[] a, int m, boolean vectors);
  }
}
