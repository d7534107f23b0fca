// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/** The weights μ of a tangent map on directions of the parameters. */
final class Weights {
  private Weights() {}

  /** μ·x, a new array. */
  static double[] times(TangentMap map, double[] x) {
    return times(map.weights(), x);
  }

  /** μ·x, a new array; μ = null for ones. */
  static double[] times(double[] weights, double[] x) {
    double[] product = x.clone();
    for (int i = 0; weights != null && i < product.length; i++) {
      product[i] *= weights[i];
    }
    return product;
  }

  /** x/μ, a new array; 0 where μ is. */
  static double[] over(TangentMap map, double[] x) {
    return over(map.weights(), x);
  }

  /** x/μ, a new array; 0 where μ is; μ = null for ones. */
  static double[] over(double[] weights, double[] x) {
    double[] quotient = x.clone();
    for (int i = 0; weights != null && i < quotient.length; i++) {
      quotient[i] = weights[i] > 0 ? quotient[i] / weights[i] : 0;
    }
    return quotient;
  }
}
