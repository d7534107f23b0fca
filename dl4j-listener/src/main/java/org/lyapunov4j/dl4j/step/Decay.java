// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.List;
import java.util.Locale;
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
 * @param preconditioned the updater whose preconditioner makes l2 another for every parameter, or
 *     null
 */
record Decay(
    double l2, double weightDecay, List<ParameterRule> spared, ParameterRule preconditioned) {
  /** The decay of the parameters that move, the fastest where it differs. */
  static Decay of(List<ParameterRule> rules, ParameterRule reference) {
    List<ParameterRule> moving = rules.stream().filter(rule -> rule.moves(reference)).toList();
    ParameterRule preconditioned =
        moving.stream().filter(Decay::isPreconditioned).findFirst().orElse(null);
    if (preconditioned != null) {
      double decay = largest(moving, rule -> rule.weightDecay(reference));
      return new Decay(0, decay, List.of(), preconditioned);
    }
    double l2 = largest(moving, rule -> rule.l2(reference));
    double decay = largest(moving, rule -> rule.weightDecay(reference));
    return new Decay(
        l2,
        decay,
        moving.stream()
            .filter(rule -> rule.l2(reference) < l2 || rule.weightDecay(reference) < decay)
            .toList(),
        null);
  }

  private static double largest(
      List<ParameterRule> rules, ToDoubleFunction<ParameterRule> coefficient) {
    return rules.stream().mapToDouble(coefficient).max().orElse(0);
  }

  private static boolean isPreconditioned(ParameterRule rule) {
    return rule.updater().isAdaptive() && rule.l2() != 0;
  }

  /**
   * Weights decay alike or not at all.
   *
   * @throws UnsupportedTrainingException if weights decay at rates that differ, but for l2 inside a
   *     gradient that is preconditioned
   */
  void requireCommon(List<ParameterRule> rules, ParameterRule reference) {
    boolean l2Too = preconditioned == null;
    List<ParameterRule> weights =
        rules.stream()
            .filter(rule -> rule.moves(reference) && !rule.bias() && rule.decays())
            .toList();
    for (ParameterRule rule : weights) {
      ParameterRule first = weights.get(0);
      if (l2Too) {
        StepReader.requireSame(
            "l2 times learning rate", first, first.l2(reference), rule, rule.l2(reference));
      }
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

  /** Decay as if it were common is within half of it, by Weyl's bound on eigenvalues. */
  Level level(double learningRate) {
    if (preconditioned != null) {
      return new Level.Approximate(
          "l2 inside the gradient of "
              + preconditioned.updaterName()
              + " counts along the critical direction alone",
          "the shift of the edge is in the step; below the edge λ is a bound");
    }
    return isInPart()
        ? new Level.Approximate(
            "all parameters are taken to decay alike",
            String.format(
                Locale.ROOT,
                "full-batch η_c is right to %.1g of itself, below the edge λ is a bound",
                learningRate * (l2 + weightDecay) / 2))
        : Level.exact();
  }

  /** What a reader of the exponent must know. */
  Optional<String> remark(boolean grouped) {
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
    String consequence = grouped ? "; that is in λ and μ" : ": below the edge λ and μ are bounds";
    return Optional.of(who + how + consequence);
  }
}
