// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.RealMatrix;

/**
 * The Collatz–Wielandt upper bound of a positive map R: if D is positive definite, the spectral
 * radius is at most the largest eigenvalue of the pencil (R(D), D). For blocks of one row it is max
 * R(D)_i/D_i.
 *
 * <p>An approximate Perron matrix may fail to be positive where it is small, so multiples τ of the
 * identity are added, R(D + τI) = R(D) + τR(I); every τ gives a valid bound and the best is taken.
 */
final class PencilBound {
  private static final double LEAST_SHIFT = 1e-13;
  private static final double SHIFT_FACTOR = 100;
  private static final int SHIFTS = 7;

  private final double[] source;
  private final double[] image;
  private final double[] imageOfIdentity;
  private final int outputs;

  PencilBound(double[] source, double[] image, double[] imageOfIdentity, int outputs) {
    this.source = source;
    this.image = image;
    this.imageOfIdentity = imageOfIdentity;
    this.outputs = outputs;
  }

  /** The best bound found, +∞ if none was. */
  double best() {
    double[] shifts = new double[SHIFTS];
    double shift = LEAST_SHIFT * largest(source);
    for (int s = 0; s < SHIFTS; s++) {
      shifts[s] = shift;
      shift *= SHIFT_FACTOR;
    }
    double[] bounds = new double[SHIFTS];
    for (int base = 0; base < source.length; base += outputs * outputs) {
      raise(bounds, shifts, base);
    }
    double best = Double.POSITIVE_INFINITY;
    for (double bound : bounds) {
      best = Math.min(best, bound);
    }
    return best;
  }

  /** Raises the bound of every shift to what the block needs. */
  private void raise(double[] bounds, double[] shifts, int base) {
    EigenDecompositionSymmetric d = new EigenDecompositionSymmetric(block(source, base));
    RealMatrix v = d.getV();
    RealMatrix r = v.transposeMultiply(block(image, base).multiply(v));
    RealMatrix ofIdentity = v.transposeMultiply(block(imageOfIdentity, base).multiply(v));
    double[] eigenvalues = d.getEigenvalues();
    for (int s = 0; s < shifts.length; s++) {
      bounds[s] = Math.max(bounds[s], largest(eigenvalues, r, ofIdentity, shifts[s]));
    }
  }

  /** The largest eigenvalue of the pencil (r + τ·ofIdentity, diag(d) + τ). */
  private double largest(double[] d, RealMatrix r, RealMatrix ofIdentity, double shift) {
    if (!(d[outputs - 1] + shift > 0)) {
      return Double.POSITIVE_INFINITY;
    }
    RealMatrix pencil = new Array2DRowRealMatrix(outputs, outputs);
    for (int a = 0; a < outputs; a++) {
      for (int b = 0; b <= a; b++) {
        double entry = r.getEntry(a, b) + shift * ofIdentity.getEntry(a, b);
        double scaled = entry / Math.sqrt((d[a] + shift) * (d[b] + shift));
        pencil.setEntry(a, b, scaled);
        pencil.setEntry(b, a, scaled);
      }
    }
    return new EigenDecompositionSymmetric(pencil).getEigenvalue(0);
  }

  private RealMatrix block(double[] blocks, int base) {
    RealMatrix block = new Array2DRowRealMatrix(outputs, outputs);
    for (int a = 0; a < outputs; a++) {
      for (int b = 0; b < outputs; b++) {
        block.setEntry(a, b, blocks[base + a * outputs + b]);
      }
    }
    return block;
  }

  private static double largest(double[] x) {
    double largest = 0;
    for (double value : x) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }
}
