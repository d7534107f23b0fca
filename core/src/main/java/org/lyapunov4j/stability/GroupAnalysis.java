// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.lyapunov4j.exponent.GroupedFullBatch;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.SgdStep;

/**
 * What takes the place of a step where parameters move in groups, in the units of an analysis.
 *
 * <p>η_c below the full batch: where decay alone differs, and by little, it is that of the common
 * decay along the critical direction, qᵀDq = Σ_h d_h uᵀG_h u / uᵀGu with the top eigenvector u of
 * G, in an interval that is wider by {@value #SHIFT} times half the spread of the decay, relative
 * to η_c. No bound: of measured shifts the largest was 30 times that, with decays ten times larger
 * than it is used for, and 44 with decays a hundred times larger (docs/decisions.md). Else η_c is
 * searched for on the groups themselves.
 */
final class GroupAnalysis {
  /** By how much the interval of η_c is widened, in units of η_c·(spread of decay)/2. */
  static final double SHIFT = 40;

  /** Relative to η_c, where the search ends at 0.02. */
  private static final double LARGEST_SHIFT = 2e-3;

  private final GroupedGram gram;
  private final GroupedStep step;
  private final LyapunovEstimator estimator;
  private final EdgeFinder edges;
  private final double largest;
  private final SgdStep effective;
  private final boolean nearCommonDecay;
  private GroupedFullBatch fullBatch;

  GroupAnalysis(
      GroupedGram gram,
      GroupedStep step,
      double largest,
      LyapunovEstimator estimator,
      EdgeFinder edges) {
    this.gram = gram;
    this.step = step;
    this.largest = largest;
    this.estimator = estimator;
    this.edges = edges;
    effective = effective(gram, step);
    nearCommonDecay = largest > 0 && isNearCommonDecay(gram, step);
  }

  /** The step whose decay is that along the critical direction. */
  private static SgdStep effective(GroupedGram gram, GroupedStep step) {
    GramMatrix whole = gram.whole();
    LargestEigenpair top = LargestEigenpair.of(whole);
    if (!(top.value() > 0)) {
      return step.common();
    }
    double[] u = top.vector();
    double[] image = new double[u.length];
    double l2 = 0;
    double weightDecay = 0;
    for (int h = 0; h < step.groups().size(); h++) {
      gram.parts().get(h).multiply(u, image);
      double share = 0;
      for (int i = 0; i < u.length; i++) {
        share += u[i] * image[i] / top.value();
      }
      l2 += Math.max(0, share) * step.groups().get(h).l2();
      weightDecay += Math.max(0, share) * step.groups().get(h).weightDecay();
    }
    return step.common().withL2(l2).withWeightDecay(weightDecay).withDecayInPart(false);
  }

  SgdStep effective() {
    return effective;
  }

  GroupedFullBatch fullBatch() {
    if (fullBatch == null) {
      fullBatch = GroupedFullBatch.of(gram, step);
    }
    return fullBatch;
  }

  /** It has no unit. */
  double edgeRatio() {
    return largest == 0 || step.common().learningRate() == 0
        ? 0
        : GroupedFullBatch.edgeRatio(gram, step);
  }

  Optional<Certificate> certificate() {
    return Certificate.decide(gram, largest, step);
  }

  LyapunovExponent exponent(Sign known, boolean nearEdge) {
    return estimator.estimate(gram, step, fullBatch(), known, nearEdge);
  }

  /** Whether η_c is that of the common decay within an interval that hardly widens. */
  boolean isNearCommonDecay() {
    return nearCommonDecay;
  }

  private static boolean isNearCommonDecay(GroupedGram gram, GroupedStep step) {
    return !step.common().isFullBatch(gram.whole().examples())
        && step.hasOneMemory()
        && shift(step, GroupedFullBatch.criticalLearningRate(gram, step)) <= LARGEST_SHIFT;
  }

  private static double shift(GroupedStep step, double rate) {
    double slowest = Double.POSITIVE_INFINITY;
    double fastest = 0;
    for (ParameterGroup group : step.groups()) {
      slowest = Math.min(slowest, group.l2() + group.weightDecay());
      fastest = Math.max(fastest, group.l2() + group.weightDecay());
    }
    return SHIFT * rate * (fastest - slowest) / 2;
  }

  CriticalLearningRate criticalLearningRate() {
    return edges.criticalLearningRate(gram, step);
  }

  CriticalLearningRate widened(CriticalLearningRate found) {
    double shift = found.value() < Double.POSITIVE_INFINITY ? shift(step, found.value()) : 0;
    return new CriticalLearningRate(
        found.value(),
        found.low() * (1 - shift),
        found.high() * (1 + shift),
        false,
        found.evaluations());
  }

  /** What is absent, where one step for all parameters would have it. */
  List<String> remarks(List<String> others) {
    int examples = gram.whole().examples();
    if (!step.hasOneMemory() || MeanSquareStability.obstacle(effective, examples).isPresent()) {
      return others;
    }
    return Stream.concat(
            others.stream(),
            Stream.of(
                "mean-square stability is not known for groups of parameters that move each in its"
                    + " way and is left out"))
        .toList();
  }
}
