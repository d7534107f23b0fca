// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Compares G x, for one Gaussian x and in Java, with J(Jᵀx), which needs no product of m rows by m
 * columns and costs a pass over the blocks.
 *
 * <p>An error E of G shows as ‖E x‖, about ‖E‖_F. Rounding in sums of any order is within some units
 * of u·tr G, u the unit roundoff: |E_ij| is of the order u‖J_i‖‖J_j‖. Of a matrix of full rank, whose
 * ‖G‖_F may be as small as tr G/√m, errors of a thousandth show in float for m up to 200, and gross
 * ones for any m.
 */
final class GramCheck {
  /** In units of u·tr G. */
  private static final double TOLERANCE = 1000;

  private final double[] x;
  private final double[] sum;
  private final INDArray vector;

  GramCheck(int m, DataType type) {
    RandomStream random = new RandomStream(m);
    x = new double[m];
    sum = new double[m];
    for (int i = 0; i < m; i++) {
      x[i] = (float) random.nextGaussian(); // the same number in either type
    }
    vector = Nd4j.createFromArray(x).castTo(type);
  }

  /** Adds J(Jᵀx) of a block. */
  void add(JacobianBlock block) {
    double[] part = block.gramTimes(vector).castTo(DataType.DOUBLE).data().asDouble();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += part[i];
    }
  }

  /** Whether G agrees with the blocks that were added. */
  boolean accepts(GramMatrix gram, double unitRoundoff) {
    double[] image = new double[x.length];
    gram.multiply(x, image);
    double squares = 0;
    for (int i = 0; i < sum.length; i++) {
      squares += (image[i] - sum[i]) * (image[i] - sum[i]);
    }
    if (System.getenv("GRAMCHECK") != null) {
      System.err.println("GRAMCHECK " + Math.sqrt(squares) / (unitRoundoff * gram.trace()) + " m=" + x.length+" u="+unitRoundoff);
    }
    return Math.sqrt(squares) <= TOLERANCE * unitRoundoff * gram.trace();
  }
}
