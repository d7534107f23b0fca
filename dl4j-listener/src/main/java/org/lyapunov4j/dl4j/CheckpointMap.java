// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import org.lyapunov4j.dl4j.gram.OutputJacobian;
import org.lyapunov4j.exponent.TangentMap;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A = RᵀJ at the parameters of a checkpoint. */
final class CheckpointMap implements TangentMap {
  private final OutputJacobian jacobian;
  private final double[] parameters;
  private final double[] weights;

  CheckpointMap(OutputJacobian jacobian, double[] parameters, double[] weights) {
    this.jacobian = jacobian;
    this.parameters = parameters;
    this.weights = weights;
  }

  @Override
  public double[] outputs(double[] direction) {
    try (INDArray flat = Nd4j.createFromArray(parameters)) {
      return jacobian.outputs(flat, direction);
    }
  }

  @Override
  public double[] gradient(double[] outputs) {
    try (INDArray flat = Nd4j.createFromArray(parameters)) {
      return jacobian.gradient(flat, outputs);
    }
  }

  double[] parameters() {
    return parameters;
  }

  @Override
  public double[] weights() {
    return weights;
  }
}
