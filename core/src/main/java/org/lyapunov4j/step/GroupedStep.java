// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A training step whose parameters fall into groups with memory and decay of their own. Without
 * memory it acts on the groups' residuals r_h = J_h δ_h, whose sum s is the residual of the
 * outputs, as
 *
 * <pre>
 *   r_h ← (1 − η(l2_h + weightDecay_h)) r_h − (η/|S|) G_h[:,S] s_S,
 * </pre>
 *
 * <p>with memory as {@link Momentum} says of θ, where G_h[:,S] s_S/|S| + l2_h r_h is the gradient.
 * G_h is the group's part of the Gram matrix.
 *
 * @param common learning rate, batch size and sampling of all groups; its momentum and decay are
 *     those of one group that stands for all where no groups are known
 * @param groups at least one, in the order of the parts of the Gram matrix, no two alike
 */
public record GroupedStep(SgdStep common, List<ParameterGroup> groups) {
  /** {@inheritDoc} */
  public GroupedStep {
    Objects.requireNonNull(common, "common");
    groups = List.copyOf(groups);
    if (groups.isEmpty() || groups.stream().distinct().count() < groups.size()) {
      throw new IllegalArgumentException(
          "a grouped step needs at least one group and no two alike, got "
              + groups
              + "; put parameters that move alike into one group");
    }
  }

  /**
   * What a group's step would be if all parameters were in it.
   *
   * @param group its index
   * @return the step
   */
  public SgdStep of(int group) {
    ParameterGroup member = groups.get(group);
    return new SgdStep(
        common.learningRate(),
        common.batchSize(),
        common.sampling(),
        member.momentum(),
        member.l2(),
        member.weightDecay());
  }

  /**
   * The same groups at another learning rate.
   *
   * @param learningRate η
   * @return the changed step
   */
  public GroupedStep withLearningRate(double learningRate) {
    return new GroupedStep(common.withLearningRate(learningRate), groups);
  }

  /**
   * The same groups with another learning rate, batch size or sampling.
   *
   * @param changed takes the place of {@link #common}
   * @return the changed step
   */
  public GroupedStep with(SgdStep changed) {
    return new GroupedStep(changed, groups);
  }

  /**
   * Some of the groups.
   *
   * @param chosen indices of groups, at least one
   * @return the step of these
   */
  public GroupedStep only(int... chosen) {
    return new GroupedStep(common, Arrays.stream(chosen).mapToObj(groups::get).toList());
  }

  /**
   * Whether all groups have the same memory, so that only their decay differs.
   *
   * @return true for one memory
   */
  public boolean hasOneMemory() {
    return groups.stream().map(ParameterGroup::momentum).distinct().count() == 1;
  }

  /**
   * The step that does to 2⁻ᵏ·G what this one does to G, as {@link SgdStep#scaled}.
   *
   * @param exponent k
   * @return the step in other units
   */
  public GroupedStep scaled(int exponent) {
    return new GroupedStep(
        common.scaled(exponent),
        groups.stream()
            .map(
                group ->
                    new ParameterGroup(
                        group.momentum(),
                        Math.scalb(group.l2(), -exponent),
                        Math.scalb(group.weightDecay(), -exponent)))
            .toList());
  }
}
