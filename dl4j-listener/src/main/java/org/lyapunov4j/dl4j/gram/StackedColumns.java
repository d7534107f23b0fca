// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.lyapunov4j.gram.MatrixProduct;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The layout of back-propagated arrays: the rows of column 0, of column 1, and so on, in 'c' order.
 */
final class StackedColumns {
  private StackedColumns() {}

  /** A view of block k of the given number of rows. */
  static INDArray get(INDArray stacked, long rows, long k) {
    return stacked.get(NDArrayIndex.interval(k * rows, (k + 1) * rows));
  }

  /** A view of blocks from … to − 1 of the given number of rows. */
  static INDArray get(INDArray stacked, long rows, long from, long to) {
    return stacked.get(NDArrayIndex.interval(from * rows, to * rows));
  }

  /** A copy of some blocks of rows. */
  static INDArray select(INDArray stacked, long rows, int[] which) {
    INDArray[] blocks = new INDArray[which.length];
    for (int b = 0; b < blocks.length; b++) {
      blocks[b] = get(stacked, rows, which[b]);
    }
    return Nd4j.concat(0, blocks).dup('c');
  }

  /**
   * Applies a map to each block of rows and stacks the results. The map may overwrite its argument.
   */
  static INDArray map(INDArray stacked, long rows, UnaryOperator<INDArray> map) {
    long columns = stacked.size(0) / rows;
    if (columns == 1) {
      return packed(map.apply(stacked.dup('c')));
    }
    INDArray result = null;
    for (long k = 0; k < columns; k++) {
      INDArray mapped = map.apply(get(stacked, rows, k).dup('c'));
      if (result == null) {
        long[] shape = mapped.shape().clone();
        shape[0] *= columns;
        result = Nd4j.createUninitialized(stacked.dataType(), shape, 'c');
      }
      get(result, mapped.size(0), k).assign(mapped);
    }
    return result;
  }

  /**
   * The rows of stacked columns, k·N + i, in example-major order, i·K + k; several rows of an
   * example stay together. The array itself if there is one column.
   */
  static INDArray exampleMajor(INDArray stacked, int examples, int columns) {
    INDArray source = packed(stacked);
    if (columns == 1) {
      return source;
    }
    INDArray result = Nd4j.createUninitialized(source.dataType(), source.shape(), 'c');
    long bytes = source.length() / columns / examples * source.dataType().width();
    Pointer from = new BytePointer(source.data().addressPointer());
    Pointer to = new BytePointer(result.data().addressPointer());
    for (long i = 0; i < examples; i++) {
      for (long k = 0; k < columns; k++) {
        Pointer.memcpy(
            to.position((i * columns + k) * bytes),
            from.position((k * examples + i) * bytes),
            bytes);
      }
    }
    return result;
  }

  /** An array in 'c' order without gaps: itself if it is that already. */
  static INDArray packed(INDArray array) {
    return Shape.hasDefaultStridesForShape(array) ? array : array.dup('c');
  }

  /** The product x yᵀ of matrices, in 'c' order. */
  static INDArray timesTransposed(INDArray x, INDArray y) {
    return timesTransposed(MatrixProduct.series(), x, y);
  }

  /** The next product x yᵀ of a series. */
  static INDArray timesTransposed(MatrixProduct series, INDArray x, INDArray y) {
    INDArray transposed =
        Nd4j.createUninitialized(x.dataType(), new long[] {y.size(0), x.size(0)}, 'f');
    series.next(y, x, transposed, false, true);
    return transposed.transpose();
  }

  /** The product x y of matrices, in 'c' order. */
  static INDArray times(INDArray x, INDArray y) {
    return times(MatrixProduct.series(), x, y);
  }

  /** The next product x y of a series. */
  static INDArray times(MatrixProduct series, INDArray x, INDArray y) {
    INDArray transposed =
        Nd4j.createUninitialized(x.dataType(), new long[] {y.size(1), x.size(0)}, 'f');
    series.next(y, x, transposed, true, true);
    return transposed.transpose();
  }
}
