// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

/**
 * The factor κ_kl by which the second moment of an eigenvector pair (k, l) answers a unit source:
 *
 * <pre>
 *   κ(g, h) = weight·g·h / (constant + slope·(e + f) − curvature·e·f),   e = g − shift, f = h − shift
 * </pre>
 *
 * <p>The shift avoids cancellation where the denominator nearly vanishes at g = h = shift. If the
 * denominator is positive for g = h at both ends of the spectrum it is positive for all pairs, and
 * the matrix κ is positive semidefinite: with v = slope/√curvature − √curvature·e the denominator
 * is A − v_k v_l, so that 1/(A − v_k v_l) = Σ (v_k v_l)ⁿ/Aⁿ⁺¹ as soon as v² &lt; A.
 */
record PairKernel(double weight, double shift, double constant, double slope, double curvature) {
  double at(double g, double h) {
    double e = g - shift;
    double f = h - shift;
    return weight * g * h / (constant + slope * (e + f) - curvature * e * f);
  }

  /** target[k] ← times·κ(g_k, h) for k = from … to − 1; indexed alike, which is twice as fast. */
  void fill(double[] g, double h, double times, int from, int to, double[] target) {
    double f = h - shift;
    double numerator = times * weight * h;
    double atShift = constant + slope * f;
    double rise = slope - curvature * f;
    for (int k = from; k < to; k++) {
      target[k] = numerator * g[k] / (atShift + rise * (g[k] - shift));
    }
  }
}
