// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.function.UnaryOperator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.NativeLibrary;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Compares G x, for one Gaussian x and in Java, with J(Jᵀx), which needs no product of m rows by m
 * columns and costs a pass over the blocks.
 *
 * <p>An error E of G shows as ‖E x‖, about ‖E‖_F. Rounding makes |E_ij| of the order of
 * u‖J_i‖‖J_j‖, u the unit roundoff, and ‖E‖_F some units of u·tr G. Since ‖G‖_F ≥ tr G/√m, errors
 * from 10⁻⁵√m of ‖G‖_F on are found in float, and from 10⁻¹⁴√m on in double.
 */
final class ProductCheck {
  /** In units of u·tr G. Right matrices were within 5 for all layers tested and 2 for m = 1000. */
  private static final double TOLERANCE = 100;

  private final double[] x;
  private final double[] sum;
  private final INDArray vector;

  ProductCheck(int m, DataType type) {
    x = gaussian(m, new RandomStream(m));
    sum = new double[m];
    vector = Nd4j.createFromArray(x).castTo(type);
  }

  /** The same numbers in either type. */
  private static double[] gaussian(int m, RandomStream random) {
    double[] x = new double[m];
    for (int i = 0; i < m; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** Adds J(Jᵀx) of a block. */
  void add(JacobianBlock block) {
    double[] part = block.gramTimes(vector).castTo(DataType.DOUBLE).data().asDouble();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += part[i];
    }
  }

  /** Whether the network's derivatives are numbers. */
  boolean isFinite() {
    return Double.isFinite(dot(sum, sum));
  }

  /** Whether G agrees with the blocks that were added. */
  boolean accepts(GramMatrix gram, double unitRoundoff) {
    double[] image = new double[x.length];
    gram.multiply(x, image);
    double squares = 0;
    for (int i = 0; i < sum.length; i++) {
      squares += (image[i] - sum[i]) * (image[i] - sum[i]);
    }
    return Math.sqrt(squares) <= TOLERANCE * unitRoundoff * gram.trace();
  }

  /**
   * Refuses an operator whose products are not those of a symmetric matrix, by |xᵀ(G y) − yᵀ(G x)|:
   * J and Jᵀ are multiplied with by different code.
   */
  static void requireSymmetric(NtkOperator operator, double unitRoundoff) {
    requireSymmetric(operator::multiply, operator.size(), unitRoundoff);
  }

  static void requireSymmetric(UnaryOperator<double[]> product, int m, double unitRoundoff) {
    RandomStream random = new RandomStream(m);
    double[] x = gaussian(m, random);
    double[] y = gaussian(m, random);
    double[] gx = product.apply(x);
    double[] gy = product.apply(y);
    double gap = Math.abs(dot(x, gy) - dot(y, gx));
    double scale = Math.sqrt(dot(x, x) * dot(gy, gy)) + Math.sqrt(dot(y, y) * dot(gx, gx));
    if (gap > TOLERANCE * unitRoundoff * Math.sqrt(m) * scale) {
      String fault = "products with the Gram matrix were not symmetric: " + gap + " of " + scale;
      NativeLibrary.warn(fault);
      throw new IllegalStateException(fault + "; " + NativeLibrary.REMEDY);
    }
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}
