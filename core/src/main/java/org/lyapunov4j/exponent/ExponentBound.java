// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Locale;
import java.util.Objects;
import java.util.OptionalDouble;

/**
 * An exponent of which only bounds are known.
 *
 * @param low lower bound, nats per step
 * @param high upper bound, nats per step; at least {@code low}
 * @param sign of λ, which may be known where the bounds touch 0
 * @param reason why not more is known, one sentence for people
 */
public record ExponentBound(double low, double high, Sign sign, String reason)
    implements LyapunovExponent {
  static final String LOST_IN_ROUNDING =
      "slower directions may be lost in the rounding of the Gram matrix";
  static final String UNEVEN_DECAY =
      "parameters that do not decay may creep more slowly than those that do";

  /** {@inheritDoc} */
  public ExponentBound {
    Objects.requireNonNull(sign, "sign");
    Objects.requireNonNull(reason, "reason");
    if (!(low <= high)) {
      throw new IllegalArgumentException(
          "bounds of an exponent must be in order, got " + low + " and " + high);
    }
    if ((sign == Sign.NEGATIVE && high > 0) || (sign == Sign.POSITIVE && low < 0)) {
      throw new IllegalArgumentException(
          "bounds of an exponent must allow no other sign than "
              + sign
              + ", got "
              + low
              + " and "
              + high);
    }
  }

  @Override
  public OptionalDouble point() {
    return OptionalDouble.empty();
  }

  @Override
  public OptionalDouble error() {
    return OptionalDouble.empty();
  }

  @Override
  public String toString() {
    return "between " + number(low) + " and " + number(high);
  }

  private static String number(double value) {
    return value == 0 ? "0" : String.format(Locale.ROOT, "%.2g", value);
  }
}
