// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * Where the backward sweep starts: column k of example i with R_i e_k, or with e_k for the plain
 * kernel.
 */
final class Seeds {
  private Seeds() {}

  /** The seeds in the layout of {@link Columns}. */
  static INDArray of(
      INDArray f,
      INDArray labels,
      LossCurvature curvature,
      ILossFunction loss,
      Weighting weighting) {
    if (!Arrays.equals(f.shape(), labels.shape())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "labels must have the shape of the output %s, got %s",
              Arrays.toString(f.shape()),
              Arrays.toString(labels.shape())));
    }
    int examples = (int) f.size(0);
    int outputs = (int) f.size(1);
    double[][] outputRows = f.castTo(DataType.DOUBLE).toDoubleMatrix();
    double[][] labelRows = labels.toDoubleMatrix();
    double[] weights = LossCurvature.weights(loss);
    double[][] seeds = new double[outputs * examples][outputs];
    for (int i = 0; i < examples; i++) {
      double[][] r = new double[outputs][outputs];
      if (weighting == Weighting.CURVATURE) {
        curvature.factor(outputRows[i], labelRows[i], weights, r);
      } else {
        for (int k = 0; k < outputs; k++) {
          r[k][k] = 1;
        }
      }
      for (int k = 0; k < outputs; k++) {
        for (int l = 0; l < outputs; l++) {
          seeds[k * examples + i][l] = r[l][k];
        }
      }
    }
    return Nd4j.createFromArray(seeds).castTo(f.dataType());
  }
}
