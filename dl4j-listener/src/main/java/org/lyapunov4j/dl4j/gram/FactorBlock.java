// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;

/**
 * The derivatives with respect to one group of parameters as {@link JacobianBlock}, of all
 * examples, in plain arrays, for products with the rows of some of them.
 */
interface FactorBlock {
  /**
   * Adds the next chunk of examples; the block has the shape of the first.
   *
   * @param rows how many rows each example of the chunk has; the others, which are 0, are left out
   */
  void add(JacobianBlock chunk, int[] rows);

  /** The number of parameters. */
  int width();

  /** Bytes in the heap. */
  long bytes();

  /** Bytes of all examples that only save time. */
  default long spare() {
    return 0;
  }

  /** Flops of products with the rows of one example and their transpose, on average. */
  double flopsPerExample();

  /**
   * Products, with memory of their own.
   *
   * @param columns K
   * @param largest the most examples at a time
   */
  Part part(int columns, int largest);

  /** Products with the rows of the examples selected last. */
  interface Part {
    /** Selects some examples. */
    void select(int[] examples, int count);

    /** u_j += J_S z_j for z_j from {@code at} on. */
    void addOutputs(double[][] z, int at, double[][] u);

    /** z_j += J_Sᵀ u_j from {@code at} on. */
    void addGradient(double[][] u, double[][] z, int at);

    /**
     * Adds J_i J_iᵀ of the only example that is selected, K × K numbers, row by row.
     *
     * @param z scratch for the numbers of the block's width
     */
    default void addBlock(int columns, int width, double[] z, double[] block) {
      double[][] one = {z};
      double[][] u = {new double[columns]};
      for (int k = 0; k < columns; k++) {
        Arrays.fill(z, 0, width, 0);
        Arrays.fill(u[0], 0);
        u[0][k] = 1;
        addGradient(u, one, 0);
        u[0][k] = 0;
        addOutputs(one, 0, u);
        for (int l = 0; l < columns; l++) {
          block[k * columns + l] += u[0][l];
        }
      }
    }
  }

  /** Products that gain nothing by taking several vectors at once. */
  interface SinglePart extends Part {
    /** As for several vectors. */
    void addOutputs(double[] z, int at, double[] u);

    /** As for several vectors. */
    void addGradient(double[] u, double[] z, int at);

    @Override
    default void addOutputs(double[][] z, int at, double[][] u) {
      for (int j = 0; j < z.length; j++) {
        addOutputs(z[j], at, u[j]);
      }
    }

    @Override
    default void addGradient(double[][] u, double[][] z, int at) {
      for (int j = 0; j < z.length; j++) {
        addGradient(u[j], z[j], at);
      }
    }
  }

  /**
   * The form a block is kept in.
   *
   * @param first its first chunk
   * @param examples N of all chunks
   * @param spare bytes of all examples that may be taken where they save time only
   */
  static FactorBlock of(JacobianBlock first, int examples, long spare) {
    if (first instanceof JacobianBlock.Weighted weighted) {
      return new WeightedFactors(of(weighted.outer(), examples, spare), weighted);
    }
    if (first instanceof JacobianBlock.Lookup) {
      return new LookupFactors();
    }
    if (first instanceof JacobianBlock.Outer outer && !RowFactors.suit(outer, examples, spare)) {
      return new OuterFactors(outer);
    }
    return new RowFactors(first, examples, spare);
  }
}
