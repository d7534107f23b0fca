// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

import java.util.Locale;
import java.util.Objects;

/**
 * What is common to a group of parameters in a {@link GroupedStep}: memory and decay. The learning
 * rate η is that of the step; a rate η_h of the group's own is a weight η_h/η of its part of the
 * Gram matrix and a factor η_h/η of its decay.
 *
 * @param momentum the memory of its updates
 * @param l2 coefficient c ≥ 0 of a penalty (c/2)‖θ‖² inside the gradient, and so inside the memory
 * @param weightDecay coefficient ≥ 0 of a decay added after the memory, times η
 */
public record ParameterGroup(Momentum momentum, double l2, double weightDecay) {
  /** {@inheritDoc} */
  public ParameterGroup {
    Objects.requireNonNull(momentum, "momentum");
    SgdStep.requirePenalty("l2", l2);
    SgdStep.requirePenalty("weight decay", weightDecay);
  }

  /**
   * Whether this group's positions may be added to those of another: both shrink alike, whatever
   * else happens to them.
   *
   * @param other another group
   * @return true if neither has a decay inside its memory and the decay after it is the same
   */
  public boolean decaysLike(ParameterGroup other) {
    boolean outside = l2 == 0 && other.l2 == 0;
    return outside ? weightDecay == other.weightDecay : equals(other);
  }

  /**
   * The group in words.
   *
   * @return for people
   */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(momentum.toString());
    if (l2 > 0) {
      text.append(String.format(Locale.ROOT, ", l2 %.4g", l2));
    }
    if (weightDecay > 0) {
      text.append(String.format(Locale.ROOT, ", weight decay %.4g", weightDecay));
    }
    return text.toString();
  }
}
