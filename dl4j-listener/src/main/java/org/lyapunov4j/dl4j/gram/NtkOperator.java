// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The Gram matrix G of a tangent kernel as a map v ↦ G v = Σ_l J_l (J_lᵀ v). It holds the inputs
 * and the back-propagated derivatives of every layer, about N·p + m·q numbers for a dense layer of
 * p inputs and q outputs, instead of m² entries, and a product takes one pass over them. Exact up
 * to rounding in the type of the parameters.
 */
public final class NtkOperator {
  private final List<JacobianBlock> blocks;
  private final int examples;
  private final int outputs;
  private final DataType type;

  NtkOperator(List<JacobianBlock> blocks, int examples, int outputs, DataType type) {
    this.blocks = List.copyOf(blocks);
    this.examples = examples;
    this.outputs = outputs;
    this.type = type;
  }

  /**
   * The number of examples.
   *
   * @return N
   */
  public int examples() {
    return examples;
  }

  /**
   * The number of outputs per example.
   *
   * @return K
   */
  public int outputs() {
    return outputs;
  }

  /**
   * The number of rows.
   *
   * @return m = N·K
   */
  public int size() {
    return examples * outputs;
  }

  /**
   * A product.
   *
   * @param v length m, example-major; not modified
   * @return G v, a new array
   * @throws IllegalArgumentException if the length is not m
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public double[] multiply(double[] v) {
    if (v.length != size()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "the vector must have the length m = %d, got %d", size(), v.length));
    }
    try (Isolation isolation = Isolation.begin()) {
      INDArray vector = Nd4j.createFromArray(v).castTo(type);
      double[] sum = new double[v.length];
      for (JacobianBlock block : blocks) {
        double[] part = block.gramTimes(vector).castTo(DataType.DOUBLE).data().asDouble();
        for (int r = 0; r < sum.length; r++) {
          sum[r] += part[r];
        }
      }
      return sum;
    }
  }
}
