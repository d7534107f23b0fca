// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which rows of a matrix with a row for each example or position count: 1 or 0 each, or null where
 * all do.
 */
record RowMask(INDArray column) {
  static final RowMask ALL = new RowMask(null);

  /**
   * The mask of a feed-forward layer, from Deeplearning4j's, which is a column in the order t·N +
   * i.
   *
   * @param mask the layer's mask, or null
   * @param examples N
   */
  static RowMask ofLayer(INDArray mask, int examples, DataType type) {
    if (mask == null) {
      return ALL;
    }
    long positions = mask.length() / examples;
    return new RowMask(
        mask.castTo(type)
            .dup('c')
            .reshape('c', positions, examples)
            .transpose()
            .dup('c')
            .reshape('c', mask.length(), 1));
  }

  /** The array with the rows that do not count set to 0, for any number of stacked columns. */
  INDArray apply(INDArray array) {
    if (column == null) {
      return array;
    }
    INDArray result = array.dup('c');
    long rows = column.length();
    for (long k = 0; k < result.size(0) / rows; k++) {
      StackedColumns.get(result, rows, k).muliColumnVector(column);
    }
    return result;
  }

  /** Refuses entries other than 0 and 1: Deeplearning4j scales outputs, not losses, with them. */
  static INDArray requireBinary(INDArray mask, String what) {
    double[] entries = mask.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    for (double entry : entries) {
      if (entry != 0 && entry != 1) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "a %s mask must hold zeros and ones only, got %s; weight the loss instead",
                what,
                entry));
      }
    }
    return mask;
  }
}
