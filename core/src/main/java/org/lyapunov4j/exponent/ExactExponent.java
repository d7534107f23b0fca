// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Locale;
import java.util.OptionalDouble;

/**
 * An exponent in closed form.
 *
 * @param value λ, nats per step; −∞ if the product annihilates every vector
 */
public record ExactExponent(double value) implements LyapunovExponent {
  /** {@inheritDoc} */
  public ExactExponent {
    if (Double.isNaN(value)) {
      throw new IllegalArgumentException("an exact exponent must be a number, got NaN");
    }
  }

  @Override
  public OptionalDouble point() {
    return OptionalDouble.of(value);
  }

  @Override
  public OptionalDouble error() {
    return OptionalDouble.of(0);
  }

  @Override
  public double low() {
    return value;
  }

  @Override
  public double high() {
    return value;
  }

  @Override
  public Sign sign() {
    return value > 0 ? Sign.POSITIVE : value < 0 ? Sign.NEGATIVE : Sign.UNDECIDED;
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%.4g", value);
  }
}
