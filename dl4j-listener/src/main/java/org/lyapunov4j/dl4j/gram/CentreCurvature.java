// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Centre loss, ℓ = ℓ(z) + (λ/2)‖f − c_y‖², in the variable (f, z): the Hessian is blockdiag(λ I,
 * ∂²ℓ/∂z²). The centres c stand still; in training they take steps of their own, (α/B) of what they
 * are off.
 *
 * @param loss of z
 * @param weight λ
 * @param centres one in each row, a view of the layer's parameters
 */
record CentreCurvature(Curvature loss, double weight, INDArray centres) implements Curvature {
  @Override
  public boolean overLogits() {
    return loss.overLogits();
  }

  @Override
  public boolean labelsFitOutputs() {
    return loss.labelsFitOutputs();
  }

  @Override
  public int variables(int outputs) {
    return (int) centres.size(1) + outputs;
  }

  @Override
  public Rows at(double[][] f, double[][] y, double[] w) {
    int features = (int) centres.size(1);
    double[][] z =
        Arrays.stream(f)
            .map(row -> Arrays.copyOfRange(row, features, row.length))
            .toArray(double[][]::new);
    Rows ofOutput = loss.at(z, y, w);
    double[][] places = centres.castTo(DataType.DOUBLE).toDoubleMatrix();
    double root = Math.sqrt(weight);
    return new Rows() {
      @Override
      public void factor(int row, double[][] r) {
        double[][] part = new double[z[row].length][z[row].length];
        ofOutput.factor(row, part);
        for (int j = 0; j < features; j++) {
          r[j][j] = root;
        }
        for (int k = 0; k < part.length; k++) {
          System.arraycopy(part[k], 0, r[features + k], features, part.length);
        }
      }

      @Override
      public void residual(int row, double[] e, double[] losses) {
        double[] part = new double[z[row].length];
        double[] terms = new double[z[row].length];
        ofOutput.residual(row, part, terms);
        System.arraycopy(part, 0, e, features, part.length);
        System.arraycopy(terms, 0, losses, features, terms.length);
        double scale = loss instanceof GradientOnly ? weight : root;
        for (int j = 0; j < features; j++) {
          double off = f[row][j];
          for (int k = 0; k < places.length; k++) {
            off -= y[row][k] * places[k][j];
          }
          e[j] = scale * off;
          losses[j] = weight / 2 * off * off;
        }
      }

      @Override
      public double droppedShare() {
        return ofOutput.droppedShare();
      }
    };
  }
}
