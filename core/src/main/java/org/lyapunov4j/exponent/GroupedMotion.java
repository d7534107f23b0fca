// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Comparator;
import java.util.Optional;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** A step that moves groups of parameters each in its way. */
final class GroupedMotion implements Motion {
  private final GroupedGram grouped;
  private final GroupedStep groups;
  private final GroupedFullBatch mean;
  private final double tolerated;

  /**
   * A motion.
   *
   * @param mean the same step on all examples
   * @param sharpness κ_max/N of G
   */
  GroupedMotion(GroupedGram grouped, GroupedStep groups, GroupedFullBatch mean, double sharpness) {
    this.grouped = grouped;
    this.groups = groups;
    this.mean = mean;
    tolerated = GroupedFullBatch.edgeRatio(grouped, groups) / sharpness;
  }

  @Override
  public GramMatrix gram() {
    return grouped.whole();
  }

  @Override
  public SgdStep step() {
    return groups.groups().stream()
        .map(ParameterGroup::momentum)
        .max(Comparator.comparingDouble(momentum -> momentum.coefficient()))
        .map(longest -> groups.common().withMomentum(longest))
        .orElseThrow();
  }

  @Override
  public int parts() {
    return groups.groups().size();
  }

  @Override
  public boolean startsSlowly() {
    return mean.slowest().isPresent();
  }

  @Override
  public MeasuredRun slow(RandomStream random) {
    return new GroupedRun(grouped, groups, random, mean.slowest().orElse(null), tolerated);
  }

  @Override
  public MeasuredRun unstable(RandomStream random) {
    return new GroupedRun(grouped, groups, random, null, tolerated);
  }

  @Override
  public double slowestDecay() {
    return Math.min(0, mean.slowest().orElseThrow().exponent());
  }

  @Override
  public Optional<ExponentBound> hidden(double low) {
    return mean.hidden(low);
  }
}
