// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * The decay of the weights in a step at the rate of a reference parameter, and which parameters it
 * spares: by default Deeplearning4j decays neither biases nor the parameters of batch
 * normalisation. Where biases have a decay of their own, the larger of the two is taken.
 *
 * @param l2 coefficient in the gradient
 * @param weightDecay coefficient of a decay after the updater, times η
 * @param spared the parameters that decay less, in the order of the model
 */
record Decay(double l2, double weightDecay, List<ParameterRule> spared) {
  /**
   * The decay of the parameters that move.
   *
   * @throws UnsupportedTrainingException if weights decay at rates that differ, or l2 is inside a
   *     gradient that is preconditioned, which makes every parameter decay differently
   */
  static Decay of(List<ParameterRule> rules, ParameterRule reference) {
    rules.forEach(Decay::requireNoPreconditionedPenalty);
    List<ParameterRule> moving = rules.stream().filter(rule -> rule.moves(reference)).toList();
    requireCommon(moving, reference);
    double l2 = largest(moving, rule -> rule.l2(reference));
    double decay = largest(moving, rule -> rule.weightDecay(reference));
    return new Decay(
        l2,
        decay,
        moving.stream()
            .filter(rule -> rule.l2(reference) < l2 || rule.weightDecay(reference) < decay)
            .toList());
  }

  private static double largest(
      List<ParameterRule> rules, ToDoubleFunction<ParameterRule> coefficient) {
    return rules.stream().mapToDouble(coefficient).max().orElse(0);
  }

  private static void requireNoPreconditionedPenalty(ParameterRule rule) {
    if (rule.updater().isAdaptive() && rule.l2() != 0) {
      throw new UnsupportedTrainingException(
          "l2 with the adaptive updater " + rule.updaterName() + " of " + rule.name(),
          "its preconditioner makes every parameter decay at a rate of its own",
          "use weightDecay");
    }
  }

  /** Weights decay alike or not at all. */
  private static void requireCommon(List<ParameterRule> rules, ParameterRule reference) {
    List<ParameterRule> weights =
        rules.stream().filter(rule -> !rule.bias() && rule.decays()).toList();
    for (ParameterRule rule : weights) {
      ParameterRule first = weights.get(0);
      StepReader.requireSame(
          "l2 times learning rate", first, first.l2(reference), rule, rule.l2(reference));
      StepReader.requireSame(
          "weight decay times learning rate",
          first,
          first.weightDecay(reference),
          rule,
          rule.weightDecay(reference));
    }
  }

  /** Whether some parameters decay and others less. */
  boolean isInPart() {
    return !spared.isEmpty();
  }

  /** What a reader of the exponent must know. */
  Optional<String> remark() {
    if (!isInPart()) {
      return Optional.empty();
    }
    String who =
        spared.stream().allMatch(ParameterRule::bias)
            ? "biases"
            : StepReader.join(spared.stream().map(ParameterRule::name).toList());
    String how =
        spared.stream().noneMatch(ParameterRule::decays)
            ? " do not decay"
            : " do not decay as the others do";
    return Optional.of(who + how + ": below the edge λ and μ are bounds");
  }
}
