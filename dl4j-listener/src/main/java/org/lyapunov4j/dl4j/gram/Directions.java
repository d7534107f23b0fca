// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Unit vectors ŵ_u of the columns of a Jacobian block, no two of which share a column: those that Π
 * = I − Σ_u ŵ_u ŵ_uᵀ takes out.
 */
final class Directions {
  private final int[] vectorOf;
  private final double[] values;
  private final int count;

  /**
   * Unit vectors.
   *
   * @param vectorOf the number u ≥ 1 of the vector of each column, 0 for none
   * @param values the entry of that vector, 0 for none
   * @param count the largest number
   */
  Directions(int[] vectorOf, double[] values, int count) {
    this.vectorOf = vectorOf;
    this.values = values;
    this.count = count;
  }

  /** Πx in the shape of x. */
  INDArray project(INDArray x) {
    double[] projected = x.dup('c').castTo(DataType.DOUBLE).data().asDouble();
    double[] products = new double[count + 1];
    for (int p = 0; p < projected.length; p++) {
      products[vectorOf[p]] += values[p] * projected[p];
    }
    for (int p = 0; p < projected.length; p++) {
      projected[p] -= values[p] * products[vectorOf[p]];
    }
    return Nd4j.createFromArray(projected).castTo(x.dataType()).reshape('c', x.shape());
  }

  /** The products J ŵ_u, one row of m for each u; the first row is that of no vector, 0. */
  INDArray images(JacobianBlock block) {
    long rows = (long) block.examples() * block.columns();
    INDArray images = null;
    for (int u = 1; u <= count; u++) {
      double[] direction = new double[values.length];
      for (int p = 0; p < direction.length; p++) {
        direction[p] = vectorOf[p] == u ? values[p] : 0;
      }
      INDArray image = block.outputs(Nd4j.createFromArray(direction).castTo(type(block)));
      if (images == null) {
        images = Nd4j.zeros(image.dataType(), count + 1L, rows);
      }
      images.putRow(u, image.reshape(rows));
    }
    return images;
  }

  private static DataType type(JacobianBlock block) {
    if (block instanceof JacobianBlock.Rows rows) {
      return rows.jacobian().dataType();
    }
    return block instanceof JacobianBlock.Weighted weighted
        ? weighted.outer().deltas().dataType()
        : ((JacobianBlock.Outer) block).deltas().dataType();
  }

  /**
   * Turns some columns of J into those of J Π.
   *
   * @param jacobian m × some columns
   * @param columns which they are
   * @param images as {@link #images} gives them
   */
  void take(INDArray jacobian, int[] columns, INDArray images) {
    int[] of = new int[columns.length];
    double[] factors = new double[columns.length];
    for (int c = 0; c < columns.length; c++) {
      of[c] = vectorOf[columns[c]];
      factors[c] = values[columns[c]];
    }
    INDArray out = Nd4j.pullRows(images, 1, of);
    INDArray column = Nd4j.createFromArray(factors).castTo(out.dataType());
    jacobian.subi(out.muliColumnVector(column).transpose());
    out.close();
  }
}
