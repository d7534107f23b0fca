// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.List;
import java.util.NoSuchElementException;

/**
 * Moment Lyapunov exponents Λ(p) of several orders p.
 *
 * <p>Λ is convex with Λ(0) = 0, Λ′(0) = λ and Λ″(0) = σ², and Λ(p)/p does not decrease. The
 * probability that the growth of n steps is about n·s falls as e^{−n I(s)} with the rate function
 * I(s) = sup_p (p s − Λ(p)).
 *
 * @param moments in the order asked for
 * @param populationSize clones of the smaller populations; 0 if all moments are exact
 * @param steps measured steps of each population; 0 if all moments are exact
 */
public record MomentExponents(List<MomentExponent> moments, int populationSize, long steps) {

  /** {@inheritDoc} */
  public MomentExponents {
    moments = List.copyOf(moments);
  }

  /**
   * The moment exponent of one order.
   *
   * @param order p, one of those asked for
   * @return Λ(p)
   * @throws NoSuchElementException if it was not asked for
   */
  public Estimate of(double order) {
    return moments.stream()
        .filter(moment -> moment.order() == order)
        .findFirst()
        .orElseThrow(
            () -> new NoSuchElementException("no moment of order " + order + " was estimated"))
        .exponent();
  }

  /**
   * A lower bound of the rate function I(s), the Legendre transform over the orders at hand: the
   * larger the denser they are. With s = 0 it is the rate at which the probability of the wrong
   * sign vanishes: orders p &gt; 0 tell how rare growth is where λ &lt; 0, orders p &lt; 0 how rare
   * decay is where λ &gt; 0.
   *
   * @param growth s, nats per step
   * @return max(0, max_p (p s − Λ(p))), per step
   */
  public double rate(double growth) {
    return moments.stream()
        .mapToDouble(moment -> moment.order() * growth - moment.exponent().value())
        .reduce(0, Math::max);
  }
}
