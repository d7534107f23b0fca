// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * Moment Lyapunov exponents Λ(p) of several orders p.
 *
 * <p>Λ is convex with Λ(0) = 0, Λ′(0) = λ and Λ″(0) = σ², and Λ(p)/p does not decrease. The
 * probability that the growth of n steps is about n·s falls as e^{−n I(s)} with the rate function
 * I(s) = sup_p (p s − Λ(p)).
 *
 * <p>What is estimated keeps to that: where neighbouring Λ(p)/p decrease, as they may within their
 * errors, they are replaced by their mean, weighted by 1/error², and the errors grow by the change.
 *
 * @param moments in the order asked for
 * @param populationSize clones of the smaller populations; 0 if all moments are exact
 * @param steps measured steps of each population; 0 if all moments are exact
 */
public record MomentExponents(List<MomentExponent> moments, int populationSize, long steps) {

  /** Below this, relative to the largest |Λ(p)/p|, errors are rounding and weigh alike. */
  private static final double LEAST_ERROR = 1e-9;

  /** {@inheritDoc} */
  public MomentExponents {
    moments = nonDecreasing(moments);
  }

  /**
   * The same with a moment that is known exactly, in the place of its order or at the end.
   *
   * @param order p
   * @param value Λ(p)
   * @return the others made to keep to it
   */
  public MomentExponents withExact(double order, double value) {
    List<MomentExponent> all = new ArrayList<>(moments);
    all.removeIf(moment -> moment.order() == order);
    all.add(MomentExponent.exact(order, value));
    return new MomentExponents(all, populationSize, steps);
  }

  /** Pools adjacent Λ(p)/p that decrease; the order of the list stays. */
  private static List<MomentExponent> nonDecreasing(List<MomentExponent> moments) {
    List<MomentExponent> sorted =
        moments.stream()
            .filter(moment -> moment.order() != 0 && Double.isFinite(moment.exponent().value()))
            .sorted(Comparator.comparingDouble(MomentExponent::order))
            .toList();
    double largest =
        sorted.stream().mapToDouble(m -> Math.abs(slope(m))).max().orElse(0) * LEAST_ERROR;
    Deque<Pool> pools = new ArrayDeque<>();
    for (MomentExponent moment : sorted) {
      double error =
          Math.max(largest, moment.exponent().standardError() / Math.abs(moment.order()));
      Pool pool = new Pool(slope(moment), error > 0 ? 1 / (error * error) : 1, List.of(moment));
      while (!pools.isEmpty() && pools.getLast().slope > pool.slope) {
        pool = pools.removeLast().with(pool);
      }
      pools.addLast(pool);
    }
    Map<Double, Double> slopes = new HashMap<>();
    pools.stream()
        .filter(pool -> pool.members.size() > 1)
        .forEach(pool -> pool.members.forEach(m -> slopes.put(m.order(), pool.slope)));
    return moments.stream()
        .map(m -> slopes.containsKey(m.order()) ? m.movedTo(slopes.get(m.order()) * m.order()) : m)
        .toList();
  }

  private static double slope(MomentExponent moment) {
    return moment.exponent().value() / moment.order();
  }

  private record Pool(double slope, double weight, List<MomentExponent> members) {
    Pool with(Pool next) {
      List<MomentExponent> both = new ArrayList<>(members);
      both.addAll(next.members);
      double sum = weight + next.weight;
      return new Pool((weight * slope + next.weight * next.slope) / sum, sum, both);
    }
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
