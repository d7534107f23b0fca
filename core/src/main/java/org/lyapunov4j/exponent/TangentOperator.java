// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/**
 * The derivative J of the outputs of N examples, K each, with respect to P parameters, weighted as
 * the Gram matrix G = J Jᵀ is: m × P, m = N·K, row i·K + k belongs to output k of example i. Only
 * products of the rows of some examples are asked for, so that neither J nor G need exist.
 *
 * <p>Immutable and safe for several threads; each takes {@link #products} of its own.
 */
public interface TangentOperator {
  /**
   * The number of examples.
   *
   * @return N
   */
  int examples();

  /**
   * The number of outputs of each example.
   *
   * @return K
   */
  int outputs();

  /**
   * The number of parameters.
   *
   * @return P
   */
  int dimension();

  /**
   * What one example costs in a step, products with its rows and with their transpose together.
   *
   * @return flops, about
   */
  double flopsPerExample();

  /**
   * What computes products, with memory of its own.
   *
   * @param largestBatch the most examples of a selection, at least 1
   * @return products for one thread at a time
   */
  Products products(int largestBatch);

  /** Products with the rows of the examples that were selected last. */
  interface Products {
    /**
     * Selects examples.
     *
     * @param examples their numbers first; one that occurs twice counts twice
     * @param count how many there are
     */
    void select(int[] examples, int count);

    /**
     * The product u = J_S z.
     *
     * @param z length P; not modified
     * @param u receives K numbers for each selected example, in their order
     */
    void outputs(double[] z, double[] u);

    /**
     * Adds J_Sᵀ u.
     *
     * @param u K numbers for each selected example; not modified
     * @param z length P; the product is added to it
     */
    void addGradient(double[] u, double[] z);

    /**
     * What an example has with itself, J_i J_iᵀ.
     *
     * @param block receives K × K numbers of the only example that is selected, row by row
     */
    void block(double[] block);

    /**
     * The products u_j = J_S z_j; what is read of the examples is read once for all where that is
     * sooner. Each is, bit for bit, the one that it would be alone.
     *
     * @param z vectors of length P; not modified
     * @param u as many, of which each receives K numbers for each selected example
     */
    default void outputs(double[][] z, double[][] u) {
      for (int j = 0; j < z.length; j++) {
        outputs(z[j], u[j]);
      }
    }

    /**
     * Adds J_Sᵀ u_j to each z_j, as {@link #outputs(double[][], double[][])} does it.
     *
     * @param u vectors of K numbers for each selected example; not modified
     * @param z as many, of length P; the products are added to them
     */
    default void addGradient(double[][] u, double[][] z) {
      for (int j = 0; j < z.length; j++) {
        addGradient(u[j], z[j]);
      }
    }
  }
}
