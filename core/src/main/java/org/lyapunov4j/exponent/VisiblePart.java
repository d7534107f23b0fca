// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;

/**
 * What the outputs of a frame see of a direction. Where it is but a tiny part of it, rounding of A
 * v counts, and the direction goes on without the rest.
 */
final class VisiblePart {
  private final TangentMap map;
  private final GramMatrix gram;
  private final int exponent;
  private final double tolerance;

  /**
   * @param tolerance ‖A v‖ over its bound √trace G ‖v‖ at which v is cut
   */
  VisiblePart(TrajectoryExponent.Frame frame, double tolerance) {
    map = frame.map();
    gram = frame.gram().normalised();
    exponent = frame.gram().exponent();
    this.tolerance = tolerance;
  }

  /**
   * The direction to go on with.
   *
   * @param v the direction
   * @param r A v; rounding outside the range of A is removed from it where v is cut
   * @return v, or μ Aᵀ w with A μ Aᵀ w = r
   */
  double[] of(double[] v, double[] r) {
    double seen = Math.sqrt(Vectors.dot(r, r));
    if (!(seen > 0 && seen < tolerance * Math.sqrt(gram.trace()) * length(v))) {
      return v;
    }
    double[] w = new double[r.length];
    new RangeProjection(gram).apply(r, w);
    if (Vectors.dot(w, w) == 0) {
      return v;
    }
    Vectors.scale(w, Math.scalb(1.0, -exponent));
    return Weights.times(map, map.gradient(w));
  }

  /** √(2ᵏ Σ v²/μ), so that with the trace of 2⁻ᵏ G nothing overflows. */
  private double length(double[] direction) {
    double[] weights = map.weights();
    double half = Math.scalb(1.0, exponent / 2);
    double rest = Math.scalb(1.0, exponent % 2);
    double squares = 0;
    for (int i = 0; i < direction.length; i++) {
      double weight = weights == null ? 1 : weights[i];
      double entry = half * direction[i];
      squares += weight > 0 ? rest * entry * (entry / weight) : 0;
    }
    return Math.sqrt(squares);
  }
}
