// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Locale;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Products with the derivative of a gradient ∇L at θ as central differences, H v ≈ (∇L(θ + hv) −
 * ∇L(θ − hv))/2h with ‖hv‖ = 1e-7 max(1, ‖θ‖), divided by ten where it meets kinks, which show by
 * ∇L(θ + hv) + ∇L(θ − hv) − 2∇L(θ). What is learnt of one direction serves the next.
 */
final class GradientDifference {
  /** ‖hv‖ over the size of the parameters: where products begin, and where they give up. */
  private static final double FIRST_REACH = 1e-7;

  private static final double LAST_REACH = 1e-12;

  /** What a gradient may be off a straight line, relative to its change and to all before. */
  private static final double SMOOTH = 1e-4;

  /** What a gradient may jump, relative to itself: more than rounding. */
  private static final double JUMP = 1e-8;

  private final INDArray theta;
  private final double shortest;
  private double reach;
  private double largest;

  GradientDifference(INDArray theta) {
    this(theta, 0);
  }

  /**
   * @param largest curvature known from points nearby
   */
  GradientDifference(INDArray theta, double largest) {
    this.theta = theta;
    this.largest = largest;
    double size = Math.max(1, norm(theta));
    reach = FIRST_REACH * size;
    shortest = LAST_REACH * size;
  }

  /**
   * A product.
   *
   * @param gradient ∇L, a new array each time
   * @param slope ∇L(θ)
   * @param v not 0
   */
  double[] product(UnaryOperator<INDArray> gradient, INDArray slope, double[] v) {
    try (INDArray direction = Nd4j.createFromArray(v)) {
      double length = norm(direction);
      while (true) {
        double h = reach / length;
        try (INDArray up = at(gradient, direction, h);
            INDArray down = at(gradient, direction, -h);
            INDArray product = up.sub(down);
            INDArray bend = up.add(down)) {
          product.divi(2 * h);
          double curvature = norm(product) / length;
          double jump = norm(bend.subi(slope).subi(slope));
          if (jump <= SMOOTH * 2 * reach * Math.max(largest, curvature) || reach <= shortest) {
            requireSlope(jump, slope);
            largest = Math.max(largest, curvature);
            return requireFinite(product.data().asDouble());
          }
        }
        reach /= 10;
      }
    }
  }

  /** The largest curvature met. */
  double largest() {
    return largest;
  }

  /**
   * What the product would change by over twice the step, relative to it: an estimate of what
   * rounding and the step have done to it.
   */
  double disagreement(UnaryOperator<INDArray> gradient, double[] product, double[] v) {
    try (INDArray direction = Nd4j.createFromArray(v);
        INDArray before = Nd4j.createFromArray(product)) {
      double h = 2 * reach / norm(direction);
      try (INDArray up = at(gradient, direction, h);
          INDArray down = at(gradient, direction, -h);
          INDArray other = up.sub(down)) {
        double size = norm(before);
        return size == 0 ? 0 : norm(other.divi(2 * h).subi(before)) / size;
      }
    }
  }

  private INDArray at(UnaryOperator<INDArray> gradient, INDArray direction, double h) {
    try (INDArray place = direction.mul(h)) {
      return gradient.apply(place.addi(theta));
    }
  }

  private void requireSlope(double jump, INDArray slope) {
    if (reach <= shortest && jump > JUMP * norm(slope)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "the gradient must change continuously, got a jump of %.3g within %.3g of the"
                  + " parameters: an input of a rectifier is 0; move the parameters a little",
              jump,
              reach));
    }
  }

  private static double norm(INDArray array) {
    return array.norm2Number().doubleValue();
  }

  static double[] requireFinite(double[] entries) {
    for (double entry : entries) {
      if (!Double.isFinite(entry)) {
        throw new IllegalArgumentException(
            "parameters and differences of gradients must be finite, got " + entry);
      }
    }
    return entries;
  }
}
