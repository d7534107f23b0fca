// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.SgdStep;

/**
 * The groups that a model's parameters move in, each with memory and decay of its own, and which
 * flat parameters belong to each.
 *
 * @param members the groups, at least two, no two alike
 * @param ranges the flat parameters of the groups; what is in none does not move
 * @param without the level of the step where the groups are not told apart
 */
public record ParameterGroups(List<ParameterGroup> members, List<Range> ranges, Level without) {
  /** Groups that are told apart: public models have two, weights and all else, or a few more. */
  private static final int MOST = 4;

  /** {@inheritDoc} */
  public ParameterGroups {
    members = List.copyOf(members);
    ranges = List.copyOf(ranges);
    Objects.requireNonNull(without, "without");
  }

  /**
   * Flat parameters of one group.
   *
   * @param from the first
   * @param to one beyond the last
   * @param group the index of the group
   */
  public record Range(long from, long to, int group) {}

  /**
   * The groups of a model; empty if its parameters move alike, where a preconditioner makes l2 a
   * decay of every parameter's own, or where there are too many.
   *
   * @param first offset of the flat parameters in their buffer
   * @param factor what l2 and decay are divided by
   */
  static Optional<ParameterGroups> of(
      List<ParameterRule> rules,
      ParameterRule reference,
      long first,
      double factor,
      Level without) {
    List<ParameterRule> moving =
        rules.stream().filter(rule -> rule.relativeRate(reference) != 0).toList();
    List<ParameterGroup> members =
        moving.stream().map(rule -> group(rule, reference, factor)).distinct().toList();
    boolean preconditioned =
        moving.stream().anyMatch(rule -> rule.updater().isAdaptive() && rule.l2() != 0);
    if (preconditioned || members.size() < 2 || members.size() > MOST) {
      return Optional.empty();
    }
    List<Range> ranges = new ArrayList<>();
    for (ParameterRule rule : moving) {
      long from = rule.array().offset() - first;
      int group = members.indexOf(group(rule, reference, factor));
      ranges.add(new Range(from, from + rule.array().length(), group));
    }
    return Optional.of(new ParameterGroups(members, ranges, without));
  }

  private static ParameterGroup group(ParameterRule rule, ParameterRule reference, double factor) {
    return new ParameterGroup(
        rule.updater().momentum(),
        rule.l2(reference) / factor,
        rule.weightDecay(reference) / factor);
  }

  /**
   * The grouped step of a step.
   *
   * @param step rate, batch size and sampling
   * @return it with these groups
   */
  public GroupedStep of(SgdStep step) {
    return new GroupedStep(step, members);
  }

  /**
   * Whether all groups have the same memory.
   *
   * @return false if a step of one memory cannot stand for them
   */
  public boolean hasOneMemory() {
    return members.stream().map(ParameterGroup::momentum).distinct().count() == 1;
  }
}
