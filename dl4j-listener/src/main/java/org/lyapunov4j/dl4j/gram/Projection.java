// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** {@link FixedNorms} of a replica's parameters, block by block. */
final class Projection {
  /** All parameters are free. */
  static final Projection NONE = new Projection(null, null);

  private final ParameterWeights numbers;
  private final int[] sizes;

  private Projection(ParameterWeights numbers, int[] sizes) {
    this.numbers = numbers;
    this.sizes = sizes;
  }

  /**
   * The projection at the parameters that the replica has.
   *
   * @param norms of its parameters
   */
  static Projection of(Replica replica, FixedNorms norms) {
    return new Projection(replica.viewsOf(Nd4j.createFromArray(norms.numbers())), norms.sizes());
  }

  /**
   * The block J Π.
   *
   * @param block J, weighted alike in each vector
   * @param arrays the parameters of its columns
   */
  JacobianBlock apply(JacobianBlock block, INDArray... arrays) {
    if (sizes == null) {
      return block;
    }
    double[] vectors = numbers.flat(arrays).toDoubleVector();
    double[] squares = new double[sizes.length];
    int[] found = new int[sizes.length];
    double[] values = values(arrays);
    for (int p = 0; p < vectors.length; p++) {
      squares[(int) vectors[p]] += values[p] * values[p];
      found[(int) vectors[p]]++;
    }
    int[] local = new int[sizes.length];
    int count = 0;
    for (int u = 1; u < sizes.length; u++) {
      if (found[u] > 0) {
        requireWhole(block, found[u], sizes[u]);
        local[u] = ++count;
      }
    }
    if (count == 0) {
      return block;
    }
    int[] vectorOf = new int[vectors.length];
    double[] directions = new double[vectors.length];
    for (int p = 0; p < vectors.length; p++) {
      int u = (int) vectors[p];
      vectorOf[p] = local[u];
      directions[p] = local[u] > 0 && squares[u] > 0 ? values[p] / Math.sqrt(squares[u]) : 0;
    }
    return JacobianBlock.Projected.of(block, new Directions(vectorOf, directions, count));
  }

  private static double[] values(INDArray... arrays) {
    INDArray[] flat = new INDArray[arrays.length];
    for (int a = 0; a < flat.length; a++) {
      flat[a] = arrays[a].dup('c').reshape(arrays[a].length());
    }
    return Nd4j.concat(0, flat).castTo(DataType.DOUBLE).toDoubleVector();
  }

  private static void requireWhole(JacobianBlock block, int found, int size) {
    if (found != size || block instanceof JacobianBlock.Lookup) {
      throw UnsupportedModelException.of(
          "a largest norm is reached by weights that are not kept together here, as those of an"
              + " embedding or of peepholes",
          "raise the largest norm or set none for this layer");
    }
  }
}
