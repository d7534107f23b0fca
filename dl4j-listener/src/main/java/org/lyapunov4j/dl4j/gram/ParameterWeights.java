// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A weight μ_p ≥ 0 for every parameter, which makes J Jᵀ into J diag(μ) Jᵀ. A parameter's weight is
 * found by its address: the weight of the array that a view of the flat parameters shows is the
 * same view of the flat weights, whatever order, shape or stride it has.
 */
final class ParameterWeights {
  /** All weights are 1. */
  static final ParameterWeights ONES = new ParameterWeights(null, null);

  private final INDArray parameters;
  private final INDArray weights;

  private ParameterWeights(INDArray parameters, INDArray weights) {
    this.parameters = parameters;
    this.weights = weights;
  }

  /**
   * Weights of the parameters.
   *
   * @param parameters the flat parameters that rules show views of
   * @param weights a flat array without gaps of the same length
   */
  static ParameterWeights of(INDArray parameters, INDArray weights) {
    return new ParameterWeights(parameters, weights);
  }

  /**
   * The block J √μ.
   *
   * @param block J
   * @param arrays the parameters of its columns
   * @return the block, or null if all its weights are 0
   */
  JacobianBlock apply(JacobianBlock block, INDArray... arrays) {
    if (weights == null) {
      return block;
    }
    double[] roots = flat(arrays).castTo(DataType.DOUBLE).toDoubleVector();
    if (roots.length != block.width()) {
      throw new IllegalStateException(
          "a block of " + block.width() + " columns names " + roots.length + " parameters");
    }
    for (int p = 0; p < roots.length; p++) {
      roots[p] = Math.sqrt(roots[p]);
    }
    return block.scaled(roots);
  }

  /** The weights of some parameters in the order of a block's columns. */
  INDArray flat(INDArray... arrays) {
    INDArray[] flat = new INDArray[arrays.length];
    for (int a = 0; a < flat.length; a++) {
      flat[a] = weightsOf(arrays[a]).dup('c').reshape(arrays[a].length());
    }
    return Nd4j.concat(0, flat);
  }

  /** Adds numbers in the order of a block's columns to the weights of its parameters. */
  void add(INDArray columns, INDArray... arrays) {
    long from = 0;
    for (INDArray array : arrays) {
      INDArray part = columns.get(NDArrayIndex.interval(from, from + array.length()));
      weightsOf(array).addi(part.dup('c').reshape('c', array.shape()));
      from += array.length();
    }
  }

  /** The same view of the weights as the array is of the parameters. */
  private INDArray weightsOf(INDArray array) {
    if (array.data().pointer().address() != parameters.data().pointer().address()) {
      throw new IllegalStateException("a block names an array that is no view of the parameters");
    }
    long offset = array.offset() - parameters.offset();
    return Nd4j.create(
        weights.data(),
        array.shape(),
        array.stride(),
        offset,
        array.ordering(),
        weights.dataType());
  }
}
