// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Objects;

/**
 * One moment Lyapunov exponent Λ(p) = lim (1/n) log E ‖M_{S_n} ⋯ M_{S_1}‖^p on range(G), in nats
 * per step.
 *
 * <p>The cloning estimates of a population of size c are off by about 1/c, so the two sizes are
 * extrapolated to the infinite one: 2 large − small. The standard error holds the sampling error
 * and half of the extrapolated step.
 *
 * @param order p
 * @param exponent Λ(p) with its error
 * @param small what the smaller populations gave
 * @param large what populations of twice that size gave; all three are equal where Λ(p) is exact
 */
public record MomentExponent(double order, Estimate exponent, Estimate small, Estimate large) {

  /** {@inheritDoc} */
  public MomentExponent {
    Objects.requireNonNull(exponent, "exponent");
    Objects.requireNonNull(small, "small");
    Objects.requireNonNull(large, "large");
  }

  static MomentExponent exact(double order, double value) {
    Estimate estimate = Estimate.exact(value);
    return new MomentExponent(order, estimate, estimate, estimate);
  }

  /** Another value, within an error that holds the change; an exact one moves by rounding only. */
  MomentExponent movedTo(double value) {
    double error = exponent.standardError();
    return error == 0
        ? this
        : new MomentExponent(
            order, new Estimate(value, Math.hypot(error, value - exponent.value())), small, large);
  }

  static MomentExponent extrapolated(double order, Estimate small, Estimate large) {
    if (Double.isInfinite(small.value()) || Double.isInfinite(large.value())) {
      double error = small.value() == large.value() ? 0 : Double.POSITIVE_INFINITY;
      return new MomentExponent(order, new Estimate(large.value(), error), small, large);
    }
    double step = large.value() - small.value();
    double sampling = Math.hypot(2 * large.standardError(), small.standardError());
    double error = Math.hypot(sampling, step / 2);
    return new MomentExponent(order, new Estimate(large.value() + step, error), small, large);
  }
}
