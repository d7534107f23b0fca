// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The layout of back-propagated arrays: columns·N rows, row k·N + i for column k of example i, in
 * 'c' order.
 */
final class Columns {
  private Columns() {}

  /** A view of column k, N rows. */
  static INDArray get(INDArray stacked, int examples, int k) {
    return stacked.get(NDArrayIndex.interval((long) k * examples, (long) (k + 1) * examples));
  }

  /**
   * Applies a map of N rows to each column and stacks the results. The map may overwrite its
   * argument.
   */
  static INDArray map(INDArray stacked, int examples, UnaryOperator<INDArray> map) {
    INDArray result = null;
    int columns = Math.toIntExact(stacked.size(0) / examples);
    for (int k = 0; k < columns; k++) {
      INDArray mapped = map.apply(get(stacked, examples, k).dup('c'));
      if (result == null) {
        long[] shape = mapped.shape().clone();
        shape[0] = stacked.size(0);
        result = Nd4j.createUninitialized(stacked.dataType(), shape, 'c');
      }
      get(result, examples, k).assign(mapped);
    }
    return result;
  }

  /** The same rows as a matrix in example-major order, row i·columns + k. */
  static INDArray exampleMajor(INDArray stacked, int examples) {
    long rows = stacked.size(0);
    long width = stacked.length() / rows;
    return stacked
        .reshape('c', rows / examples, examples, width)
        .permute(1, 0, 2)
        .dup('c')
        .reshape('c', rows, width);
  }

  /** The product x yᵀ of matrices in 'c' order, in 'c' order. */
  static INDArray timesTransposed(INDArray x, INDArray y) {
    INDArray transposed =
        Nd4j.createUninitialized(x.dataType(), new long[] {y.size(0), x.size(0)}, 'f');
    Nd4j.gemm(y, x, transposed, false, true, 1, 0);
    return transposed.transpose();
  }
}
