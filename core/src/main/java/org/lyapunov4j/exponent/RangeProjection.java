// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;

/**
 * Removes from a residual r what lies in ker G, without an eigendecomposition: conjugate residuals
 * minimise ‖G x − r‖ over Krylov spaces; the minimiser's image is the projection onto range(G), the
 * minimiser itself the coefficients.
 *
 * <p>If the iteration stalls with more than {@link #LARGEST_REMAINDER} of r unexplained, slow modes
 * of G are still in the remainder; then r is left as it is, since what would be thrown away is not
 * rounding.
 */
final class RangeProjection {
  private static final double LARGEST_REMAINDER = 1e-7;
  private static final double STOP = 1e-13;
  private static final int ITERATIONS = 300;

  private final GramMatrix gram;
  private double[] x;
  private double[] remainder;
  private double[] image;
  private double[] direction;
  private double[] directionImage;

  RangeProjection(GramMatrix gram) {
    this.gram = gram;
  }

  /**
   * Projects, or leaves both as they are if slow modes remain unexplained.
   *
   * @param r the residual; replaced by its projection
   * @param w replaced by coefficients with G w = r
   * @return whether it was projected
   */
  boolean apply(double[] r, double[] w) {
    allocate(r.length);
    double norm = Math.sqrt(Vectors.dot(r, r));
    if (norm == 0) {
      return true;
    }
    solve(r, norm);
    if (Math.sqrt(Vectors.dot(remainder, remainder)) > LARGEST_REMAINDER * norm) {
      return false;
    }
    for (int i = 0; i < r.length; i++) {
      r[i] -= remainder[i];
      w[i] = x[i];
    }
    return true;
  }

  private void solve(double[] r, double norm) {
    Arrays.fill(x, 0);
    System.arraycopy(r, 0, remainder, 0, r.length);
    gram.multiply(remainder, image);
    System.arraycopy(remainder, 0, direction, 0, r.length);
    System.arraycopy(image, 0, directionImage, 0, r.length);
    double weight = Vectors.dot(remainder, image);
    double scale = Math.sqrt(Vectors.dot(image, image)) / norm;
    for (int iteration = 0; iteration < ITERATIONS && weight > 0; iteration++) {
      double length = weight / Vectors.dot(directionImage, directionImage);
      Vectors.add(length, direction, x);
      Vectors.add(-length, directionImage, remainder);
      gram.multiply(remainder, image);
      if (Math.sqrt(Vectors.dot(image, image)) <= STOP * scale * norm) {
        return;
      }
      double next = Vectors.dot(remainder, image);
      double ratio = next / weight;
      weight = next;
      for (int i = 0; i < r.length; i++) {
        direction[i] = remainder[i] + ratio * direction[i];
        directionImage[i] = image[i] + ratio * directionImage[i];
      }
    }
  }

  private void allocate(int size) {
    if (x == null) {
      x = new double[size];
      remainder = new double[size];
      image = new double[size];
      direction = new double[size];
      directionImage = new double[size];
    }
  }
}
